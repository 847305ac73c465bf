/** The merchant service: accounts, keys, settings, products. Plain rows, no machine: nothing here has a life of its own. */
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { Clock } from '@tillstream/messaging/clock';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { implement } from '@tillstream/rpc/server';
import type { ServiceApp } from '@tillstream/service/app';
import type { Config } from './config.ts';
import { answerMerchantApi } from './inbound/merchant-api.ts';
import { Accounts } from './outbound/accounts.ts';
import { ApiKeys } from './outbound/api-keys.ts';
import { Products } from './outbound/products.ts';
import type { MerchantTables } from './outbound/tables.ts';

export const home: ServiceHome = {
  name: 'merchant',
  schema: 'merchant',
  role: 'tillstream_merchant',
  migrations: new URL('../migrations/', import.meta.url),
  shared: [messagingMigrations],
};

export function merchantApp(parts: { database: Database<MerchantTables>; clock: Clock; config: Config }): ServiceApp {
  const { database, clock, config } = parts;
  const stores = {
    accounts: new Accounts(database),
    keys: new ApiKeys(database, config.KEY_PEPPER),
    products: new Products(database),
  };
  return {
    name: home.name,
    database,
    rpc: [implement(MerchantApiService, answerMerchantApi(stores, clock))],
    topics: [],
    subscriptions: [],
    timers: [],
    workers: [],
  };
}

export type { MerchantTables } from './outbound/tables.ts';

export { settings } from './config.ts';
