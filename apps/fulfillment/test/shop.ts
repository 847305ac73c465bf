/** A shop for the tests of this service: the service on a real database and carrier, beside a stand-in for the order service. */
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { carrierHome } from '@tillstream/messaging/migrations';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Carrier, RunningSubscription } from '@tillstream/messaging/message';
import { toMessage } from '@tillstream/messaging/outgoing';
import { makePreparingPerformer } from '@tillstream/messaging/perform';
import { fulfillmentEvents, orderEvents } from '@tillstream/messaging/topics';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import {
  ItemSubscription,
  Order,
  OrderApiService,
  OrderItem,
  type OrderDocument,
} from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Client } from '@tillstream/rpc/client';
import { Refused } from '@tillstream/rpc/refusals';
import { implement } from '@tillstream/rpc/server';
import { standIn, startApp, type StartedApp } from '@tillstream/testkit/app';
import { turnableClock, type TurnableClock } from '@tillstream/testkit/clock';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { messageOf } from '@tillstream/testkit/wire';
import { fulfillmentApp, home, type FulfillmentTables } from '../src/app.ts';
import { delivery, type DeliveryRequest } from '../src/domain/delivery/delivery.ts';
import type { DeliveryItem } from '../src/domain/delivery/method.ts';
import { deliveryKeeper } from '../src/outbound/delivery-keeper.ts';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');
export const oldKey = `k1:${key(1)}`;
export const newKey = `k2:${key(2)}`;
export const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;

export type ItemAsked = Partial<Omit<DeliveryItem, 'orderId'>> & {
  readonly productId: string;
  readonly deliveryMethod?: string;
  /** It begins a subscription. */
  readonly isParent?: boolean;
};

