/** The services that stand behind the public API. */
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { TestClockApiService } from '@tillstream/proto/merchant/v1/test_clock_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import { makeClient, type Client, type RpcChannel } from '@tillstream/rpc/client';
import { servicesWithTimeline, type ServiceName } from '@tillstream/service/manifest';

export interface Clients {
  readonly merchant: Client<typeof MerchantApiService>;
  readonly testClock: Client<typeof TestClockApiService>;
  readonly order: Client<typeof OrderApiService>;
  readonly payment: Client<typeof PaymentApiService>;
  readonly fulfillment: Client<typeof FulfillmentApiService>;
  readonly subscription: Client<typeof SubscriptionApiService>;
  readonly webhook: Client<typeof WebhookApiService>;
  /** Who knows something of an order, by the name that its entries carry. */
  readonly timelines: Readonly<Record<string, Client<typeof TimelineApiService>>>;
}

export function clientsOver(channel: (target: ServiceName) => RpcChannel): Clients {
  const timeline = (target: ServiceName) => makeClient(TimelineApiService, channel(target), { deadlineMs: 3_000 });
  return {
    merchant: makeClient(MerchantApiService, channel('merchant')),
    testClock: makeClient(TestClockApiService, channel('merchant')),
    order: makeClient(OrderApiService, channel('order')),
    payment: makeClient(PaymentApiService, channel('payment')),
    // Ten thousand codes are sealed one by one.
    fulfillment: makeClient(FulfillmentApiService, channel('fulfillment'), { deadlineMs: 20_000 }),
    subscription: makeClient(SubscriptionApiService, channel('subscription')),
    webhook: makeClient(WebhookApiService, channel('webhook-dispatcher'), { deadlineMs: 20_000 }),
    timelines: Object.fromEntries(servicesWithTimeline.map((name) => [name, timeline(name)])),
  };
}
