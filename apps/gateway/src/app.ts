/** The gateway: the public REST API of merchants. It holds no business rule; it knows who asks, and remembers what it answered. */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Log } from '@tillstream/rpc/contract';
import type { ServiceApp, Worker } from '@tillstream/service/app';
import { makeVault } from '@tillstream/vault/vault';
import type { Config } from './config.ts';
import { clientsOver, type Clients } from './inbound/clients.ts';
import { makeServer } from './inbound/http/server.ts';
import { addApiKeys } from './inbound/merchant/api-keys.ts';
import { addLicenceCodes } from './inbound/merchant/licence-codes.ts';
import { addMerchant } from './inbound/merchant/merchant.ts';
import { addProducts } from './inbound/merchant/products.ts';
import { addTestClock, type Patience } from './inbound/merchant/test-clock.ts';
import { addOrders } from './inbound/orders/orders.ts';
import { addPayments } from './inbound/orders/payments.ts';
import { addProviderCallbacks } from './inbound/orders/provider-callbacks.ts';
import { addTimeline } from './inbound/orders/timeline.ts';
import { addSubscriptions } from './inbound/subscriptions/subscriptions.ts';
import { addEndpoints } from './inbound/webhooks/endpoints.ts';
import { addDeliveries, addEvents } from './inbound/webhooks/events.ts';
import { Answers } from './outbound/answers.ts';
import type { GatewayTables } from './outbound/tables.ts';

export const home: ServiceHome = {
  name: 'gateway',
  schema: 'gateway',
  role: 'tillstream_gateway',
  migrations: new URL('../migrations/', import.meta.url),
};

export function gatewayApp(parts: {
  database: Database<GatewayTables>;
  clients: Clients;
  log: Log;
  config: Config;
  /** How long an advance of a test clock is waited for; as long as is usual when it is left out. */
  patience?: Patience;
}): ServiceApp {
  const { database, clients, log, config } = parts;
  const answers = new Answers(database, makeVault(config.VAULT_KEYS));
  const http = makeServer({
    merchant: clients.merchant,
    answers,
    log,
    limits: {
      writesPerSecond: config.WRITES_PER_SECOND,
      readsPerSecond: config.READS_PER_SECOND,
      callbacksPerSecond: config.CALLBACKS_PER_SECOND,
      badKeysPerMinute: config.BAD_KEYS_PER_MINUTE,
    },
    trustedProxies: config.TRUSTED_PROXIES,
    http: config,
    check: () => database.check(),
    addRoutes(api) {
      addMerchant(api, clients);
      addApiKeys(api, clients);
      addProducts(api, clients, config.CHECKOUT_URL);
      addLicenceCodes(api, clients);
      addOrders(api, clients);
      addTimeline(api, clients, log);
      addPayments(api, clients);
      addSubscriptions(api, clients);
      addEndpoints(api, clients);
      addEvents(api, clients);
      addDeliveries(api, clients);
      addTestClock(api, clients, parts.patience);
    },
    addCallbacks: (server) => addProviderCallbacks(server, clients),
  });
  return {
    name: home.name,
    database,
    rpc: [],
    topics: [],
    subscriptions: [],
    timers: [],
    workers: [sweeper(answers)],
    http,
  };
}

const sweepEveryMs = 3_600_000;

function sweeper(answers: Answers): Worker {
  return {
    name: 'old answers',
    async run(signal) {
      while (!signal.aborted) {
        while (!signal.aborted && (await answers.sweep()) > 0);
        await pause(sweepEveryMs, signal);
      }
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // A signal that was given before this says nothing more.
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

export { clientsOver };
export type { Clients, GatewayTables };

export { settings } from './config.ts';
