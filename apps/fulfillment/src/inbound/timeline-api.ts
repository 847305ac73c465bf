/** Answers TimelineApi: what is known here of an order's delivery. */
import type { Awaited, TimelineApiService, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Handlers } from '@tillstream/rpc/server';
import { traceIdOf } from '@tillstream/telemetry/trace';
import type { DeliveryStory } from '../ports.ts';

const source = 'fulfillment';

export function answerTimelineApi(
  readDeliveries: (merchantId: string, orderId: bigint) => Promise<readonly DeliveryStory[]>,
): Handlers<typeof TimelineApiService> {
  return {
    async readTimeline({ merchantId, orderId }) {
      const deliveries = await readDeliveries(merchantId, orderId);
      const entries = deliveries.flatMap(entriesOf).toSorted((a, b) => (a.at?.getTime() ?? 0) - (b.at?.getTime() ?? 0));
      return {
        entries: entries.slice(0, 200),
        awaited: deliveries.filter((each) => each.status === 'waiting').map(awaitedOf),
      };
    },
  };
}

function entriesOf(story: DeliveryStory): TimelineEntry[] {
  const about = { source, objectId: '' };
  const entries: TimelineEntry[] = [];
  if (story.waitingSince !== null) {
    const summary = `Item ${story.itemId} waits: product ${story.productId} had fewer than ${codes(story.codeCount)} left.`;
    entries.push({
      ...about,
      at: story.waitingSince,
      type: 'item_waiting',
      summary,
      traceId: traceIdOf(story.waitingTrace),
    });
  }
  if (story.deliveredAt !== null) {
    const summary = `Item ${story.itemId} was given ${codes(story.codeCount)}.`;
    entries.push({
      ...about,
      at: story.deliveredAt,
      type: 'licences_issued',
      summary,
      traceId: traceIdOf(story.deliveredTrace),
    });
  }
  return entries;
}

function awaitedOf(story: DeliveryStory): Awaited {
  return {
    source,
    type: 'licence_codes',
    summary: `Licence codes for product ${story.productId}: item ${story.itemId} needs ${story.codeCount}.`,
    until: undefined,
  };
}

function codes(count: number): string {
  return count === 1 ? '1 licence code' : `${count} licence codes`;
}
