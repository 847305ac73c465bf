/** Types that the rooms of this service share. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import type { EventProfile, SubjectKind } from '@tillstream/public-api/webhook-events';
import type { OrderDocument } from './domain/payload/document.ts';

export interface Secrets {
  readonly seed: string;
  readonly standard: string;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

/** What an event is about: `id` is the public id, or for an order its number. */
export interface Subject {
  readonly subjectKind: string;
  readonly subjectId: string;
}

/** The deliveries of one subject's events to one endpoint: sent one after the other, in the order of the events. */
export interface Chain extends Subject {
  readonly endpointId: string;
}

/** A chain that has something new; its shard says which process schedules it. */
export interface NewChain extends Chain {
  readonly shard: number;
}

export interface NewEvent extends Subject {
  readonly subjectKind: SubjectKind;
  readonly messageId: string;
  readonly sourceEventId: string;
  readonly merchantId: string;
  readonly livemode: boolean;
  /** The item of the order that the document is about; 0 = not about one item. */
  readonly itemId: bigint;
  readonly type: string;
  readonly profile: EventProfile;
  /** The order that the subject belongs to, if any. */
  readonly orderId: bigint | undefined;
  /** Grows along the subject's events. */
  readonly position: bigint;
  readonly occurredAt: Date;
  readonly body: string;
  readonly traceparent: string;
}

export interface EndpointRow {
  readonly id: string;
  readonly merchant_id: string;
  readonly livemode: boolean;
  readonly url: string;
  readonly events: readonly string[];
  readonly description: string;
  readonly status: string;
  readonly disabled_reason: string;
  readonly payload_profile: EventProfile;
  readonly sign_seed: boolean;
  readonly sign_standard: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created_at: Date;
  readonly succeeded: bigint;
  readonly failed: bigint;
  readonly waiting: bigint;
}

export interface NewEndpoint {
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly url: string;
  readonly events: readonly string[];
  readonly description: string;
  readonly profile: EventProfile;
  readonly signSeed: boolean;
  readonly signStandard: boolean;
  /** Empty = one is made. */
  readonly seedSecret: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly requestId: string | undefined;
}

export interface EndpointChange {
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly signSeed?: boolean | undefined;
  readonly signStandard?: boolean | undefined;
  readonly status?: 'active' | 'paused' | undefined;
}

export interface EventView {
  readonly id: string;
  readonly type: string;
  readonly profile: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly orderId: bigint | undefined;
  readonly occurredAt: Date;
  readonly body: string;
  readonly livemode: boolean;
}

export interface AttemptRow {
  readonly delivery_id: string;
  readonly number: number;
  readonly at: Date;
  readonly trigger: string;
  readonly http_status: number;
  readonly error: string;
  readonly duration_ms: number;
  readonly response_start: string;
  readonly trace_id: string;
}

export interface DeliveryView {
  readonly id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly endpoint_id: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly order_id: bigint | null;
  readonly livemode: boolean;
  /** waiting, held (its endpoint is off), delivered, exhausted, cancelled */
  readonly status: string;
  readonly created_at: Date;
  readonly due_at: Date | null;
  readonly done_at: Date | null;
  readonly attempts: readonly AttemptRow[];
  readonly traceparent: string;
  readonly occurred_at: Date;
}

export interface DeliveryFilter {
  readonly endpointId?: string | undefined;
  readonly eventId?: string | undefined;
  readonly status?: string | undefined;
  readonly orderId?: bigint | undefined;
}

/** An order as it was at an event. */
export interface OrderKey {
  readonly merchantId: string;
  readonly orderId: bigint;
  readonly version: bigint;
}

export interface OrderAt {
  readonly order: Order;
  readonly document: OrderDocument;
}

export interface PaymentKey {
  readonly merchantId: string;
  readonly paymentId: string;
}

/** Answers the merchants that want the events in the profile `standard` too; nothing is stored then. */
export type StoreEvents = (events: readonly NewEvent[]) => Promise<readonly string[]>;
