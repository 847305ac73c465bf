/** The order service: carts, orders, and the process of a purchase. */
import { codeOf, type Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { makePerformer } from '@tillstream/messaging/perform';
import { fulfillmentEvents, orderEvents, paymentEvents, subscriptionEvents } from '@tillstream/messaging/topics';
import type { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import type { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import type { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Client } from '@tillstream/rpc/client';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp } from '@tillstream/service/app';
import type { Config } from './config.ts';
import { order } from './domain/order.ts';
import { CartDesk } from './inbound/cart-desk.ts';
import { hearDeliveries } from './inbound/fulfillment-events.ts';
import { answerOrderApi, decorationMs } from './inbound/order-api.ts';
import { OrderDesk } from './inbound/order-desk.ts';
import { orderTimers } from './inbound/order-timers.ts';
import { hearPayments } from './inbound/payment-events.ts';
import { hearSubscriptions } from './inbound/subscription-events.ts';
import { Carts } from './outbound/carts.ts';
import { Catalogue } from './outbound/catalogue.ts';
import { Methods } from './outbound/methods.ts';
import { findLineages } from './outbound/order/parents.ts';
import { CartTaken, orderKeeper } from './outbound/order-keeper.ts';
import { KeptDocuments } from './outbound/order/kept-documents.ts';
import { Orders } from './outbound/orders.ts';
import type { OrderTables } from './outbound/tables.ts';

export const home: ServiceHome = {
  name: 'order',
  schema: 'order',
  role: 'tillstream_order',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

export interface OrderParts {
  readonly database: Database<OrderTables>;
  readonly clients: {
    readonly merchant: Client<typeof MerchantApiService>;
    readonly payment: Client<typeof PaymentApiService>;
    readonly fulfillment: Client<typeof FulfillmentApiService>;
    readonly subscription: Client<typeof SubscriptionApiService>;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Config;
}

const sweepEveryMs = 3_600_000;
const uniqueViolation = '23505';

export function orderApp(parts: OrderParts): ServiceApp {
  const { database, clients, clock, log, config } = parts;
  const carts = new Carts(database);
  const catalogue = new Catalogue(clients.merchant);
  const methods = new Methods(clients.payment, log);
  const orders = new Orders(database, config.CHECKOUT_URL);
  const performer = makePerformer({ database, machine: order, keeper: orderKeeper, name: 'order', log });
  const newestPayment = async (merchantId: string, orderId: bigint) => {
    const { payments } = await clients.payment.listPayments(
      { merchantId, orderId, status: '', limit: 1, startingAfter: '', endingBefore: '' },
      { deadlineMs: decorationMs },
    );
    return payments[0];
  };
  const orderDesk = new OrderDesk({
    carts,
    catalogue,
    methods,
    orders,
    performer,
    createPayment: (request) => clients.payment.createPayment(request, { deadlineMs: 12_000 }),
    isCartTaken: (error) => error instanceof CartTaken,
    checkoutUrl: config.CHECKOUT_URL,
    clock,
  });
  const api = answerOrderApi({
    cartDesk: new CartDesk({ carts, catalogue, methods, clock }),
    orderDesk,
    orders,
    documents: new KeptDocuments((keys) => orders.documents(keys)),
    catalogue,
    performer,
    refreshPayment: (request) => clients.payment.refreshPayment(request, { deadlineMs: decorationMs }),
    newestPayment,
    getLicences: (request) => clients.fulfillment.getLicences(request, { deadlineMs: decorationMs }),
    subscriptions: {
      list: (request) => clients.subscription.listSubscriptions(request),
      cancel: (request) => clients.subscription.cancelSubscription(request),
      restore: (request) => clients.subscription.restoreSubscription(request),
    },
    clock,
    log,
  });
  const hearPaymentNews = hearPayments({
    performer,
    getPayments: (request) => clients.payment.getPayments(request),
    clock,
  });
  const hearDeliveryNews = hearDeliveries({ performer, clock });
  const hearSubscriptionNews = hearSubscriptions({
    performer,
    catalogue,
    orders: {
      lineages: (keys) => findLineages(database, keys),
      numbersOfChildren: (count) => orders.numbersOfChildren(count),
    },
    isTermTaken: (error) => codeOf(error) === uniqueViolation,
    clock,
    log,
  });
  return {
    name: home.name,
    database,
    rpc: [
      implement(OrderApiService, api),
      implement(TimelineApiService, {
        readTimeline: ({ merchantId, orderId }) => orders.timeline(merchantId, orderId),
      }),
    ],
    topics: [orderEvents],
    // A service's group has one subscription: one batch may hold all its topics.
    subscriptions: [
      {
        group: home.name,
        topics: [paymentEvents.name, fulfillmentEvents.name, subscriptionEvents.name],
        handle: async (batch) => {
          const of = (topic: string) => batch.filter((message) => message.topic === topic);
          await hearSubscriptionNews(of(subscriptionEvents.name));
          await hearPaymentNews(of(paymentEvents.name));
          await hearDeliveryNews(of(fulfillmentEvents.name));
        },
      },
    ],
    timers: [orderTimers({ performer, catalogue, clock })],
    workers: [
      {
        name: 'sweep carts',
        async run(signal) {
          while (!signal.aborted) {
            if ((await carts.sweep()) > 0) continue;
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, sweepEveryMs);
              signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
            });
          }
        },
      },
    ],
  };
}

export type { OrderTables } from './outbound/tables.ts';

export { settings } from './config.ts';
