/** The pages customers see. An edge: it keeps nothing and decides nothing about orders; it asks the order service. */
import type { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import type { Client } from '@tillstream/rpc/client';
import type { Log } from '@tillstream/rpc/contract';
import type { ServiceApp } from '@tillstream/service/app';
import type { Config } from './config.ts';
import { openHttp } from './inbound/http.ts';

export interface CheckoutParts {
  readonly clients: { readonly order: Client<typeof OrderApiService> };
  readonly config: Config;
  readonly log: Log;
}

export function checkoutApp(parts: CheckoutParts): ServiceApp {
  const opening = openHttp({ order: parts.clients.order, config: parts.config, log: parts.log });
  // Reported where somebody waits for it: by listen().
  opening.catch(() => undefined);
  return {
    name: 'checkout',
    rpc: [],
    topics: [],
    subscriptions: [],
    timers: [],
    workers: [],
    http: {
      listen: async (options) => (await opening).listen(options),
      close: async () => (await opening).close(),
    },
  };
}

export { settings } from './config.ts';
