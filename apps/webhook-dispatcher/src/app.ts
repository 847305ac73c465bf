/** The webhook-dispatcher: events of orders and payments in, signed POSTs out, in order per endpoint and subject. */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { orderEvents, paymentEvents } from '@tillstream/messaging/topics';
import type { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import type { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import type { Client } from '@tillstream/rpc/client';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp } from '@tillstream/service/app';
import { makeVault } from '@tillstream/vault/vault';
import type { Config } from './config.ts';
import { makeByHand } from './dispatch/by-hand.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { makeShipper } from './dispatch/shipper.ts';
import { standardDelaysMs } from './domain/retry.ts';
import { handleOrderEvents } from './inbound/order-events.ts';
import { handlePaymentEvents } from './inbound/payment-events.ts';
import { answerTimelineApi } from './inbound/timeline-api.ts';
import { answerWebhookApi } from './inbound/webhook-api.ts';
import { refuseUrl, systemResolve, type Resolve } from './outbound/http/address-guard.ts';
import { makePoster, type Exchange } from './outbound/http/post.ts';
import { fetchLicences, fetchOrders } from './outbound/order-documents.ts';
import { fetchPayments, fetchPaymentsOfOrders } from './outbound/payments.ts';
import { Endpoints } from './outbound/rows/endpoints.ts';
import { merchantsThatWant, storeEvents } from './outbound/rows/fan-out.ts';
import { pageQuery } from './outbound/rows/paging.ts';
import { readPending } from './outbound/rows/pending.ts';
import { Reads } from './outbound/rows/reads.ts';
import type { StoreEvents } from './ports.ts';

export const home: ServiceHome = {
  name: 'webhook-dispatcher',
  schema: 'webhook',
  role: 'tillstream_webhook',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

export interface WebhookParts {
  readonly database: Database<object>;
  readonly clients: {
    readonly order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'>;
    readonly fulfillment: Pick<Client<typeof FulfillmentApiService>, 'getLicences'>;
    readonly payment: Pick<Client<typeof PaymentApiService>, 'getPayments' | 'listPayments'>;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Config;
  /** Names to addresses; absent = the system's resolver. */
  readonly resolve?: Resolve;
  /** How a webhook reaches its receiver; absent = over HTTP. */
  readonly exchange?: Exchange;
}

export function webhookApp(parts: WebhookParts): ServiceApp {
  const { database, clients, clock, config, log } = parts;
  const vault = makeVault(config.VAULT_KEYS);
  const isLoopbackAllowed = config.ALLOW_LOOPBACK_WEBHOOKS;
  const poster = makePoster({
    totalMs: config.ATTEMPT_TIMEOUT_MS,
    isLoopbackAllowed,
    resolve: parts.resolve ?? systemResolve,
    ...(parts.exchange === undefined ? {} : { exchange: parts.exchange }),
  });
  const shipper = makeShipper({ poster, vault, clock, sendsTraceparent: config.SEND_TRACEPARENT });
  const dispatcher = new Dispatcher({
    database,
    shipper,
    clock,
    log,
    delaysMs: config.RETRY_DELAYS_MS.length === 0 ? standardDelaysMs : config.RETRY_DELAYS_MS,
    slots: config.DISPATCH_SLOTS,
    leaseMs: config.SHARD_LEASE_MS,
  });
  const endpoints = new Endpoints(database, vault);
  const reads = new Reads(database, vault);
  const api = answerWebhookApi({
    pageQuery,
    refuseUrl: (url, livemode) => refuseUrl(url, { livemode, isLoopbackAllowed }),
    endpoints,
    reads,
    byHand: makeByHand({ database, endpoints, reads, shipper, dispatcher, clock }),
    changed: (endpointId) => dispatcher.rescan(endpointId),
  });
  const store: StoreEvents = async (events) => {
    const { chains, missing } = await storeEvents(database, vault, home.name, events);
    dispatcher.nudge(chains);
    return missing;
  };
  const ofOrders = handleOrderEvents({
    fetchOrders: (keys) => fetchOrders(clients.order, keys),
    fetchLicences: (orders) => fetchLicences(clients.fulfillment, orders),
    fetchPayments: (orders) => fetchPaymentsOfOrders(clients.payment, orders),
    store,
  });
  const ofPayments = handlePaymentEvents({
    merchantsThatWant: (merchants, types) => merchantsThatWant(database, merchants, types),
    fetchPayments: (keys) => fetchPayments(clients.payment, keys),
    store,
  });
  return {
    name: home.name,
    database,
    rpc: [implement(WebhookApiService, api), implement(TimelineApiService, answerTimelineApi(reads))],
    topics: [],
    subscriptions: [
      {
        group: home.name,
        topics: [orderEvents.name, paymentEvents.name],
        handle: async (batch) => {
          const of = (topic: string) => batch.filter((message) => message.topic === topic);
          await ofOrders(of(orderEvents.name));
          await ofPayments(of(paymentEvents.name));
        },
      },
    ],
    timers: [],
    work: [{ what: 'webhooks', pending: (merchantId, now) => readPending(database, merchantId, now) }],
    workers: [
      {
        name: dispatcher.name,
        run: async (signal) => {
          try {
            await dispatcher.run(signal);
          } finally {
            await poster.close();
          }
        },
      },
    ],
  };
}

export type { Exchange } from './outbound/http/post.ts';

export { settings } from './config.ts';
