import process from 'node:process';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { makeClient } from '@tillstream/rpc/client';
import { runProcess } from '@tillstream/service/process';
import { home, orderApp, type OrderTables } from './app.ts';
import { settings } from './config.ts';

await runProcess<typeof settings, OrderTables>({
  process,
  name: home.name,
  home,
  settings,
  app: (parts) =>
    orderApp({
      database: parts.database,
      clock: parts.clock,
      log: parts.log,
      config: parts.config,
      clients: {
        merchant: makeClient(MerchantApiService, parts.channel('merchant')),
        payment: makeClient(PaymentApiService, parts.channel('payment')),
        fulfillment: makeClient(FulfillmentApiService, parts.channel('fulfillment')),
        subscription: makeClient(SubscriptionApiService, parts.channel('subscription')),
      },
    }),
});
