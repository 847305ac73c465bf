/** The services that stand behind the public API. */
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import { makeClient, type Client, type RpcChannel } from '@tillstream/rpc/client';

export interface Clients {
  readonly merchant: Client<typeof MerchantApiService>;
  readonly order: Client<typeof OrderApiService>;
  readonly payment: Client<typeof PaymentApiService>;
  readonly fulfillment: Client<typeof FulfillmentApiService>;
  readonly webhook: Client<typeof WebhookApiService>;
  /** Who knows something of an order, by the name that its entries carry. */
  readonly timelines: Readonly<Record<string, Client<typeof TimelineApiService>>>;
}

export type Behind = 'merchant' | 'order' | 'payment' | 'fulfillment' | 'notification' | 'webhook';

export function clientsOver(channel: (target: Behind) => RpcChannel): Clients {
  const timeline = (target: Behind) => makeClient(TimelineApiService, channel(target), { deadlineMs: 3_000 });
  return {
    merchant: makeClient(MerchantApiService, channel('merchant')),
    order: makeClient(OrderApiService, channel('order')),
    payment: makeClient(PaymentApiService, channel('payment')),
    // Ten thousand codes are sealed one by one.
    fulfillment: makeClient(FulfillmentApiService, channel('fulfillment'), { deadlineMs: 20_000 }),
    webhook: makeClient(WebhookApiService, channel('webhook'), { deadlineMs: 20_000 }),
    timelines: {
      order: timeline('order'),
      payment: timeline('payment'),
      fulfillment: timeline('fulfillment'),
      notification: timeline('notification'),
      'webhook-dispatcher': timeline('webhook'),
    },
  };
}
