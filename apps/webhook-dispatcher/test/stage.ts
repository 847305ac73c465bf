/** The dispatcher on a real Postgres and the embedded carrier; the order, fulfillment and payment services are fixtures. */
import { messageOf } from '@tillstream/testkit/wire';
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { publicId, readPublicId } from '@tillstream/database/public-id';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import type { Carrier } from '@tillstream/messaging/message';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import { carrierHome } from '@tillstream/messaging/migrations';
import { toMessage } from '@tillstream/messaging/outgoing';
import { orderEvents, paymentEvents } from '@tillstream/messaging/topics';
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { Payment, PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
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
import { orderAt, payloadOf, type Happening, type Renewing } from './orders.ts';

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

export interface Stage {
  readonly database: TestDatabase;
  readonly carrier: Carrier;
  /** How often the order service was asked. */
  readonly asked: { documents: number; licences: number; payments: number };
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
  /** Publishes events of a payment, one after the other; answers its public id. A new payment unless one is named. */
  sayOfPayment(
    orderId: bigint,
    happenings: readonly ('created' | 'booked' | 'failed' | 'refunded')[],
    more?: { merchantId?: string; paymentId?: string },
  ): Promise<string>;
  stop(): Promise<void>;
}

export async function makeStage(): Promise<Stage> {
  const database = await testDatabase(home, carrierHome);
  const carrierUrl = new URL(database.url);
  carrierUrl.username = carrierHome.role;
  const carrier = embeddedCarrier({ url: carrierUrl.href, log: quietLog() });
  const itemCounts = new Map<bigint, number>();
  const versions = new Map<bigint, { renewing: Renewing | undefined; happenings: Happening[] }>();
  const asked = { documents: 0, licences: 0, payments: 0 };
  const payments = new Map<string, { payment: Payment; version: bigint }>();

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
      getLicences: ({ orders }) => {
        asked.licences += 1;
        return Promise.resolve({
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
        });
      },
    }),
    implement(PaymentApiService, {
      createPayment: stranger,
      refreshPayment: stranger,
      withdrawPayment: stranger,
      receiveCallback: stranger,
      listMethods: stranger,
      getPayments: ({ keys }) => {
        asked.payments += 1;
        const found = keys.flatMap(({ merchantId: merchant, paymentId }) => {
          const known = payments.get(paymentId)?.payment;
          return known?.merchantId === merchant ? [known] : [];
        });
        return Promise.resolve({ payments: found });
      },
      listPayments: ({ merchantId: merchant, orderId }) => {
        asked.payments += 1;
        const all = [...payments.values()].map((each) => each.payment);
        return Promise.resolve({
          payments: all.filter((each) => each.merchantId === merchant && each.orderId === orderId).toReversed(),
          hasMore: false,
        });
      },
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
        clients: {
          order: others.client(OrderApiService),
          fulfillment: others.client(FulfillmentApiService),
          payment: others.client(PaymentApiService),
        },
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
    async sayOfPayment(orderId, happenings, more = {}) {
      const merchant = more.merchantId ?? merchantId;
      const id = more.paymentId ?? publicId('pay', randomUUIDv7());
      const row = readPublicId('pay', id) ?? '';
      const known = payments.get(id) ?? {
        version: 0n,
        payment: messageOf(Payment, {
          id,
          merchantId: merchant,
          orderId,
          status: 'created',
          amountMinor: 10_000n,
          currency: 'EUR',
          method: 'CreditCard',
          systemName: 'Bank Card',
          moneyMoved: 'no',
          createdAt: new Date(0),
        }),
      };
      const messages = happenings.map((happening) => {
        known.version += 1n;
        known.payment = { ...known.payment, status: happening, version: known.version };
        payments.set(id, known);
        const eventId = randomUUIDv7();
        const now = new Date(Date.UTC(2026, 10, 21, 12, 0, Number(known.version)));
        const [envelope, of] = [{ eventId, traceparent: '', merchantId: merchant }, String(orderId)];
        const header = { ...envelope, aggregateVersion: known.version, occurredAt: now, schemaVersion: 1 };
        // One that this dispatcher does not know is one without a payload to it.
        const payload = paymentPayloads[happening];
        const value = PaymentEvent.encode({ header, paymentId: row, orderId, payload }).finish();
        return toMessage(paymentEvents, 'payment', of, { ...envelope, now }, value);
      });
      await carrier.declare([paymentEvents]);
      await carrier.publish(messages);
      return id;
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
    payloadProfile: '',
    ...more,
  };
}

const paymentPayloads: Readonly<Record<string, PaymentEvent['payload']>> = {
  created: { $case: 'paymentCreated', value: { amountMinor: 10_000n, currency: 'EUR', method: 'CreditCard' } },
  booked: { $case: 'paymentBooked', value: { amountMinor: 10_000n, currency: 'EUR' } },
  failed: { $case: 'paymentFailed', value: { reason: 'card_declined' } },
};
