/**
 * The catalogue of webhook event types. Each row says which event of a service causes it, what it is about, and how it is
 * explained. The webhook-dispatcher makes events from it and the OpenAPI document its section `webhooks`.
 *
 * To add a type about a kind of subject that is known: let its machine say the event, add a row here, and where the row has
 * a seed document, teach its builder the type.
 */
import type { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import type { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import type { z } from 'zod';
import { wholeOrder, type OrderObject } from './order.ts';
import { paymentShape, type PaymentObject } from './payment.ts';
import type { SeedDocument } from './seed-document.ts';
import { orderExample, paymentExample, seedExample, seedSubscription } from './webhook-examples.ts';

/**
 * How a body is written. `seed`: one document for each product of an order. `standard`: one body for each event, with the
 * object as the API answers it.
 */
export type EventProfile = 'seed' | 'standard';

/** What events are about. The events of one subject reach an endpoint in their order. */
export type SubjectKind = 'order' | 'payment';

interface Row {
  readonly description: string;
  /** Absent: the type has no document in the profile `seed`, so that endpoints of that profile never get it. */
  readonly seed?: SeedDocument;
  /** When the example happens. */
  readonly timestamp: string;
}

interface OrderRow extends Row {
  readonly subject: 'order';
  /** The case of the payload in tillstream.order.events.v1. */
  readonly source: NonNullable<OrderEvent['payload']>['$case'];
  readonly data: OrderObject;
}

interface PaymentRow extends Row {
  readonly subject: 'payment';
  /** The case of the payload in tillstream.payment.events.v1. */
  readonly source: NonNullable<PaymentEvent['payload']>['$case'];
  readonly data: PaymentObject;
}

export type CatalogueRow = OrderRow | PaymentRow;

export const catalogue = {
  'order.created': {
    subject: 'order',
    source: 'orderCreated',
    description: 'An order was placed, by a customer or by the renewal of a subscription. It is not paid yet.',
    seed: seedExample({ event: 'order.created', at: '2021-08-13T09:16:35+03:00', hasAdditionalData: false }),
    timestamp: '2021-08-13T06:16:35.000Z',
    data: orderExample('created'),
  },
  'order.payment.succeeded': {
    subject: 'order',
    source: 'orderPaid',
    description: 'The order is paid.',
    seed: seedExample({ event: 'order.payment.succeeded', at: '2021-08-13T09:20:05+03:00', isPaid: true }),
    timestamp: '2021-08-13T06:20:05.000Z',
    data: orderExample('paid'),
  },
  'order.payment.failed': {
    subject: 'order',
    source: 'orderPaymentFailed',
    description: 'A payment of the order failed. The customer may try again.',
    seed: seedExample({
      event: 'order.payment.failed',
      at: '2021-08-13T09:19:05+03:00',
      error: { code: 'AS102', description: 'AUTHORIZATION DECLINED. Insufficient cash.' },
    }),
    timestamp: '2021-08-13T06:19:05.000Z',
    data: orderExample('failed'),
  },
  'product.delivered': {
    subject: 'order',
    source: 'orderItemDelivered',
    description: 'The licence codes of one product of the order were handed out.',
    seed: seedExample({
      event: 'product.delivered',
      at: '2021-08-13T09:30:05+03:00',
      isPaid: true,
      margin: '95.00',
      codes: ['XXX-XXX-YYYY'],
    }),
    timestamp: '2021-08-13T06:30:05.000Z',
    data: orderExample('delivered'),
  },
  'subscription.cancelled': {
    subject: 'order',
    source: 'orderSubscriptionCancelled',
    description: 'A subscription that the order started was cancelled. The paid time lasts to its end.',
    seed: seedExample({
      event: 'subscription.cancelled',
      at: '2022-08-14T09:16:35+03:00',
      isPaid: true,
      margin: '95.00',
      codes: ['XXX-XXX-YYYY'],
      subscription: seedSubscription('cancelled'),
    }),
    timestamp: '2022-08-14T06:16:35.000Z',
    data: orderExample('delivered', 'cancelled'),
  },
  'subscription.restored': {
    subject: 'order',
    source: 'orderSubscriptionRestored',
    description: 'A cancelled subscription that the order started renews again.',
    seed: seedExample({
      event: 'subscription.restored',
      at: '2022-08-14T09:16:35+03:00',
      isPaid: true,
      codes: ['XXX-XXX-YYYY'],
      subscription: seedSubscription('active'),
    }),
    timestamp: '2022-08-14T06:16:35.000Z',
    data: orderExample('delivered', 'active'),
  },
  'payment.booked': {
    subject: 'payment',
    source: 'paymentBooked',
    description: 'A payment ended with the money being there.',
    timestamp: '2021-08-13T06:20:05.000Z',
    data: paymentExample('booked'),
  },
  'payment.failed': {
    subject: 'payment',
    source: 'paymentFailed',
    description: 'A payment ended without money. `reason` is the public decline code.',
    timestamp: '2021-08-13T06:19:05.000Z',
    data: paymentExample('failed'),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>;

export type EventType = keyof typeof catalogue;

const rows: Readonly<Record<string, CatalogueRow>> = catalogue;

/** Every type, with its row. */
export const eventTypes: readonly (readonly [type: EventType, row: CatalogueRow])[] = Object.entries(rows).map(
  ([type, row]) => [type as EventType, row],
);

/** The types that endpoints of the profile can get. */
export function typesOf(profile: EventProfile): readonly EventType[] {
  return eventTypes.filter(([, row]) => profile === 'standard' || row.seed !== undefined).map(([type]) => type);
}

/** The type that this event of the subject's service causes; undefined = merchants are not told of it. */
export function typeCausedBy(subject: SubjectKind, source: string | undefined): EventType | undefined {
  return eventTypes.find(([, row]) => row.subject === subject && row.source === source)?.[0];
}

/** The object of the API in `data`, by the kind of subject. */
export const subjectShapes: Readonly<Record<SubjectKind, z.ZodType>> = { order: wholeOrder, payment: paymentShape };

/** The body of an event in the profile `standard`; `data` is the API's object. */
export function standardBody(type: EventType | 'ping', at: Date, data: object): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}
