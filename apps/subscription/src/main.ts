import process from 'node:process';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { makeClient } from '@tillstream/rpc/client';
import { runProcess } from '@tillstream/service/process';
import { home, settings, subscriptionApp, type SubscriptionTables } from './app.ts';

await runProcess<typeof settings, SubscriptionTables>({
  process,
  name: home.name,
  home,
  settings,
  app: (parts) =>
    subscriptionApp({
      ...parts,
      clients: {
        order: makeClient(OrderApiService, parts.channel('order')),
        merchant: makeClient(MerchantApiService, parts.channel('merchant')),
      },
    }),
});