export interface Shop {
  readonly merchantId: string;
  readonly place: TestDatabase;
  readonly database: Database<FulfillmentTables>;
  readonly carrier: Carrier;
  readonly log: RecordedLog;
  readonly clock: TurnableClock;
  readonly api: Client<typeof FulfillmentApiService>;
  readonly timeline: Client<typeof TimelineApiService>;
  /** What the service has said so far, in order. */
  readonly said: FulfillmentEvent[];
  /** An order of these items, known to the order service. Answers its id and its items'. */
  order(items: readonly ItemAsked[], merchantId?: string): { orderId: bigint; itemIds: readonly bigint[] };
  /** Says that it is paid, once more each time; a given message id makes it the same message. */
  pay(orderId: bigint, messageId?: string): Promise<void>;
  /** Any message on the orders' topic. */
  publish(event: Partial<OrderEvent> & { orderId: bigint }, messageId?: string): Promise<void>;
  /** Past the carrier: straight to the machine, as many at once as one likes. */
  perform(envelopes: readonly Envelope<DeliveryRequest>[]): Promise<unknown>;
  codes(orderId: bigint, merchantId?: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

let numbers = 1_000n;
/** Ids that no other test uses. */
export const nextNumber = (): bigint => (numbers += 1n);

export async function openShop(): Promise<Shop> {
  const place = await testDatabase(home, carrierHome);
  const database = place.open<FulfillmentTables>();
  const log = quietLog();
  const carrier = embeddedCarrier({ url: place.urlOf(carrierHome), log });
  const documents = new Map<bigint, OrderDocument>();
  const orders = await standInForOrders(documents);
  const merchantId = randomUUID();
  const clock = turnableClock();
  const app = await startApp(
    fulfillmentApp({
      database,
      clients: { order: orders.client(OrderApiService) },
      clock,
      log,
      config: { VAULT_KEYS: oldKey },
    }),
    { carrier, clock, log },
  );
  const said: FulfillmentEvent[] = [];
  const listening = await listen(carrier, said);
  const api = app.client(FulfillmentApiService);
  const publish: Shop['publish'] = async (event, messageId = randomUUIDv7()) => {
    const owner = documents.get(event.orderId)?.key?.merchantId ?? merchantId;
    const header = {
      eventId: messageId,
      merchantId: owner,
      aggregateVersion: 2n,
      occurredAt: new Date(),
      schemaVersion: 1,
      traceparent,
    };
    const value = OrderEvent.encode({ header, payload: undefined, ...event }).finish();
    await carrier.publish([
      toMessage(
        orderEvents,
        'order',
        String(event.orderId),
        { eventId: messageId, now: new Date(), traceparent, merchantId: owner },
        value,
      ),
    ]);
  };
  return {
    merchantId,
    place,
    database,
    carrier,
    log,
    clock,
    api,
    timeline: app.client(TimelineApiService),
    said,
    order(items, owner = merchantId) {
      const orderId = nextNumber();
      const rows = items.map((item) =>
        messageOf(OrderItem, {
          id: item.itemId ?? nextNumber(),
          productId: item.productId,
          quantity: item.quantity ?? 1,
          oneCodePer: item.oneCodePer ?? 'unit',
          deliveryMethod: item.deliveryMethod ?? 'pool',
          subscription: subscriptionOf(item),
        }),
      );
      const document = {
        key: { merchantId: owner, orderId, version: 2n },
        order: messageOf(Order, { orderId, merchantId: owner, items: rows }),
        shopName: '',
        supportEmail: '',
        occurredAt: undefined,
      };
      documents.set(orderId, document);
      return { orderId, itemIds: rows.map((row) => row.id) };
    },
    pay: (orderId, messageId) =>
      publish(
        {
          orderId,
          payload: {
            $case: 'orderPaid',
            value: { paymentId: '', amountMinor: 1n, currency: 'EUR', renewal: undefined, startsSubscriptions: false },
          },
        },
        messageId,
      ),
    publish,
    perform: (envelopes) =>
      makePreparingPerformer({
        database,
        machine: delivery,
        keeper: deliveryKeeper,
        name: 'delivery',
        log,
      }).performOnce(envelopes),
    codes: async (orderId, owner = merchantId) =>
      (await api.getLicences({ orders: [{ merchantId: owner, orderId }] })).licences.map((licence) => licence.code),
    stop: () => stopAll(listening, app, orders, carrier, place),
  };
}

function subscriptionOf(item: ItemAsked): ItemSubscription | undefined {
  const { isParent = false, firstItemId = 0n, previousItemId = 0n } = item;
  if (!isParent && previousItemId === 0n) return undefined;
  return messageOf(ItemSubscription, {
    parentItemId: isParent ? (item.itemId ?? 0n) : firstItemId,
    previousItemId,
    status: 'active',
  });
}

async function stopAll(
  listening: RunningSubscription,
  app: StartedApp,
  orders: StartedApp,
  carrier: Carrier,
  place: TestDatabase,
): Promise<void> {
  await listening.stop();
  await app.stop();
  await orders.stop();
  await carrier.close();
  await place.drop();
}

const absent = () => Promise.reject(new Refused('unavailable'));

function standInForOrders(documents: ReadonlyMap<bigint, OrderDocument>): Promise<StartedApp> {
  return standIn(
    implement(OrderApiService, {
      addToCart: absent,
      getCart: absent,
      changeCart: absent,
      placeOrder: absent,
      beginPayment: absent,
      openOrder: absent,
      getOrder: absent,
      listOrders: absent,
      deleteOrder: absent,
      resendLicences: absent,
      changeSubscription: absent,
      getOrderDocuments: async ({ keys }) => ({
        documents: keys.flatMap((asked) => documents.get(asked.orderId) ?? []),
      }),
    }),
  );
}

function listen(carrier: Carrier, said: FulfillmentEvent[]): Promise<RunningSubscription> {
  return carrier.subscribe({
    group: 'test',
    topics: [fulfillmentEvents.name],
    handle: async (batch) => {
      for (const message of batch) said.push(FulfillmentEvent.decode(message.value));
    },
  });
}
