/** What the dispatcher knows of an order: what was queued, tried and delivered, and whose answer is awaited. */
import { publicId } from '@tillstream/database/public-id';
import type { Awaited as Wait, TimelineApiService, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Handlers } from '@tillstream/rpc/server';
import { traceIdOf } from '@tillstream/telemetry/trace';
import type { DeliveryView } from '../ports.ts';

const source = 'webhook-dispatcher';
// As the contract says.
const most = 200;

export function answerTimelineApi(reads: {
  ofOrder(merchantId: string, orderId: bigint): Promise<readonly DeliveryView[]>;
}): Handlers<typeof TimelineApiService> {
  return {
    async readTimeline({ merchantId, orderId }) {
      const deliveries = await reads.ofOrder(merchantId, orderId);
      const entries = deliveries.flatMap(entriesOf).toSorted((a, b) => (a.at?.getTime() ?? 0) - (b.at?.getTime() ?? 0));
      return { entries: entries.slice(-most), awaited: deliveries.flatMap(awaitedOf) };
    },
  };
}

function entriesOf(delivery: DeliveryView): TimelineEntry[] {
  const endpoint = publicId('we', delivery.endpoint_id);
  const entry = (at: Date, type: string, summary: string, traceId: string): TimelineEntry => ({
    at,
    source,
    type,
    summary,
    traceId,
    objectId: publicId('whd', delivery.id),
  });
  const queued = entry(
    delivery.created_at,
    'webhook_queued',
    `${delivery.event_type} is to be sent to endpoint ${endpoint}.`,
    traceIdOf(delivery.traceparent),
  );
  const attempts = delivery.attempts.map((attempt) => {
    const outcome =
      attempt.error === '' || attempt.error === 'redirect'
        ? `answered ${attempt.http_status}`
        : `did not answer (${attempt.error})`;
    const hand = attempt.trigger === 'manual' ? ', sent by hand' : '';
    return entry(
      attempt.at,
      'webhook_attempted',
      `Attempt ${attempt.number} of ${delivery.event_type}${hand}: endpoint ${endpoint} ${outcome}.`,
      attempt.trace_id,
    );
  });
  const end =
    delivery.status === 'delivered' && delivery.done_at !== null
      ? [
          entry(
            delivery.done_at,
            'webhook_delivered',
            `${delivery.event_type} was delivered to endpoint ${endpoint}.`,
            attempts.at(-1)?.traceId ?? '',
          ),
        ]
      : [];
  const given =
    delivery.status === 'exhausted' && delivery.done_at !== null
      ? [
          entry(
            delivery.done_at,
            'webhook_exhausted',
            `${delivery.event_type} was given up; it can be sent again by hand.`,
            attempts.at(-1)?.traceId ?? '',
          ),
        ]
      : [];
  return [queued, ...attempts, ...end, ...given];
}

function awaitedOf(delivery: DeliveryView): Wait[] {
  const endpoint = publicId('we', delivery.endpoint_id);
  if (delivery.status === 'held')
    return [{ source, type: 'endpoint_enabled', summary: `Endpoint ${endpoint} to be enabled.`, until: undefined }];
  if (delivery.status !== 'waiting') return [];
  // What was not tried yet is due, or waits for the event before it: no time says when.
  const until = delivery.attempts.length === 0 ? undefined : (delivery.due_at ?? undefined);
  return [
    { source, type: 'endpoint_answer', summary: `Endpoint ${endpoint} to answer to ${delivery.event_type}.`, until },
  ];
}
