/** Every service in one process: the same apps, their own schemas and roles; only the processes are fewer. */
import { checkoutApp, settings as checkoutSettings } from '@tillstream/checkout/app';
import { openDatabase, type AnyDatabase, type Database } from '@tillstream/database/database';
import { migrate, type ServiceHome } from '@tillstream/database/migrate';
import {
  fulfillmentApp,
  home as fulfillmentHome,
  settings as fulfillmentSettings,
  type FulfillmentTables,
} from '@tillstream/fulfillment/app';
import { clientsOver, gatewayApp, home as gatewayHome, settings as gatewaySettings } from '@tillstream/gateway/app';
import { mailboxApp, settings as mailboxSettings } from '@tillstream/mailbox/app';
import {
  home as merchantHome,
  merchantApp,
  settings as merchantSettings,
  travellers,
  type MerchantTables,
} from '@tillstream/merchant/app';
import { wallClock, type Clock } from '@tillstream/messaging/clock';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { carrierHome } from '@tillstream/messaging/migrations';
import {
  home as notificationHome,
  notificationApp,
  settings as notificationSettings,
  type NotificationTables,
} from '@tillstream/notification/app';
import { home as orderHome, orderApp, settings as orderSettings, type OrderTables } from '@tillstream/order/app';
import {
  home as paymentHome,
  paymentApp,
  settings as paymentSettings,
  type PaymentTables,
} from '@tillstream/payment/app';
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { makeClient, type RpcChannel } from '@tillstream/rpc/client';
import { openExchange } from '@tillstream/rpc/in-process';
import { sandboxApp, settings as sandboxSettings } from '@tillstream/sandbox/app';
import type { ServiceApp } from '@tillstream/service/app';
import { readConfig } from '@tillstream/service/config';
import type { Logger } from '@tillstream/service/log';
import type { ServiceName } from '@tillstream/service/manifest';
import { superviseApp, type RunningApp, type Surroundings } from '@tillstream/service/supervise';
import {
  home as subscriptionHome,
  settings as subscriptionSettings,
  subscriptionApp,
  type SubscriptionTables,
} from '@tillstream/subscription/app';
import { home as webhookHome, settings as webhookSettings, webhookApp } from '@tillstream/webhook-dispatcher/app';
import type { PortName, Ports } from './ports.ts';
import { startPageApp, type StartPageContent } from './start-page.ts';

export const homes: readonly ServiceHome[] = [
  merchantHome,
  orderHome,
  paymentHome,
  fulfillmentHome,
  subscriptionHome,
  notificationHome,
  webhookHome,
  gatewayHome,
  carrierHome,
];

export interface ProductParts {
  /** As the owner of the server, for migrations. */
  readonly adminUrl: string;
  /** As a role. */
  urlOf(role: string): string;
  readonly rolePassword: string;
  readonly ports: Ports;
  readonly host: string;
  readonly environment: Record<string, string>;
  /** Where gRPC of the merchant service is answered as well; undefined = nowhere. */
  readonly merchantRpcPort: number | undefined;
  readonly log: Logger;
  startPage(): StartPageContent;
}

export interface RunningProduct {
  channel(target: ServiceName): RpcChannel;
  stop(): Promise<void>;
}

/** Brings every schema up to date. Each has its own lock, so they go side by side. */
export async function migrateAll(adminUrl: string, password: string): Promise<void> {
  await Promise.all(homes.map((home) => migrate({ adminUrl, home, password })));
}

