/**
 * Order events → webhook events. In the profile `seed` one for each product of the order, or for the one product that the
 * event names; in the profile `standard` one with the whole order, for merchants with an endpoint that wants it.
 */
import type { IncomingMessage } from '@tillstream/messaging/message';
import type { Licence } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { showWholeOrder } from '@tillstream/public-api/order';
import { standardBody, typeCausedBy, type EventType } from '@tillstream/public-api/webhook-events';
import { buildBody, showsCodes } from '../domain/payload/body.ts';
import { seedEventTypes, type SeedEventType } from '../domain/payload/document.ts';
import type { NewEvent, OrderAt, OrderKey, StoreEvents } from '../ports.ts';

interface OrderHappening extends OrderKey {
  readonly message: IncomingMessage;
  readonly type: EventType;
  readonly sourceEventId: string;
  readonly occurredAt: Date;
  /** The item that the event is about; 0n = every item. */
  readonly itemId: bigint;
}

export interface OrderReads {
  fetchOrders(keys: readonly OrderKey[]): Promise<(key: OrderKey) => OrderAt | undefined>;
  /** In the order of the units of each item. */
  fetchLicences(orders: readonly OrderKey[]): Promise<readonly Licence[]>;
  /** Newest first, by order. */
  fetchPayments(orders: readonly OrderKey[]): Promise<ReadonlyMap<bigint, readonly Payment[]>>;
  readonly store: StoreEvents;
}

// An order has at most a hundred products: its events stay in order, and so do the products of one event.
const partsPerEvent = 1_000n;
// Merchants known to use the profile `standard`, or to have used it since the start. Forgetting one costs a second attempt at
// storing its next events; remembering one too long, a question for its payments that nothing comes of.
const maxRemembered = 10_000;

export function handleOrderEvents(reads: OrderReads): (batch: readonly IncomingMessage[]) => Promise<void> {
  const usesStandard = new Set<string>();
  return async (batch) => {
    const happenings = batch.flatMap(decode);
    if (happenings.length === 0) return;
    const orderAt = await reads.fetchOrders(happenings);
    const events = happenings.map((each) => ({ happening: each, at: foundAt(each, orderAt) }));
    const inSeed = await seedEvents(reads, events);
    // The merchants that use the profile are learned from what storing answers, so that nothing is asked for the others.
    // Each round names merchants that were not named before; two rounds unless an endpoint is made in between.
    for (let isStored = false; !isStored;) {
      const inStandard = await standardEvents(
        reads,
        events.filter(({ happening }) => usesStandard.has(happening.merchantId)),
      );
      const missing = await reads.store(
        events.flatMap(({ happening }) => [...(inSeed.get(happening) ?? []), ...(inStandard.get(happening) ?? [])]),
      );
      isStored = missing.length === 0;
      if (usesStandard.size > maxRemembered) usesStandard.clear();
      for (const merchantId of missing) usesStandard.add(merchantId);
    }
  };
}

interface Found {
  readonly happening: OrderHappening;
  readonly at: OrderAt;
}

function decode(message: IncomingMessage): OrderHappening[] {
  const { header, orderId, payload } = OrderEvent.decode(message.value);
  // A reminder, a note on a child order, or what a newer sender says: merchants are told nothing.
  const type = typeCausedBy('order', payload?.$case);
  if (header === undefined || payload === undefined || type === undefined) return [];
  return [
    {
      message,
      type,
      itemId: 'itemId' in payload.value ? payload.value.itemId : 0n,
      sourceEventId: header.eventId,
      merchantId: header.merchantId,
      orderId,
      version: header.aggregateVersion,
      occurredAt: header.occurredAt ?? new Date(message.headers.ce_time),
    },
  ];
}

function foundAt(happening: OrderHappening, orderAt: (key: OrderKey) => OrderAt | undefined): OrderAt {
  const found = orderAt(happening);
  // The order service said it, so it must know it: tried again, then parked with its order.
  if (found === undefined)
    throw new Error(`order ${happening.orderId} has no document at version ${happening.version}`);
  return found;
}

type Events = ReadonlyMap<OrderHappening, readonly NewEvent[]>;

async function seedEvents(reads: OrderReads, events: readonly Found[]): Promise<Events> {
  const inSeed = events.flatMap(({ happening, at }) => {
    const type = seedEventTypes.find((each) => each === happening.type);
    return type === undefined ? [] : [{ happening, at, type }];
  });
  const withCodes = inSeed.filter(({ type }) => showsCodes(type, { isDelivered: true }));
  const licences = withCodes.length === 0 ? [] : await reads.fetchLicences(withCodes.map((each) => each.happening));
  const codes = Map.groupBy(licences, (licence) => licence.itemId);
  return new Map(
    inSeed.map(({ happening, at, type }) => [
      happening,
      at.document.items
        .map((item, index) => ({ item, part: index + 1 }))
        .filter(({ item }) => happening.itemId === 0n || item.itemId === happening.itemId)
        .map(({ item, part }) => ({
          ...envelope(happening, at),
          itemId: item.itemId,
          profile: 'seed' as const,
          position: happening.version * partsPerEvent + BigInt(part),
          body: seedBody(
            { happening, at },
            type,
            part,
            (codes.get(item.itemId) ?? []).map(({ code }) => code),
          ),
        })),
    ]),
  );
}

function seedBody({ happening, at }: Found, type: SeedEventType, part: number, codes: readonly string[]): string {
  const { items } = at.document;
  const item = items[part - 1];
  if (item === undefined) throw new Error(`order ${happening.orderId} has no item ${part}`);
  return buildBody(at.document, {
    type,
    at: happening.occurredAt,
    item,
    part,
    partCount: items.length,
    ...(showsCodes(type, item) ? { codes } : {}),
  });
}

async function standardEvents(reads: OrderReads, events: readonly Found[]): Promise<Events> {
  if (events.length === 0) return new Map();
  // What the order did not have at that version is not asked for, and not shown.
  const delivered = events.filter(({ at }) => at.order.items.some((item) => item.deliveredAt !== undefined));
  const withPayments = events.filter(({ at }) => at.order.payment !== undefined);
  const [licences, payments] = await Promise.all([
    delivered.length === 0 ? [] : reads.fetchLicences(delivered.map((each) => each.happening)),
    withPayments.length === 0
      ? new Map<bigint, readonly Payment[]>()
      : reads.fetchPayments(withPayments.map((each) => each.happening)),
  ]);
  return new Map(
    events.map(({ happening, at: { order, document } }) => {
      const handedOut = new Set(order.items.filter((item) => item.deliveredAt !== undefined).map((item) => item.id));
      const data = showWholeOrder(
        order,
        licences.filter((licence) => handedOut.has(licence.itemId)),
        order.payment === undefined ? [] : (payments.get(order.orderId) ?? []),
      );
      const event: NewEvent = {
        ...envelope(happening, { order, document }),
        itemId: 0n,
        profile: 'standard',
        position: happening.version * partsPerEvent,
        body: standardBody(happening.type, happening.occurredAt, data),
      };
      return [happening, [event]];
    }),
  );
}

function envelope(
  { message, type, sourceEventId, merchantId, orderId, occurredAt }: OrderHappening,
  { order }: OrderAt,
): Omit<NewEvent, 'itemId' | 'profile' | 'position' | 'body'> {
  return {
    messageId: message.headers.ce_id,
    sourceEventId,
    merchantId,
    livemode: order.livemode,
    type,
    subjectKind: 'order',
    subjectId: String(orderId),
    orderId,
    occurredAt,
    traceparent: message.headers.traceparent,
  };
}
