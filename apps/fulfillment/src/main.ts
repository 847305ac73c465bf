import process from 'node:process';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { makeClient } from '@tillstream/rpc/client';
import { runProcess } from '@tillstream/service/process';
import { fulfillmentApp, home, type FulfillmentTables } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, FulfillmentTables>({
  process,
  name: home.name,
  home,
  settings,
  app: (parts) => fulfillmentApp({ ...parts, clients: { order: makeClient(OrderApiService, parts.channel('order')) } }),
});
