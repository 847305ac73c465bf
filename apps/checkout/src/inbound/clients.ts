import type { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import type { Client } from '@tillstream/rpc/client';
import type { Config } from '../config.ts';

/** What the routes need from outside. */
export interface RouteParts {
  readonly order: Client<typeof OrderApiService>;
  readonly config: Config;
}

export function isSecure(config: Config): boolean {
  return config.CHECKOUT_URL.startsWith('https:');
}
