/** The merchant service: accounts, keys, settings, products. Plain rows, no machine: nothing here has a life of its own. */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import type { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { TestClockApiService } from '@tillstream/proto/merchant/v1/test_clock_api';
import type { Client } from '@tillstream/rpc/client';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp } from '@tillstream/service/app';
import { servicesWithClock } from '@tillstream/service/manifest';
import type { Config } from './config.ts';
import { answerMerchantApi } from './inbound/merchant-api.ts';
import { answerTestClockApi } from './inbound/test-clock-api.ts';
import { TimeMachine } from './inbound/time-machine.ts';
import { Accounts } from './outbound/accounts.ts';
import { ApiKeys } from './outbound/api-keys.ts';
import { Products } from './outbound/products.ts';
import { TestClocks } from './outbound/test-clocks.ts';
import type { MerchantTables } from './outbound/tables.ts';

export const home: ServiceHome = {
  name: 'merchant',
  schema: 'merchant',
  role: 'tillstream_merchant',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

/** Every service in which something is due. The merchant service itself stamps nothing that a subscription sees. */
export const travellers = servicesWithClock;

export interface MerchantParts {
  readonly database: Database<MerchantTables>;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Config;
  /** The services whose clocks the time machine sets, by name. */
  readonly travellers: Readonly<Record<string, Client<typeof ClockApiService>>>;
}

export function merchantApp(parts: MerchantParts): ServiceApp {
  const { database, clock, log, config } = parts;
  const stores = {
    accounts: new Accounts(database),
    keys: new ApiKeys(database, config.KEY_PEPPER),
    products: new Products(database),
  };
  const clocks = new TestClocks(database);
  const machine = new TimeMachine({
    clocks,
    travellers: Object.entries(parts.travellers).map(([name, client]) => ({ ...client, name })),
    log,
  });
  const testClock = answerTestClockApi({
    merchants: stores.accounts,
    clocks,
    ring: () => machine.ring(),
    wallNow: () => new Date(),
  });
  return {
    name: home.name,
    database,
    rpc: [implement(MerchantApiService, answerMerchantApi(stores, clock)), implement(TestClockApiService, testClock)],
    topics: [],
    subscriptions: [],
    timers: [],
    workers: [machine],
  };
}

export type { MerchantTables } from './outbound/tables.ts';

export { settings } from './config.ts';