export async function startProduct(parts: ProductParts): Promise<RunningProduct> {
  const { ports, host, environment, log } = parts;
  const databases: AnyDatabase[] = [];
  const open = <Schema>(home: ServiceHome): Database<Schema> => {
    // Nine schemas share one small server.
    const database = openDatabase<Schema>({
      url: parts.urlOf(home.role),
      schema: home.schema,
      applicationName: home.name,
      maxConnections: 8,
    });
    databases.push(database);
    return database;
  };
  const exchange = openExchange();
  const channels = new Map<ServiceName, RpcChannel>();
  const channel = (target: ServiceName): RpcChannel => {
    const known = channels.get(target) ?? exchange.channel(target);
    channels.set(target, known);
    return known;
  };
  const carrier = embeddedCarrier({ url: parts.urlOf(carrierHome.role), log });
  const clients = {
    merchant: makeClient(MerchantApiService, channel('merchant')),
    order: makeClient(OrderApiService, channel('order')),
    payment: makeClient(PaymentApiService, channel('payment')),
    fulfillment: makeClient(FulfillmentApiService, channel('fulfillment')),
    subscription: makeClient(SubscriptionApiService, channel('subscription')),
  };
  const of = (name: string) => log.child({ service: name });
  // Each service keeps the clocks of its merchants in its own schema, as in a process of its own.
  const serve = <Schema>(
    home: ServiceHome,
    make: (parts: { database: Database<Schema>; clock: MerchantClocks; log: Logger }) => ServiceApp,
  ): Served => {
    const database = open<Schema>(home);
    const clock = new MerchantClocks(database);
    const app = make({ database, clock, log: of(home.name) });
    const port = home === merchantHome ? parts.merchantRpcPort : undefined;
    return { clock, app, ...(port === undefined ? {} : { rpc: { port } }) };
  };
  const services: readonly Served[] = [
    serve<MerchantTables>(merchantHome, (own) =>
      merchantApp({
        ...own,
        config: readConfig(merchantSettings, environment),
        travellers: Object.fromEntries(
          travellers.map((name) => [name, makeClient(ClockApiService, channel(name), { deadlineMs: 5_000 })]),
        ),
      }),
    ),
    serve<OrderTables>(orderHome, (own) =>
      orderApp({ ...own, clients, config: readConfig(orderSettings, environment) }),
    ),
    serve<PaymentTables>(paymentHome, (own) =>
      paymentApp({ ...own, config: readConfig(paymentSettings, environment) }),
    ),
    serve<FulfillmentTables>(fulfillmentHome, (own) =>
      fulfillmentApp({ ...own, clients, config: readConfig(fulfillmentSettings, environment) }),
    ),
    serve<SubscriptionTables>(subscriptionHome, (own) =>
      subscriptionApp({ ...own, clients, config: readConfig(subscriptionSettings, environment) }),
    ),
    serve<NotificationTables>(notificationHome, (own) =>
      notificationApp({ ...own, clients, config: readConfig(notificationSettings, environment) }),
    ),
    serve<object>(webhookHome, (own) =>
      webhookApp({ ...own, clients, config: readConfig(webhookSettings, environment) }),
    ),
  ];
  const edgeApps: readonly (readonly [PortName, ServiceApp])[] = [
    ['mail', mailboxApp({ config: readConfig(mailboxSettings, environment) })],
    ['sandbox', sandboxApp({ config: readConfig(sandboxSettings, environment) })],
    [
      'gateway',
      gatewayApp({
        database: open(gatewayHome),
        clients: clientsOver(channel),
        log: of('gateway'),
        config: readConfig(gatewaySettings, environment),
      }),
    ],
    ['checkout', checkoutApp({ clients, log: of('checkout'), config: readConfig(checkoutSettings, environment) })],
    ['console', startPageApp(() => parts.startPage())],
  ];
  const edges = edgeApps.map(([port, app]): Served => ({ app, clock: wallClock, http: { port: ports[port], host } }));
  const running: RunningApp[] = [];
  const stop = async () => {
    // What brings work in goes first.
    await Promise.all(
      running
        .filter((app) => edges.some((edge) => edge.app.name === app.name && app.name !== 'mailbox'))
        .map((app) => app.stop()),
    );
    await Promise.all(
      running.filter((app) => services.some((service) => service.app.name === app.name)).map((app) => app.stop()),
    );
    await Promise.all(running.filter((app) => app.name === 'mailbox').map((app) => app.stop()));
    await carrier.close();
    for (const each of channels.values()) each.close();
    await Promise.all(databases.map((database) => database.close()));
  };
  const supervise = ({ app, clock, ...sockets }: Served): Promise<RunningApp> =>
    superviseApp(app, { carrier, clock, exchange, log: of(app.name), ...sockets });
  try {
    running.push(...(await Promise.all(services.map(supervise))));
    running.push(...(await Promise.all(edges.map(supervise))));
    await Promise.all([...channels.values()].map((each) => each.ready(10_000)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { channel, stop };
}

interface Served extends Pick<Surroundings, 'http' | 'rpc'> {
  readonly app: ServiceApp;
  readonly clock: Clock;
}
