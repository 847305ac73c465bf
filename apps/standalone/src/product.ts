/** Every service in one process: the same apps, their own schemas and roles, gRPC over loopback; only the processes are fewer. */
import { checkoutApp, settings as checkoutSettings } from '@tillstream/checkout/app';
import { openDatabase, type AnyDatabase, type Database } from '@tillstream/database/database';
import { migrate, type ServiceHome } from '@tillstream/database/migrate';
import { fulfillmentApp, home as fulfillmentHome, settings as fulfillmentSettings } from '@tillstream/fulfillment/app';
import { clientsOver, gatewayApp, home as gatewayHome, settings as gatewaySettings } from '@tillstream/gateway/app';
import { mailboxApp, settings as mailboxSettings } from '@tillstream/mailbox/app';
import { home as merchantHome, merchantApp, settings as merchantSettings } from '@tillstream/merchant/app';
import type { Carrier } from '@tillstream/messaging/message';
import { wallClock } from '@tillstream/messaging/clock';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { carrierHome } from '@tillstream/messaging/migrations';
import {
  home as notificationHome,
  notificationApp,
  settings as notificationSettings,
} from '@tillstream/notification/app';
import { home as orderHome, orderApp, settings as orderSettings } from '@tillstream/order/app';
import { home as paymentHome, paymentApp, settings as paymentSettings } from '@tillstream/payment/app';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { makeClient, openChannel, type RpcChannel } from '@tillstream/rpc/client';
import { sandboxApp, settings as sandboxSettings } from '@tillstream/sandbox/app';
import type { ServiceApp } from '@tillstream/service/app';
import { readConfig } from '@tillstream/service/config';
import type { Logger } from '@tillstream/service/log';
import { superviseApp, type RunningApp } from '@tillstream/service/supervise';
import { home as webhookHome, settings as webhookSettings, webhookApp } from '@tillstream/webhook-dispatcher/app';
import type { PortName, Ports } from './ports.ts';
import { startPageApp, type StartPageContent } from './start-page.ts';

export const homes: readonly ServiceHome[] = [
  merchantHome,
  orderHome,
  paymentHome,
  fulfillmentHome,
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
  readonly log: Logger;
  startPage(): StartPageContent;
}

export interface RunningProduct {
  channel(target: Target): RpcChannel;
  stop(): Promise<void>;
}

type Target = 'merchant' | 'order' | 'payment' | 'fulfillment' | 'notification' | 'webhook';

const portNames: Record<Target, PortName> = {
  merchant: 'merchant',
  order: 'order',
  payment: 'payment',
  fulfillment: 'fulfillment',
  notification: 'notification',
  webhook: 'webhook-dispatcher',
};

/** Brings every schema up to date. Each has its own lock, so they go side by side. */
export async function migrateAll(adminUrl: string, password: string): Promise<void> {
  await Promise.all(homes.map((home) => migrate({ adminUrl, home, password })));
}

export async function startProduct(parts: ProductParts): Promise<RunningProduct> {
  const { ports, host, environment, log } = parts;
  const databases: AnyDatabase[] = [];
  const open = <Schema>(home: ServiceHome): Database<Schema> => {
    // Eight schemas share one small server.
    const database = openDatabase<Schema>({
      url: parts.urlOf(home.role),
      schema: home.schema,
      applicationName: home.name,
      maxConnections: 8,
    });
    databases.push(database);
    return database;
  };
  const channels = new Map<Target, RpcChannel>();
  const channel = (target: Target): RpcChannel => {
    const known = channels.get(target) ?? openChannel({ address: `127.0.0.1:${ports[portNames[target]]}` });
    channels.set(target, known);
    return known;
  };
  const carrier = embeddedCarrier({ url: parts.urlOf(carrierHome.role), log });
  const clients = {
    merchant: makeClient(MerchantApiService, channel('merchant')),
    order: makeClient(OrderApiService, channel('order')),
    payment: makeClient(PaymentApiService, channel('payment')),
    fulfillment: makeClient(FulfillmentApiService, channel('fulfillment')),
  };
  const of = (name: string) => log.child({ service: name });
  const clock = wallClock;
  const services: readonly (readonly [PortName, ServiceApp])[] = [
    [
      'merchant',
      merchantApp({ database: open(merchantHome), clock, config: readConfig(merchantSettings, environment) }),
    ],
    [
      'order',
      orderApp({
        database: open(orderHome),
        clients,
        clock,
        log: of('order'),
        config: readConfig(orderSettings, environment),
      }),
    ],
    [
      'payment',
      paymentApp({
        database: open(paymentHome),
        clock,
        log: of('payment'),
        config: readConfig(paymentSettings, environment),
      }),
    ],
    [
      'fulfillment',
      fulfillmentApp({
        database: open(fulfillmentHome),
        clients,
        clock,
        log: of('fulfillment'),
        config: readConfig(fulfillmentSettings, environment),
      }),
    ],
    [
      'notification',
      notificationApp({
        database: open(notificationHome),
        clients,
        clock,
        log: of('notification'),
        config: readConfig(notificationSettings, environment),
      }),
    ],
    [
      'webhook-dispatcher',
      webhookApp({
        database: open(webhookHome),
        clients,
        log: of('webhook-dispatcher'),
        config: readConfig(webhookSettings, environment),
      }),
    ],
  ];
  const edges: readonly (readonly [PortName, ServiceApp])[] = [
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
  const running: RunningApp[] = [];
  const stop = async () => {
    // What brings work in goes first.
    await Promise.all(
      running
        .filter((app) => edges.some(([, edge]) => edge.name === app.name && edge.name !== 'mailbox'))
        .map((app) => app.stop()),
    );
    await Promise.all(
      running.filter((app) => services.some(([, service]) => service.name === app.name)).map((app) => app.stop()),
    );
    await Promise.all(running.filter((app) => app.name === 'mailbox').map((app) => app.stop()));
    await carrier.close();
    for (const each of channels.values()) each.close();
    await Promise.all(databases.map((database) => database.close()));
  };
  try {
    running.push(...(await startAll(services, { carrier, clock, log, host, ports })));
    running.push(...(await startAll(edges, { carrier, clock, log, host, ports })));
    await Promise.all([...channels.values()].map((each) => each.ready(10_000)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { channel, stop };
}

function startAll(
  apps: readonly (readonly [PortName, ServiceApp])[],
  around: { carrier: Carrier; clock: typeof wallClock; log: Logger; host: string; ports: Ports },
): Promise<RunningApp[]> {
  const { carrier, clock, host, ports } = around;
  return Promise.all(
    apps.map(([port, app]) =>
      superviseApp(app, {
        carrier,
        clock,
        log: around.log.child({ service: app.name }),
        ...(app.http === undefined ? { rpc: { port: ports[port] } } : { http: { port: ports[port], host } }),
      }),
    ),
  );
}
