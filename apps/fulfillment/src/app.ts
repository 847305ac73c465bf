/** The fulfillment service: pools of licence codes, and the delivery of what was paid. */
import { once } from 'node:events';
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { makePreparingPerformer } from '@tillstream/messaging/perform';
import { fulfillmentEvents } from '@tillstream/messaging/topics';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Client } from '@tillstream/rpc/client';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp, Worker } from '@tillstream/service/app';
import { makeVault, type Vault } from '@tillstream/vault/vault';
import type { Config } from './config.ts';
import { delivery, type DeliveryRequest } from './domain/delivery/delivery.ts';
import { fireDeliveryTimers } from './inbound/delivery-timers.ts';
import { answerFulfillmentApi } from './inbound/fulfillment-api.ts';
import { hearOrderEvents } from './inbound/order-events.ts';
import { answerTimelineApi } from './inbound/timeline-api.ts';
import { addCodes, resealCodes } from './outbound/codes.ts';
import { deliveryKeeper } from './outbound/delivery-keeper.ts';
import { countWaiting, readDeliveries, readLicences, readPools } from './outbound/fulfillment-queries.ts';
import type { FulfillmentTables } from './outbound/tables.ts';

export const home: ServiceHome = {
  name: 'fulfillment',
  schema: 'fulfillment',
  role: 'tillstream_fulfillment',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

export interface FulfillmentParts {
  readonly database: Database<FulfillmentTables>;
  readonly clients: { readonly order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'> };
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Config;
}

export function fulfillmentApp(parts: FulfillmentParts): ServiceApp {
  const { database, clients, clock, log } = parts;
  const vault = makeVault(parts.config.VAULT_KEYS);
  const deliveries = makePreparingPerformer({
    database,
    machine: delivery,
    keeper: deliveryKeeper,
    name: 'delivery',
    log,
  });
  const performOnce = (envelopes: readonly Envelope<DeliveryRequest>[]) => deliveries.performOnce(envelopes);
  return {
    name: home.name,
    database,
    rpc: [
      implement(
        FulfillmentApiService,
        answerFulfillmentApi({
          addCodes: (upload) => addCodes({ database, vault, clock }, upload),
          readPools: (merchantId, productIds) => readPools(database, merchantId, productIds),
          readLicences: (orders) => readLicences(database, vault, orders),
        }),
      ),
      implement(
        TimelineApiService,
        answerTimelineApi((merchantId, orderId) => readDeliveries(database, merchantId, orderId)),
      ),
    ],
    topics: [fulfillmentEvents],
    subscriptions: [hearOrderEvents({ order: clients.order, performOnce, clock, log })],
    timers: [fireDeliveryTimers({ performOnce, clock })],
    workers: [resealer(database, vault, log)],
    work: [
      {
        what: 'licence_codes',
        pending: async (merchantId) => ({ due: 0, stuck: await countWaiting(database, merchantId), next: [] }),
      },
    ],
  };
}

/** Once per start: after a start with a new key in front, no code is sealed with an old one for long. */
function resealer(database: Database<FulfillmentTables>, vault: Vault, log: Log): Worker {
  return {
    name: 'reseal',
    async run(signal) {
      const found = await resealCodes({ database, vault, log, signal });
      if (found.resealed > 0 || found.unreadable > 0) log.info(found, 'codes were sealed with the new key');
      if (!signal.aborted) await once(signal, 'abort');
    },
  };
}

export type { FulfillmentTables } from './outbound/tables.ts';

export { settings } from './config.ts';
