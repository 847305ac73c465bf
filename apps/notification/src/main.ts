import process from 'node:process';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { makeClient } from '@tillstream/rpc/client';
import { runProcess } from '@tillstream/service/process';
import { home, notificationApp, type NotificationTables } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, NotificationTables>({
  process,
  name: home.name,
  home,
  settings,
  app: (parts) =>
    notificationApp({
      ...parts,
      clients: {
        merchant: makeClient(MerchantApiService, parts.channel('merchant')),
        order: makeClient(OrderApiService, parts.channel('order')),
        fulfillment: makeClient(FulfillmentApiService, parts.channel('fulfillment')),
      },
    }),
});
