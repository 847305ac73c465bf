/** The subscription service: terms, renewals, cancel and restore. */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { makePerformer } from '@tillstream/messaging/perform';
import { orderEvents, paymentEvents, subscriptionEvents } from '@tillstream/messaging/topics';
import type { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import type { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Client } from '@tillstream/rpc/client';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp } from '@tillstream/service/app';
import type { Config } from './config.ts';
import { subscription } from './domain/machine.ts';
import { hearOrders } from './inbound/order-events.ts';
import { hearPayments } from './inbound/payment-events.ts';
import { answerSubscriptionApi } from './inbound/subscription-api.ts';
import { fireSubscriptionTimers } from './inbound/subscription-timers.ts';
import { askPrices } from './outbound/prices.ts';
import { showSubscription } from './outbound/shown.ts';
import { subscriptionKeeper } from './outbound/subscription-keeper.ts';
import { Subscriptions } from './outbound/subscriptions.ts';
import type { SubscriptionTables } from './outbound/tables.ts';
import { readTimeline } from './outbound/timeline.ts';
import type { ReadPrices } from './ports.ts';

export const home: ServiceHome = {
  name: 'subscription',
  schema: 'subscription',
  role: 'tillstream_subscription',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

export interface SubscriptionParts {
  readonly database: Database<SubscriptionTables>;
  readonly clients: {
    readonly order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'>;
    readonly merchant: Pick<Client<typeof MerchantApiService>, 'getProducts'>;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Config;
}

export function subscriptionApp({ database, clients, clock, log }: SubscriptionParts): ServiceApp {
  const subscriptions = new Subscriptions(database);
  const performer = makePerformer({
    database,
    machine: subscription,
    keeper: subscriptionKeeper,
    name: home.name,
    log,
  });
  const hearOrderNews = hearOrders({ performer, order: clients.order, clock });
  const hearPaymentNews = hearPayments({ performer, subscriptions, clock });
  const pricesOf: ReadPrices = async (ids, merchantIds) =>
    askPrices(clients.merchant, await subscriptions.priceQuestions(ids, merchantIds));
  return {
    name: home.name,
    database,
    rpc: [
      implement(
        SubscriptionApiService,
        answerSubscriptionApi({ performer, subscriptions, show: showSubscription, clock }),
      ),
      implement(TimelineApiService, {
        readTimeline: ({ merchantId, orderId }) => readTimeline(subscriptions, merchantId, orderId),
      }),
    ],
    topics: [subscriptionEvents],
    subscriptions: [
      {
        group: home.name,
        topics: [orderEvents.name, paymentEvents.name],
        handle: async (batch) => {
          const of = (topic: string) => batch.filter((message) => message.topic === topic);
          await hearOrderNews(of(orderEvents.name));
          await hearPaymentNews(of(paymentEvents.name));
        },
      },
    ],
    timers: [fireSubscriptionTimers({ performer, pricesOf, clock })],
    workers: [],
  };
}

export type { SubscriptionTables } from './outbound/tables.ts';

export { settings } from './config.ts';
