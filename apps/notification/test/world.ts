/** The notification service on a real database, carrier and mail server; the services it asks are stand-ins on real ports. */
import type { Database } from '@tillstream/database/database';
import { messageOf } from '@tillstream/testkit/wire';
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import type { Carrier } from '@tillstream/messaging/message';
import { carrierHome } from '@tillstream/messaging/migrations';
import { toMessage } from '@tillstream/messaging/outgoing';
import { fulfillmentEvents, orderEvents } from '@tillstream/messaging/topics';
import { FulfillmentApiService, type Licence } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import { Merchant, MerchantApiService, Product } from '@tillstream/proto/merchant/v1/merchant_api';
import { Customer, Order, OrderApiService, OrderItem, PaymentSummary } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { Refused } from '@tillstream/rpc/refusals';
import { implement, type Handlers, type RpcBinding } from '@tillstream/rpc/server';
import { startApp, standIn, type StartedApp } from '@tillstream/testkit/app';
import { testDatabase } from '@tillstream/testkit/database';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { startMailbox, type Mailbox } from '@tillstream/testkit/mailbox';
import { sql, type RawBuilder } from 'kysely';
import { home, notificationApp, type NotificationTables } from '../src/app.ts';
import { settings } from '../src/config.ts';

export interface Known {
  readonly orders: Map<bigint, Order>;
  readonly licences: Map<bigint, Licence[]>;
  readonly merchants: Map<string, Merchant>;
  readonly products: Map<string, Product>;
  /** Orders whose question is answered with a fault. */
  readonly broken: Set<bigint>;
  isAway: boolean;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

export async function openWorld() {
  const [own, carrierDatabase, mailbox] = await Promise.all([
    testDatabase(home),
    testDatabase(carrierHome),
    startMailbox(),
  ]);
  const log: RecordedLog = quietLog();
  const carrier: Carrier = embeddedCarrier({ url: carrierDatabase.url, log });
  const known: Known = {
    orders: new Map(),
    licences: new Map(),
    merchants: new Map(),
    products: new Map(),
    broken: new Set(),
    isAway: false,
  };
  const others = await standIn(...standIns(known));
  const database = own.open<NotificationTables>();
  const mailboxes: Mailbox[] = [mailbox];
  const clock = new MerchantClocks(database);
  const app = notificationApp({
    database,
    log,
    clients: {
      merchant: others.client(MerchantApiService),
      order: others.client(OrderApiService),
      fulfillment: others.client(FulfillmentApiService),
    },
    clock,
    config: settings.parse({ SMTP_URL: mailbox.url, MAIL_FROM: 'shop@tills.example', MAIL_RETRY_FIRST_MS: '50' }),
  });
  const running: StartedApp = await startApp(app, { carrier, log, clock });
  return {
    known,
    own,
    database,
    log,
    app,
    running,
    carrier,
    mailbox: () => mailboxes.at(-1) ?? mailbox,
    /** A server that takes the place of one that was stopped. */
    async reopenMailbox() {
      mailboxes.push(await startMailbox(mailbox.port));
    },
    rows: () => readMails(database, sql`true`),
    /** The mails about one order. */
    mailsOf: (orderId: bigint) => readMails(database, sql`order_id = ${orderId}`),
    async close() {
      await running.stop();
      await others.stop();
      await carrier.close();
      await Promise.all(mailboxes.map((each) => each.stop()));
      await Promise.all([own.drop(), carrierDatabase.drop()]);
    },
  };
}

interface MailState {
  readonly kind: string;
  readonly about: string;
  readonly state: 'pending' | 'done' | 'not_wanted' | 'dead';
  readonly tries: number;
  readonly reason: string;
  readonly created_at: Date;
  readonly settled_at: Date | null;
}

/** Mails with what came of sending them. */
async function readMails(
  database: Database<NotificationTables>,
  which: RawBuilder<unknown>,
): Promise<readonly MailState[]> {
  const { rows } = await database.everyMerchant('the test looks at mails', (tx) =>
    sql<MailState>`
      select mail.kind, mail.about, job.state, job.tries, job.reason, job.created_at, job.settled_at
      from mail join job on job.job_id = mail.id where ${which} order by mail.id`.execute(tx),
  );
  return rows;
}

function standIns(known: Known): RpcBinding[] {
  const present = () => {
    if (known.isAway) throw new Refused('unavailable');
  };
  return [
    implement(
      OrderApiService,
      only<typeof OrderApiService>({
        getOrderDocuments: async ({ keys }) => {
          present();
          if (keys.some((key) => known.broken.has(key.orderId))) throw new Error('broken on purpose');
          const documents = keys.flatMap((key) => {
            const order = known.orders.get(key.orderId);
            if (order === undefined || order.merchantId !== key.merchantId) return [];
            return [
              { key, order, shopName: 'Quill & Söhne', supportEmail: 'help@quill.example', occurredAt: undefined },
            ];
          });
          return { documents };
        },
      }),
    ),
    implement(
      FulfillmentApiService,
      only<typeof FulfillmentApiService>({
        getLicences: async ({ orders }) => {
          present();
          return { licences: orders.flatMap((key) => known.licences.get(key.orderId) ?? []) };
        },
      }),
    ),
    implement(
      MerchantApiService,
      only<typeof MerchantApiService>({
        getMerchants: async ({ merchantIds }) => ({
          merchants: merchantIds.flatMap((id) => known.merchants.get(id) ?? []),
        }),
        getProducts: async ({ productIds }) => ({ products: productIds.flatMap((id) => known.products.get(id) ?? []) }),
      }),
    ),
  ];
}

/** What is not played is refused. */
function only<S extends object>(played: Partial<Handlers<S>>): Handlers<S> {
  return new Proxy(played, {
    get: (target, name) => Reflect.get(target, name) ?? (() => Promise.reject(new Refused('route_not_found'))),
  }) as Handlers<S>;
}

export function traceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

let nextOrder = 12_345_678n;

export function anOrder(
  more: {
    merchantId?: string;
    locale?: string;
    firstName?: string;
    itemName?: string;
    quantity?: number;
    sendMail?: boolean;
    email?: string;
  } = {},
): Order {
  nextOrder += 1n;
  const orderId = nextOrder;
  return messageOf(Order, {
    orderId,
    orderName: `A${String(orderId).padStart(10, '0')}`,
    merchantId: more.merchantId ?? randomUUIDv7(),
    status: 'paid',
    currency: 'EUR',
    locale: more.locale ?? 'en',
    paidAt: new Date('2026-11-21T10:30:00Z'),
    timeZone: 'Europe/Berlin',
    detailUrl: `https://checkout.example/order/status/${orderId}/0123456789abcdef0123456789abcdef`,
    customer: messageOf(Customer, {
      email: more.email ?? `jane.${orderId}@customer.example`,
      firstName: more.firstName ?? 'Jane',
      lastName: 'Doe',
    }),
    items: [
      messageOf(OrderItem, {
        id: 1n,
        productId: '100001',
        name: more.itemName ?? 'Quill Editor',
        quantity: more.quantity ?? 1,
        amountMinor: 10_000n * BigInt(more.quantity ?? 1),
        sendMail: more.sendMail ?? true,
      }),
    ],
    totalMinor: 10_000n * BigInt(more.quantity ?? 1),
    payment: messageOf(PaymentSummary, {
      cardType: 'Visa',
      cardLast4: '4242',
      systemName: 'Bank Card',
      method: 'CreditCard',
    }),
  });
}

export function licencesOf(order: Order, codes: readonly string[]): Licence[] {
  return codes.map((code, at) => ({
    id: `lic_${at}`,
    orderId: order.orderId,
    itemId: 1n,
    unitNo: at + 1,
    code,
    issuedAt: undefined,
    firstItemId: 0n,
    previousItemId: 0n,
  }));
}

type OrderPayload = NonNullable<OrderEvent['payload']>;

export function orderMessage(order: Order, payload: OrderPayload | undefined, parent: string = traceparent()) {
  const event = { eventId: randomUUIDv7(), now: new Date(), traceparent: parent, merchantId: order.merchantId };
  const header = {
    eventId: event.eventId,
    merchantId: order.merchantId,
    aggregateVersion: 2n,
    occurredAt: event.now,
    schemaVersion: 1,
    traceparent: parent,
  };
  return toMessage(
    orderEvents,
    'order',
    String(order.orderId),
    event,
    OrderEvent.encode({ header, orderId: order.orderId, payload }).finish(),
  );
}

export const paid: OrderPayload = {
  $case: 'orderPaid',
  value: { paymentId: 'p', amountMinor: 10_000n, currency: 'EUR', renewal: undefined, startsSubscriptions: false },
};
export const delivered: OrderPayload = { $case: 'orderItemDelivered', value: { itemId: 1n, part: 1, partCount: 1 } };

export function poolLowMessage(merchantId: string, productId: string, available: number) {
  const event = { eventId: randomUUIDv7(), now: new Date(), traceparent: traceparent(), merchantId };
  const header = {
    eventId: event.eventId,
    merchantId,
    aggregateVersion: 1n,
    occurredAt: event.now,
    schemaVersion: 1,
    traceparent: event.traceparent,
  };
  const value = FulfillmentEvent.encode({
    header,
    orderId: 0n,
    payload: { $case: 'poolLow', value: { productId, available, lowWaterMark: 10 } },
  }).finish();
  return toMessage(fulfillmentEvents, 'fulfillment', productId, event, value);
}
