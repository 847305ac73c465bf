/** Rows → what the API says. */
import { publicId } from '@tillstream/database/public-id';
import type { Delivery, Endpoint, WebhookEvent } from '@tillstream/proto/webhook/v1/webhook_api';

export interface EndpointFields {
  readonly id: string;
  readonly merchant_id: string;
  readonly livemode: boolean;
  readonly url: string;
  readonly events: readonly string[];
  readonly description: string;
  readonly status: string;
  readonly disabled_reason: string;
  readonly sign_seed: boolean;
  readonly sign_standard: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created_at: Date;
  readonly succeeded: bigint;
  readonly failed: bigint;
  readonly waiting: bigint;
}

export function toEndpoint(row: EndpointFields): Endpoint {
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
    payloadProfile: 'seed',
    metadata: { ...row.metadata },
  };
}

export interface EventFields {
  readonly id: string;
  readonly type: string;
  readonly orderId: bigint;
  readonly occurredAt: Date;
  readonly body: string;
  readonly livemode: boolean;
}

export function toEvent(view: EventFields): WebhookEvent {
  return { ...view, id: publicId('evt', view.id) };
}

export interface DeliveryFields {
  readonly id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly endpoint_id: string;
  readonly order_id: bigint;
  readonly livemode: boolean;
  readonly status: string;
  readonly created_at: Date;
  readonly due_at: Date | null;
  readonly done_at: Date | null;
  readonly traceparent: string;
  readonly occurred_at: Date;
  readonly attempts: readonly {
    readonly number: number;
    readonly at: Date;
    readonly trigger: string;
    readonly http_status: number;
    readonly error: string;
    readonly duration_ms: number;
    readonly response_start: string;
    readonly trace_id: string;
  }[];
}

export function toDelivery(view: DeliveryFields): Delivery {
  return {
    id: publicId('whd', view.id),
    eventId: publicId('evt', view.event_id),
    eventType: view.event_type,
    endpointId: publicId('we', view.endpoint_id),
    orderId: view.order_id,
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
