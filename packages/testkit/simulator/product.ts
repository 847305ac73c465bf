/** The services of the product as their app.ts makes them, with the ports of the world around them. */
import { openDatabase, type AnyDatabase, type Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import {
  fulfillmentApp,
  home as fulfillment,
  settings as fulfillmentSettings,
  type FulfillmentTables,
} from '@tillstream/fulfillment/app';
import {
  clientsOver,
  gatewayApp,
  home as gateway,
  settings as gatewaySettings,
  type GatewayTables,
} from '@tillstream/gateway/app';
import {
  home as merchant,
  merchantApp,
  settings as merchantSettings,
  travellers,
  type MerchantTables,
} from '@tillstream/merchant/app';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import type { Log } from '@tillstream/messaging/log';
import {
  home as notification,
  notificationApp,
  settings as notificationSettings,
  type NotificationTables,
} from '@tillstream/notification/app';
import { home as order, orderApp, settings as orderSettings, type OrderTables } from '@tillstream/order/app';
import { home as payment, paymentApp, settings as paymentSettings, type PaymentTables } from '@tillstream/payment/app';
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { makeClient, type RpcChannel } from '@tillstream/rpc/client';
import type { ServiceApp } from '@tillstream/service/app';
import { readConfig } from '@tillstream/service/config';
import {
  home as subscription,
  settings as subscriptionSettings,
  subscriptionApp,
  type SubscriptionTables,
} from '@tillstream/subscription/app';
import { home as webhook, settings as webhookSettings, webhookApp } from '@tillstream/webhook-dispatcher/app';
import { services, type ServiceName as Service } from '@tillstream/service/manifest';
import type { Pool, PoolConfig } from 'pg';
import type { MailServer } from './outside/mail-server.ts';
import { providerSettings, type Provider } from './outside/provider.ts';
import type { Receivers } from './outside/receivers.ts';

// A service of the manifest that is not here does not compile.
export const homes = {
  merchant,
  order,
  payment,
  fulfillment,
  subscription,
  notification,
  'webhook-dispatcher': webhook,
  gateway,
} satisfies Record<Service | 'gateway', ServiceHome>;
export type ServiceName = keyof typeof homes;
/** Those that every history has. The gateway has a door of its own, and is there when somebody comes to it. */
export const serviceNames: readonly ServiceName[] = services.map(({ name }) => name);

export interface Around {
  readonly channel: (service: string) => RpcChannel;
  readonly provider: Provider;
  readonly mailServer: MailServer;
  readonly receivers: Receivers;
  readonly log: Log;
}

export interface Made {
  readonly app: ServiceApp;
  readonly clock: MerchantClocks;
  readonly database: AnyDatabase;
}

const environment = {
  ...providerSettings,
  CHECKOUT_URL: 'https://shop.example',
  CALLBACK_BASE_URL: 'https://api.example',
  VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  KEY_PEPPER: 'p'.repeat(40),
  MAIL_FROM: 'no-reply@shop.example',
  ALLOW_LOOPBACK_WEBHOOKS: '1',
};

// Read once: every world is told the same.
const configs = {
  merchant: readConfig(merchantSettings, environment),
  order: readConfig(orderSettings, environment),
  payment: readConfig(paymentSettings, environment),
  fulfillment: readConfig(fulfillmentSettings, environment),
  subscription: readConfig(subscriptionSettings, environment),
  notification: readConfig(notificationSettings, environment),
  'webhook-dispatcher': readConfig(webhookSettings, environment),
  gateway: readConfig(gatewaySettings, environment),
};

/** As the process of that service makes it at its start. */
export function makeService(name: ServiceName, makePool: (config: PoolConfig) => Pool, around: Around): Made {
  const { log } = around;
  const home: ServiceHome = homes[name];
  const open = <Schema>(): { database: Database<Schema>; clock: MerchantClocks; log: Log } => {
    const database = openDatabase<Schema>({
      url: `simulated://${home.role}/${home.schema}`,
      schema: home.schema,
      applicationName: home.name,
      makePool,
    });
    return { database, clock: new MerchantClocks(database), log };
  };
  const make = <Schema>(build: (own: ReturnType<typeof open<Schema>>) => ServiceApp): Made => {
    const own = open<Schema>();
    return { app: build(own), clock: own.clock, database: own.database };
  };
  const clients = clientsOver((target) => around.channel(homes[target].name));
  switch (name) {
    case 'merchant':
      return make<MerchantTables>((own) =>
        merchantApp({
          ...own,
          config: configs.merchant,
          travellers: Object.fromEntries(
            travellers.map((each) => [
              each,
              makeClient(ClockApiService, around.channel(homes[each].name), { deadlineMs: 5_000 }),
            ]),
          ),
        }),
      );
    case 'order':
      return make<OrderTables>((own) => orderApp({ ...own, clients, config: configs.order }));
    case 'payment':
      return make<PaymentTables>((own) =>
        paymentApp({ ...own, config: configs.payment, transport: around.provider.transport }),
      );
    case 'fulfillment':
      return make<FulfillmentTables>((own) => fulfillmentApp({ ...own, clients, config: configs.fulfillment }));
    case 'subscription':
      return make<SubscriptionTables>((own) => subscriptionApp({ ...own, clients, config: configs.subscription }));
    case 'notification':
      return make<NotificationTables>((own) =>
        notificationApp({
          ...own,
          clients,
          config: configs.notification,
          openTransport: () => around.mailServer.openTransport(),
        }),
      );
    case 'webhook-dispatcher':
      return make<object>((own) =>
        webhookApp({ ...own, clients, config: configs['webhook-dispatcher'], exchange: around.receivers.exchange }),
      );
    case 'gateway':
      return make<GatewayTables>((own) => gatewayApp({ ...own, clients, config: configs.gateway }));
  }
}
