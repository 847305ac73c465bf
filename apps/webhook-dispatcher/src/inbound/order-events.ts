/** Order events → webhook events: one per product of the order, or the one product that the event names. */
import type { IncomingMessage, Subscription } from '@tillstream/messaging/message';
import { orderEvents } from '@tillstream/messaging/topics';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { buildBody, showsCodes } from '../domain/payload/body.ts';
import type { EventType, OrderDocument, ProductPart } from '../domain/payload/document.ts';

interface Heard {
  readonly message: IncomingMessage;
  readonly type: EventType;
  readonly sourceEventId: string;
  readonly merchantId: string;
  readonly orderId: bigint;
  readonly version: bigint;
  readonly occurredAt: Date;
  /** The item that the event is about; 0n = every item. */
  readonly itemId: bigint;
}

export interface WebhookEvent {
  readonly messageId: string;
  readonly sourceEventId: string;
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly itemId: bigint;
  readonly type: EventType;
  readonly orderId: bigint;
  readonly position: bigint;
  readonly occurredAt: Date;
  readonly body: string;
  readonly traceparent: string;
}

interface Key {
  readonly merchantId: string;
  readonly orderId: bigint;
  readonly version: bigint;
}

export interface FanOut {
  fetchDocuments(
    keys: readonly Key[],
  ): Promise<(key: Key) => { readonly livemode: boolean; readonly document: OrderDocument } | undefined>;
  /** The codes by item. */
  fetchCodes(orders: readonly Key[]): Promise<ReadonlyMap<bigint, readonly string[]>>;
  store(events: readonly WebhookEvent[]): Promise<void>;
}

// An order has at most a hundred products: its events stay in order, and so do the products of one event.
const partsPerEvent = 1_000n;

export function hearOrderEvents(group: string, fanOut: FanOut): Subscription {
  return {
    group,
    topics: [orderEvents.name],
    handle: async (batch) => {
      const heard = batch.flatMap(decode);
      if (heard.length === 0) return;
      const withCodes = heard.filter((each) => showsCodes(each.type, { isDelivered: true }));
      const [documentOf, codes] = await Promise.all([
        fanOut.fetchDocuments(heard),
        withCodes.length === 0 ? new Map<bigint, readonly string[]>() : fanOut.fetchCodes(withCodes),
      ]);
      await fanOut.store(heard.flatMap((each) => toEvents(each, documentOf(each), codes)));
    },
  };
}

function decode(message: IncomingMessage): Heard[] {
  const event = OrderEvent.decode(message.value);
  const { header, payload } = event;
  const about = read(payload);
  if (header === undefined || about === undefined) return [];
  return [
    {
      message,
      ...about,
      sourceEventId: header.eventId,
      merchantId: header.merchantId,
      orderId: event.orderId,
      version: header.aggregateVersion,
      occurredAt: header.occurredAt ?? new Date(message.headers.ce_time),
    },
  ];
}

/**
 * Undefined for what merchants do not hear of (a reminder, a child's note of its subscription), and for what a newer sender
 * said that is not known here yet.
 */
function read(payload: OrderEvent['payload']): Pick<Heard, 'type' | 'itemId'> | undefined {
  switch (payload?.$case) {
    case 'orderCreated':
      return { type: 'order.created', itemId: 0n };
    case 'orderPaymentFailed':
      return { type: 'order.payment.failed', itemId: 0n };
    case 'orderPaid':
      return { type: 'order.payment.succeeded', itemId: 0n };
    case 'orderItemDelivered':
      return { type: 'product.delivered', itemId: payload.value.itemId };
    case 'orderSubscriptionCancelled':
      return { type: 'subscription.cancelled', itemId: payload.value.itemId };
    case 'orderSubscriptionRestored':
      return { type: 'subscription.restored', itemId: payload.value.itemId };
    default:
      return undefined;
  }
}

function toEvents(
  heard: Heard,
  found: { readonly livemode: boolean; readonly document: OrderDocument } | undefined,
  codes: ReadonlyMap<bigint, readonly string[]>,
): WebhookEvent[] {
  // The order service said it, so it must know it: tried again, then parked with its order.
  if (found === undefined) throw new Error(`order ${heard.orderId} has no document at version ${heard.version}`);
  const { document, livemode } = found;
  const items = document.items
    .map((item, at) => ({ item, part: at + 1 }))
    .filter(({ item }) => heard.itemId === 0n || item.itemId === heard.itemId);
  return items.map(({ item, part }) => ({
    messageId: heard.message.headers.ce_id,
    sourceEventId: heard.sourceEventId,
    merchantId: heard.merchantId,
    livemode,
    itemId: item.itemId,
    type: heard.type,
    orderId: heard.orderId,
    position: heard.version * partsPerEvent + BigInt(part),
    occurredAt: heard.occurredAt,
    body: bodyOf(heard, document, item, part, codes),
    traceparent: heard.message.headers.traceparent,
  }));
}

function bodyOf(
  heard: Heard,
  document: OrderDocument,
  item: ProductPart,
  part: number,
  codes: ReadonlyMap<bigint, readonly string[]>,
): string {
  return buildBody(document, {
    type: heard.type,
    at: heard.occurredAt,
    item,
    part,
    partCount: document.items.length,
    ...(showsCodes(heard.type, item) ? { codes: codes.get(item.itemId) ?? [] } : {}),
  });
}
