import process from 'node:process';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { makeClient } from '@tillstream/rpc/client';
import { runProcess } from '@tillstream/service/process';
import { checkoutApp } from './app.ts';
import { settings } from './config.ts';

await runProcess({
  process,
  name: 'checkout',
  settings,
  app: (parts) =>
    checkoutApp({
      clients: { order: makeClient(OrderApiService, parts.channel('order')) },
      config: parts.config,
      log: parts.log,
    }),
});
