/** The webhook-dispatcher: order events in, signed POSTs out, in order per endpoint and order. */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import type { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { OrderApiService } from '@tillstream/proto/order/v1/order_api';
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
import { hearOrderEvents } from './inbound/order-events.ts';
import { answerTimelineApi } from './inbound/timeline-api.ts';
import { answerWebhookApi } from './inbound/webhook-api.ts';
import { refuseUrl, systemResolve, type Resolve } from './outbound/http/address-guard.ts';
import { makePoster, type Exchange } from './outbound/http/post.ts';
import { documentName, fetchCodes, fetchDocuments } from './outbound/order-documents.ts';
import { Endpoints } from './outbound/rows/endpoints.ts';
import { storeEvents } from './outbound/rows/fan-out.ts';
import { pageQuery } from './outbound/rows/paging.ts';
import { readPending } from './outbound/rows/pending.ts';
import { Reads } from './outbound/rows/reads.ts';

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
  const fanOut = {
    fetchDocuments: async (keys: Parameters<typeof fetchDocuments>[1]) => {
      const documents = await fetchDocuments(clients.order, keys);
      return (key: (typeof keys)[number]) => documents.get(documentName(key));
    },
    fetchCodes: (orders: Parameters<typeof fetchCodes>[1]) => fetchCodes(clients.fulfillment, orders),
    store: async (events: Parameters<typeof storeEvents>[3]) =>
      dispatcher.nudge(await storeEvents(database, vault, home.name, events)),
  };
  return {
    name: home.name,
    database,
    rpc: [implement(WebhookApiService, api), implement(TimelineApiService, answerTimelineApi(reads))],
    topics: [],
    subscriptions: [hearOrderEvents(home.name, fanOut)],
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
