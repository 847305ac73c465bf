import process from 'node:process';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { makeClient } from '@tillstream/rpc/client';
import { runProcess } from '@tillstream/service/process';
import { home, webhookApp } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, object>({
  process,
  name: home.name,
  home,
  settings,
  app: (parts) =>
    webhookApp({
      ...parts,
      database: parts.database,
      clients: {
        order: makeClient(OrderApiService, parts.channel('order')),
        fulfillment: makeClient(FulfillmentApiService, parts.channel('fulfillment')),
        payment: makeClient(PaymentApiService, parts.channel('payment')),
      },
    }),
});
