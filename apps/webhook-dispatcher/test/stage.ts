/** The dispatcher on a real Postgres and the embedded carrier, with the order and fulfillment services played by fixtures. */
import { card } from '@tillstream/instrument/instrument';
import { instrumentFields } from '@tillstream/instrument/wire';
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import type { Carrier } from '@tillstream/messaging/message';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import { carrierHome } from '@tillstream/messaging/migrations';
import { toMessage } from '@tillstream/messaging/outgoing';
import { orderEvents } from '@tillstream/messaging/topics';
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { OrderApiService, type ItemSubscription, type Order } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { WebhookApiService, type CreateEndpointRequest } from '@tillstream/proto/webhook/v1/webhook_api';
import type { Client } from '@tillstream/rpc/client';
import { Refused } from '@tillstream/rpc/refusals';
import { implement } from '@tillstream/rpc/server';
import { startApp, standIn, type StartedApp } from '@tillstream/testkit/app';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { home, webhookApp } from '../src/app.ts';
import type { Config } from '../src/config.ts';
import type { Resolve } from '../src/outbound/http/address-guard.ts';

export const merchantId = '0198c0de-0000-7000-8000-000000000001';
export const otherMerchantId = '0198c0de-0000-7000-8000-000000000002';

export const config: Config = {
  VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  ALLOW_LOOPBACK_WEBHOOKS: true,
  RETRY_DELAYS_MS: [50, 100, 100, 200, 200, 300],
  ATTEMPT_TIMEOUT_MS: 700,
  DISPATCH_SLOTS: 64,
  SHARD_LEASE_MS: 9_000,
  SEND_TRACEPARENT: false,
};

export interface Node {
  readonly webhooks: Client<typeof WebhookApiService>;
  readonly timeline: Client<typeof TimelineApiService>;
  readonly clock: Client<typeof ClockApiService>;
  readonly log: RecordedLog;
  stop(): Promise<void>;
}

export type Happening =
  | 'created'
  | 'failed'
  | 'paid'
  | 'noted'
  | 'reminded'
  | { readonly delivered: number }
  | { readonly cancelled: number }
  | { readonly restored: number };

/** What an order begins, or renews, with its first item. */
export type Renewing = 'parent' | 'child';

