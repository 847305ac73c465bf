/** The order service on a real database and carrier, between neighbours that are played. */
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { readPublicId } from '@tillstream/database/public-id';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import type { OutgoingMessage } from '@tillstream/messaging/message';
import { carrierHome } from '@tillstream/messaging/migrations';
import { toMessage } from '@tillstream/messaging/outgoing';
import { fulfillmentEvents, orderEvents, paymentEvents, subscriptionEvents } from '@tillstream/messaging/topics';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import { MerchantApiService, type Product } from '@tillstream/proto/merchant/v1/merchant_api';
import {
  OrderApiService,
  type AddToCartRequest,
  type Cart,
  type Customer,
  type Order,
  type PlaceOrderRequest,
} from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { PaymentApiService, type Payment } from '@tillstream/proto/payment/v1/payment_api';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { SubscriptionEvent } from '@tillstream/proto/subscription/v1/subscription_events';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { startApp, standIn } from '@tillstream/testkit/app';
import { turnableClock } from '@tillstream/testkit/clock';
import { testDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { home, orderApp, type OrderTables } from '../src/app.ts';
import { settings } from '../src/config.ts';
import { Neighbours } from './neighbours.ts';

export const jane: Customer = {
  country: 'DE',
  type: 'physical',
  email: 'jane@customer.example',
  firstName: 'Jane',
  lastName: 'Doe',
  phone: '',
  vatNumber: '',
  companyName: '',
  companyBillingAddress: '',
  companyDeliveryAddress: '',
};

export type World = Awaited<ReturnType<typeof openWorld>>;

export async function openWorld() {
  const [own, carrierDatabase] = await Promise.all([testDatabase(home), testDatabase(carrierHome)]);
  const log = quietLog();
  const clock = turnableClock();
  const carrier = embeddedCarrier({ url: carrierDatabase.url, log });
  const neighbours = new Neighbours();
  const others = await standIn(...neighbours.bindings());
  const database = own.open<OrderTables>();
  const parts = {
    database,
    clients: {
      merchant: others.client(MerchantApiService),
      payment: others.client(PaymentApiService),
      fulfillment: others.client(FulfillmentApiService),
      subscription: others.client(SubscriptionApiService),
    },
    clock,
    log,
    config: settings.parse({ CHECKOUT_URL: 'https://checkout.example' }),
  };
  const app = orderApp(parts);
  const running = await startApp(app, { carrier, clock, log });
  const api = running.client(OrderApiService);
  const said: OrderEvent[] = [];
  const ear = await carrier.subscribe({
    group: 'ear',
    topics: [orderEvents.name],
    handle: async (batch) => void said.push(...batch.map((message) => OrderEvent.decode(message.value))),
  });

  const cartOf = async (product: Product, more: Partial<Omit<AddToCartRequest, 'productId'>> = {}): Promise<Cart> => {
    const { cart } = await api.addToCart({
      cartId: '',
      productId: product.id,
      quantity: 0,
      currency: '',
      locale: 'en',
      clear: false,
      externalId: '',
      additionalData: [],
      ...more,
    });
    if (cart === undefined) throw new Error('no cart');
    return cart;
  };
  const place = (cart: Cart, more: Partial<PlaceOrderRequest> = {}) =>
    api.placeOrder({
      cartId: cart.id,
      cartVersion: cart.version,
      customer: jane,
      paymentMethod: 'CreditCard',
      termsAccepted: true,
      privacyAccepted: true,
      locale: 'en',
      totalMinor: cart.totalMinor,
      autoRenew: false,
      ...more,
    });
  const get = async (merchantId: string, orderId: bigint): Promise<Order> => {
    const { order } = await api.getOrder({ merchantId, orderId });
    if (order === undefined) throw new Error('no order');
    return order;
  };

  return {
    neighbours,
    own,
    database,
    carrier,
    clock,
    log,
    parts,
    app,
    api,
    timeline: running.client(TimelineApiService),
    /** What the service said of one order, in order. */
    saidOf: (orderId: bigint) => said.filter((event) => event.orderId === orderId),
    cartOf,
    place,
    get,
    /** An order of these products, in one step. */
    async order(...products: readonly Product[]): Promise<Order> {
      const [first, ...further] = products;
      if (first === undefined) throw new Error('an order needs a product');
      let cart = await cartOf(first);
      for (const product of further) cart = await cartOf(product, { cartId: cart.id });
      const { orderId } = await place(cart);
      return get(first.merchantId, orderId);
    },
    /** Waits until the order is as wanted. */
    until: (order: Order, isSo: (now: Order) => boolean): Promise<Order> =>
      eventually(async () => {
        const now = await get(order.merchantId, order.orderId);
        return isSo(now) ? now : undefined;
      }),
    /** Timers are due by the database's clock: the row is moved instead of the clock. */
    daysPass: (order: Order, interval: string) =>
      database.pool.query(`update timer set due_at = due_at - $2::interval where aggregate_id = $1 returning due_at`, [
        String(order.orderId),
        interval,
      ]),
    hear: (...messages: readonly OutgoingMessage[]) => carrier.publish(messages),
    async close() {
      await ear.stop();
      await running.stop();
      await others.stop();
      await carrier.close();
      await Promise.all([own.drop(), carrierDatabase.drop()]);
    },
  };
}

export function traceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

function eventOf(merchantId: string) {
  const event = { eventId: randomUUIDv7(), now: new Date(), traceparent: traceparent(), merchantId };
  const { now, ...rest } = event;
  return { event, header: { ...rest, aggregateVersion: 1n, occurredAt: now, schemaVersion: 1 } };
}

/** What the payment service says of a payment, which it calls by its UUID there. Undefined: something that is not known yet. */
export function paymentMessage(payment: Payment, payload: PaymentEvent['payload']): OutgoingMessage {
  const { event, header } = eventOf(payment.merchantId);
  const value = PaymentEvent.encode({
    header,
    paymentId: readPublicId('pay', payment.id) ?? '',
    orderId: payment.orderId,
    payload,
  }).finish();
  return toMessage(paymentEvents, 'payment', String(payment.orderId), event, value);
}

/** What the subscription service says of a parent's item. */
export function subscriptionMessage(
  parent: Order,
  parentItemId: bigint,
  payload: SubscriptionEvent['payload'],
): OutgoingMessage {
  const { event, header } = eventOf(parent.merchantId);
  const value = SubscriptionEvent.encode({
    header,
    subscriptionId: `${parent.orderId}_${parentItemId}`,
    parentOrderId: parent.orderId,
    parentItemId,
    payload,
  }).finish();
  return toMessage(subscriptionEvents, 'subscription', String(parent.orderId), event, value);
}

export function bookedMessage(payment: Payment): OutgoingMessage {
  return paymentMessage(payment, {
    $case: 'paymentBooked',
    value: { amountMinor: payment.amountMinor, currency: payment.currency },
  });
}

export function failedMessage(payment: Payment): OutgoingMessage {
  return paymentMessage(payment, { $case: 'paymentFailed', value: { reason: payment.reason } });
}

export function deliveredMessage(order: Order, itemId: bigint): OutgoingMessage {
  const { event, header } = eventOf(order.merchantId);
  const value = FulfillmentEvent.encode({
    header,
    orderId: order.orderId,
    payload: { $case: 'itemDelivered', value: { itemId, codeCount: 1 } },
  }).finish();
  return toMessage(fulfillmentEvents, 'fulfillment', String(order.orderId), event, value);
}
