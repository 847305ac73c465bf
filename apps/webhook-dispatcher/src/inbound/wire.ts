/** Rows → what the API says. */
import { publicId } from '@tillstream/database/public-id';
import type { Delivery, Endpoint, WebhookEvent } from '@tillstream/proto/webhook/v1/webhook_api';
import type { DeliveryView, EndpointRow, EventView } from '../ports.ts';

export function toEndpoint(row: EndpointRow): Endpoint {
  return {
    id: publicId('we', row.id),
    merchantId: row.merchant_id,
    livemode: row.livemode,
    url: row.url,
    events: [...row.events],
    description: row.description,
    status: row.status,
    disabledReason: row.disabled_reason,
    signSeed: row.sign_seed,
    signStandard: row.sign_standard,
    createdAt: row.created_at,
    succeededCount: Number(row.succeeded),
    failedCount: Number(row.failed),
    waitingCount: Number(row.waiting),
    payloadProfile: row.payload_profile,
    metadata: { ...row.metadata },
  };
}

export function toEvent(view: EventView): WebhookEvent {
  return {
    id: publicId('evt', view.id),
    type: view.type,
    orderId: view.orderId ?? 0n,
    occurredAt: view.occurredAt,
    body: view.body,
    livemode: view.livemode,
    subjectKind: view.subjectKind,
    subjectId: view.subjectId,
    payloadProfile: view.profile,
  };
}

export function toDelivery(view: DeliveryView): Delivery {
  return {
    id: publicId('whd', view.id),
    eventId: publicId('evt', view.event_id),
    eventType: view.event_type,
    endpointId: publicId('we', view.endpoint_id),
    orderId: view.order_id ?? 0n,
    subjectKind: view.subject_kind,
    subjectId: view.subject_id,
    status: view.status,
    createdAt: view.created_at,
    nextAttemptAt: view.status === 'waiting' ? (view.due_at ?? undefined) : undefined,
    deliveredAt: view.status === 'delivered' ? (view.done_at ?? undefined) : undefined,
    attempts: view.attempts.map((attempt) => ({
      number: attempt.number,
      at: attempt.at,
      trigger: attempt.trigger,
      httpStatus: attempt.http_status,
      error: attempt.error,
      durationMs: attempt.duration_ms,
      responseStart: attempt.response_start,
    })),
    livemode: view.livemode,
  };
}