export interface Stage {
  readonly database: TestDatabase;
  readonly carrier: Carrier;
  /** How often the order service was asked. */
  readonly asked: { documents: number };
  start(
    more?: Partial<Config>,
    around?: { resolve?: Resolve; wrap?: (database: Database<object>) => Database<object> },
  ): Promise<Node>;
  /** Says what happened to an order; answers the event ids. */
  say(
    orderId: bigint,
    happenings: readonly Happening[],
    more?: {
      merchantId?: string;
      itemCount?: number;
      traceparent?: string;
      eventIds?: readonly string[];
      renewing?: Renewing;
      at?: Date;
    },
  ): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function makeStage(): Promise<Stage> {
  const database = await testDatabase(home, carrierHome);
  const carrierUrl = new URL(database.url);
  carrierUrl.username = carrierHome.role;
  const carrier = embeddedCarrier({ url: carrierUrl.href, log: quietLog() });
  const itemCounts = new Map<bigint, number>();
  const versions = new Map<bigint, { renewing: Renewing | undefined; happenings: Happening[] }>();
  const asked = { documents: 0 };

  const stranger = () => Promise.reject(new Refused('internal'));
  const others = await standIn(
    implement(OrderApiService, {
      addToCart: stranger,
      getCart: stranger,
      changeCart: stranger,
      placeOrder: stranger,
      beginPayment: stranger,
      openOrder: stranger,
      getOrder: stranger,
      listOrders: stranger,
      deleteOrder: stranger,
      resendLicences: stranger,
      changeSubscription: stranger,
      getOrderDocuments: ({ keys }) => {
        asked.documents += 1;
        return Promise.resolve({
          documents: keys.flatMap((key) => {
            const known = versions.get(key.orderId);
            if (known === undefined) return [];
            const story = known.happenings.slice(0, Number(key.version));
            return [
              {
                key,
                order: orderAt(key.merchantId, key.orderId, story, itemCounts.get(key.orderId) ?? 1, known.renewing),
                shopName: 'Demo',
                supportEmail: '',
                occurredAt: new Date(),
              },
            ];
          }),
        });
      },
    }),
    implement(FulfillmentApiService, {
      addLicenceCodes: stranger,
      getPoolSummaries: stranger,
      getLicences: ({ orders }) =>
        Promise.resolve({
          licences: orders.flatMap(({ orderId }) =>
            [2, 1].map((unitNo) => ({
              id: '',
              orderId,
              itemId: orderId * 10n + 1n,
              unitNo,
              code: `CODE-${orderId}-${unitNo}`,
              issuedAt: new Date(),
              firstItemId: 0n,
              previousItemId: 0n,
            })),
          ),
        }),
    }),
  );
  const nodes: { stop(): Promise<void> }[] = [];

  return {
    database,
    carrier,
    asked,
    async start(more = {}, { resolve, wrap = (opened: Database<object>) => opened } = {}) {
      const log = quietLog();
      const own = wrap(database.open<object>());
      const clocks = new MerchantClocks(own);
      const app = webhookApp({
        database: own,
        clients: { order: others.client(OrderApiService), fulfillment: others.client(FulfillmentApiService) },
        clock: clocks,
        log,
        config: { ...config, ...more },
        ...(resolve === undefined ? {} : { resolve }),
      });
      const started: StartedApp = await startApp(app, { carrier, clock: clocks, log });
      let stopping: Promise<void> | undefined;
      const node = {
        webhooks: started.client(WebhookApiService),
        timeline: started.client(TimelineApiService),
        clock: started.client(ClockApiService),
        log,
        stop: () => (stopping ??= started.stop()),
      };
      nodes.push(node);
      return node;
    },
    async say(orderId, happenings, more = {}) {
      const merchant = more.merchantId ?? merchantId;
      itemCounts.set(orderId, more.itemCount ?? itemCounts.get(orderId) ?? 1);
      const story = versions.get(orderId) ?? { renewing: more.renewing, happenings: [] };
      versions.set(orderId, story);
      const ids: string[] = [];
      const messages = happenings.map((happening, at) => {
        story.happenings.push(happening);
        const eventId = more.eventIds?.[at] ?? randomUUIDv7();
        ids.push(eventId);
        const now = more.at ?? new Date(Date.UTC(2026, 10, 21, 12, 0, story.happenings.length));
        const header = {
          eventId,
          merchantId: merchant,
          aggregateVersion: BigInt(story.happenings.length),
          occurredAt: now,
          schemaVersion: 1,
          traceparent: more.traceparent ?? '',
        };
        const value = OrderEvent.encode({
          header,
          orderId,
          payload: payloadOf(happening, orderId, itemCounts.get(orderId) ?? 1),
        }).finish();
        return toMessage(
          orderEvents,
          'order',
          String(orderId),
          { eventId, now, traceparent: more.traceparent ?? '', merchantId: merchant },
          value,
        );
      });
      await carrier.declare([orderEvents]);
      await carrier.publish(messages);
      return ids;
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await others.stop();
      await carrier.close();
      await database.drop();
    },
  };
}

export function endpointAt(url: string, more: Partial<CreateEndpointRequest> = {}): CreateEndpointRequest {
  return {
    merchantId,
    livemode: false,
    url,
    events: [],
    description: '',
    signSeed: true,
    signStandard: true,
    seedSecret: '',
    metadata: {},
    requestId: '',
    ...more,
  };
}

function payloadOf(happening: Happening, orderId: bigint, partCount: number): OrderEvent['payload'] {
  const renewal = undefined;
  const about = (part: number) => ({
    subscriptionId: `${orderId}_${orderId * 10n + 1n}`,
    itemId: orderId * 10n + BigInt(part),
  });
  if (happening === 'created') return { $case: 'orderCreated', value: { itemCount: partCount, renewal } };
  if (happening === 'failed')
    return { $case: 'orderPaymentFailed', value: { paymentId: '', reason: 'card_declined', renewal } };
  if (happening === 'paid')
    return {
      $case: 'orderPaid',
      value: { paymentId: '', amountMinor: 10_000n, currency: 'EUR', renewal, startsSubscriptions: false },
    };
  if (happening === 'noted') return { $case: 'orderSubscriptionNoted', value: about(1) };
  if (happening === 'reminded') return { $case: 'orderReminderDue', value: { number: 1 } };
  if ('cancelled' in happening) return { $case: 'orderSubscriptionCancelled', value: about(happening.cancelled) };
  if ('restored' in happening) return { $case: 'orderSubscriptionRestored', value: about(happening.restored) };
  return {
    $case: 'orderItemDelivered',
    value: { itemId: orderId * 10n + BigInt(happening.delivered), part: happening.delivered, partCount },
  };
}

/** The order as it was after these happenings. */
function orderAt(
  merchant: string,
  orderId: bigint,
  story: readonly Happening[],
  itemCount: number,
  renewing: Renewing | undefined,
): Order {
  const isPaid = story.includes('paid');
  // A child shows the saved card from its creation on.
  const isCardKnown = isPaid || renewing === 'child';
  const isDelivered = (part: number) =>
    story.some((each) => typeof each === 'object' && 'delivered' in each && each.delivered === part);
  const last = story.at(-1);
  const payment = {
    paymentId: '',
    status: isPaid ? 'booked' : 'failed',
    method: 'CreditCard',
    systemName: 'Bank Card',
    ...instrumentFields(isCardKnown ? card({ brand: 'Visa', last4: '4242', expiration: '12/2030' }) : undefined),
    errorCode: last === 'failed' ? 'AS102' : '',
    errorDescription: last === 'failed' ? 'AUTHORIZATION DECLINED.' : '',
    reason: '',
    moneyMoved: 'no',
    instrumentId: '',
    expiryMinutes: 0,
  };
  return {
    orderId,
    orderName: `A${String(orderId).padStart(10, '0')}`,
    merchantId: merchant,
    livemode: false,
    status: isPaid ? 'paid' : 'not paid',
    fulfilmentStatus: 'not delivered',
    externalId: '',
    createdAt: new Date('2026-11-21T12:00:01Z'),
    paidAt: isPaid ? new Date('2026-11-21T12:00:02Z') : undefined,
    currency: 'EUR',
    locale: 'en',
    token: 'secret-token',
    detailUrl: `https://shop.example/order/status/${orderId}/secret-token`,
    customer: {
      country: 'FR',
      type: 'physical',
      email: 'marcel@example.com',
      firstName: 'Marcel',
      lastName: 'Laporte',
      phone: '',
      vatNumber: '',
      companyName: '',
      companyBillingAddress: '',
      companyDeliveryAddress: '',
    },
    items: Array.from({ length: itemCount }, (_, at) => ({
      id: orderId * 10n + BigInt(at + 1),
      productId: String(100_001 + at),
      name: 'Demo',
      familyName: '',
      vendorCode: '1',
      sku: '1',
      businessSegment: 'b2c',
      priceMinor: 10_000n,
      quantity: 1,
      discountMinor: 0n,
      vatMinor: 0n,
      amountMinor: 10_000n,
      marginMinor: 9_000n,
      deliveryMethod: 'pool',
      oneCodePer: 'unit',
      sendMail: true,
      showOnOrderPage: true,
      deliveredAt: isDelivered(at + 1) ? new Date('2026-11-21T12:00:03Z') : undefined,
      subscriptionTerms: undefined,
      subscription: at === 0 && renewing !== undefined ? subscriptionAt(orderId, renewing, story) : undefined,
    })),
    totalMinor: 10_000n * BigInt(itemCount),
    additionalData: [],
    metadata: {},
    payment: story.length > 1 || renewing === 'child' ? payment : undefined,
    version: BigInt(story.length),
    timeZone: 'Europe/Prague',
    paymentMethod: 'CreditCard',
    paymentSystemName: 'Bank Card',
    shownMethod: undefined,
    refundDuePaymentIds: [],
    autoRenew: renewing !== undefined,
    renewsSubscriptionId: '',
    isPaidByHand: false,
    paymentMethods: [],
  };
}

/** As the order service shows it: on a parent from its payment on, on a child always. The child's parent is one less. */
function subscriptionAt(
  orderId: bigint,
  renewing: Renewing,
  story: readonly Happening[],
): ItemSubscription | undefined {
  const isPaid = story.includes('paid');
  if (renewing === 'parent' && !isPaid) return undefined;
  const parent = renewing === 'parent' ? orderId : orderId - 1n;
  const change = story.findLast((each) => typeof each === 'object' && ('cancelled' in each || 'restored' in each));
  const isCancelled = typeof change === 'object' && 'cancelled' in change;
  const isExtended = renewing === 'child' && isPaid;
  return {
    id: `${parent}_${parent * 10n + 1n}`,
    parentOrderId: parent,
    parentItemId: parent * 10n + 1n,
    previousOrderId: renewing === 'child' ? parent : 0n,
    previousItemId: renewing === 'child' ? parent * 10n + 1n : 0n,
    type: 'AR',
    isConversionFromTrial: false,
    status: isCancelled ? 'cancelled' : isPaid ? 'active' : 'not paid',
    period: 'P1Y',
    expiresAt: new Date(isExtended ? '2028-11-21T22:59:00Z' : '2027-11-21T22:59:00Z'),
    nextChargeAt: new Date(isExtended ? '2028-11-01T22:59:00Z' : '2027-11-01T22:59:00Z'),
    detailUrl: `https://shop.example/order/status/${parent}/secret-token#autorenewal`,
    anchorOn: '2026-11-21',
    periods: 1,
    term: renewing === 'child' ? 2 : 1,
    instrumentId: '',
  };
}
