/** Answers OrderApi. */
import { instrumentFields, instrumentOf } from '@tillstream/instrument/wire';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Log } from '@tillstream/messaging/log';
import type { Answer } from '@tillstream/messaging/perform';
import type {
  GetLicencesRequest,
  GetLicencesResponse,
  Licence,
} from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type {
  DocumentKey,
  ListOrdersRequest,
  Order as WireOrder,
  OrderApiService,
  OrderDocument,
  PaymentSummary,
} from '@tillstream/proto/order/v1/order_api';
import type {
  Payment as WirePayment,
  RefreshPaymentRequest,
  RefreshPaymentResponse,
} from '@tillstream/proto/payment/v1/payment_api';
import type {
  CancelSubscriptionRequest,
  ListSubscriptionsRequest,
  ListSubscriptionsResponse,
  RestoreSubscriptionRequest,
  Subscription as WireSubscription,
} from '@tillstream/proto/subscription/v1/subscription_api';
import { Refused } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import type { OrderCommand, OrderEvent, OrderRefusal, OrderState } from '../domain/order.ts';
import type { CartDesk } from './cart-desk.ts';
import type { OrderDesk } from './order-desk.ts';
import type { CatalogueReader, OpenedOrder, ShopFacts } from '../ports.ts';

export interface OrderApiParts {
  readonly cartDesk: CartDesk;
  readonly orderDesk: OrderDesk;
  readonly orders: {
    get(merchantId: string, orderId: bigint): Promise<WireOrder | undefined>;
    list(merchantId: string, filter: ListOrdersRequest): Promise<{ orders: readonly WireOrder[]; hasMore: boolean }>;
  };
  readonly documents: { get(keys: readonly DocumentKey[]): Promise<readonly OrderDocument[]> };
  readonly catalogue: CatalogueReader;
  readonly performer: {
    perform(
      envelopes: readonly Envelope<OrderCommand>[],
    ): Promise<readonly Answer<OrderState, OrderEvent, OrderRefusal>[]>;
  };
  refreshPayment(request: RefreshPaymentRequest): Promise<RefreshPaymentResponse>;
  newestPayment(merchantId: string, orderId: bigint): Promise<WirePayment | undefined>;
  getLicences(request: GetLicencesRequest): Promise<GetLicencesResponse>;
  readonly subscriptions: {
    list(request: ListSubscriptionsRequest): Promise<ListSubscriptionsResponse>;
    cancel(request: CancelSubscriptionRequest): Promise<unknown>;
    restore(request: RestoreSubscriptionRequest): Promise<unknown>;
  };
  readonly clock: Clock;
  readonly log: Log;
}

const mostDocuments = 500;

export function answerOrderApi(parts: OrderApiParts): Handlers<typeof OrderApiService> {
  const { cartDesk, orderDesk, orders, performer, clock } = parts;
  return {
    addToCart: async (request) => ({ cart: await cartDesk.add(request) }),
    getCart: async ({ cartId }) => ({ cart: await cartDesk.show(await cartDesk.find(cartId)) }),
    changeCart: async (request) => ({ cart: await cartDesk.change(request) }),
    placeOrder: (request) => orderDesk.place(request),
    beginPayment: (request) => orderDesk.beginPayment(request),
    async openOrder(request) {
      const opened = await orderDesk.open(request.orderId, request.token);
      const { order } = opened;
      const [shop, payment, codes, subscriptions, methods] = await Promise.all([
        shopOf(parts, opened),
        newestOf(parts, opened, request.refresh),
        request.withCodes ? codesOf(parts, opened) : [],
        subscriptionsOf(parts, opened),
        order.status === 'not paid' ? orderDesk.methodsFor(opened.merchantId, order.placed) : [],
      ]);
      // What refreshing found may have reached the order by now; the page is shown again while it has not.
      const { shopName, supportEmail, supportUrl } = shop;
      const wire = { ...opened.wire, payment: payment ?? opened.wire.payment };
      return {
        order: { ...wire, paymentMethods: [...methods], shownMethod: await orderDesk.shownMethod(wire) },
        codes,
        subscriptions: [...subscriptions],
        shopName,
        supportEmail,
        supportUrl,
      };
    },
    async getOrder({ merchantId, orderId }) {
      const order = await orders.get(merchantId, orderId);
      if (order === undefined) throw new Refused('order_not_found');
      return { order };
    },
    async listOrders(request) {
      const { orders: found, hasMore } = await orders.list(request.merchantId, request);
      return { orders: [...found], hasMore };
    },
    async deleteOrder({ merchantId, orderId }) {
      if ((await orders.get(merchantId, orderId)) === undefined) throw new Refused('order_not_found');
      const now = clock.now(merchantId);
      const [answer] = await performer.perform([
        { id: String(orderId), merchantId, command: { type: 'delete', reason: 'by_merchant' }, now },
      ]);
      if (answer?.answer === 'refused') throw new Refused(answer.reason);
      return { order: await orders.get(merchantId, orderId) };
    },
    async resendLicences({ merchantId, orderId, requestId }) {
      if ((await orders.get(merchantId, orderId)) === undefined) throw new Refused('order_not_found');
      const now = clock.now(merchantId);
      const [answer] = await performer.perform([
        { id: String(orderId), merchantId, command: { type: 'resendLicences', requestId }, now },
      ]);
      if (answer?.answer === 'refused') throw new Refused(answer.reason);
      const asked = answer?.answer === 'accepted' ? answer.events : [];
      const items = asked.flatMap((event) => (event.type === 'orderLicencesAsked' ? event.itemIds : []));
      return { order: await orders.get(merchantId, orderId), items: items.length };
    },
    async changeSubscription({ orderId, token, subscriptionId, action }) {
      const { merchantId, order } = await orderDesk.open(orderId, token);
      // On the parent's page only: a child's page shows the order.
      const isShown = [...order.subscriptions.values()].some((each) => each.id === subscriptionId);
      if (order.placed.renewal !== undefined || !isShown) throw new Refused('subscription_not_found');
      const change = { merchantId, subscriptionId, by: 'customer', suppressCustomerNotification: false };
      if (action === 'cancel') await parts.subscriptions.cancel(change);
      else if (action === 'restore') await parts.subscriptions.restore(change);
      else throw new Refused('invalid_field', { param: 'action' });
      return {};
    },
    getOrderDocuments: async ({ keys }) => ({
      documents: [...(await parts.documents.get(keys.slice(0, mostDocuments)))],
    }),
  };
}

/**
 * What the order's page shows besides the order may be missing; it must not take so long that the page is missing. Who asks
 * for the page waits five seconds.
 */
export const decorationMs = 2_000;

/** The shop as it is now, else as it was when the order was placed. */
async function shopOf(
  parts: OrderApiParts,
  { merchantId, order }: OpenedOrder,
): Promise<Pick<ShopFacts, 'shopName' | 'supportEmail' | 'supportUrl'>> {
  try {
    return await parts.catalogue.shop(merchantId, { deadlineMs: decorationMs });
  } catch (error) {
    const { orderId, shopName, supportEmail } = order.placed;
    parts.log.warn({ err: error, order_id: String(orderId) }, 'the order is shown with the shop as it was');
    return { shopName, supportEmail, supportUrl: '' };
  }
}

/** A payment service that does not answer is no reason not to show the order. */
async function newestOf(
  parts: OrderApiParts,
  opened: OpenedOrder,
  refresh: boolean,
): Promise<PaymentSummary | undefined> {
  if (opened.order.status === 'paid') return undefined;
  const { merchantId } = opened;
  const { orderId } = opened.order.placed;
  try {
    const payment = refresh
      ? (await parts.refreshPayment({ merchantId, orderId })).payment
      : await parts.newestPayment(merchantId, orderId);
    return payment === undefined ? undefined : summaryOf(payment);
  } catch (error) {
    parts.log.warn(
      { err: error, order_id: String(orderId) },
      'the order is shown without what the payment service knows',
    );
    return undefined;
  }
}

async function codesOf(
  parts: OrderApiParts,
  { merchantId, order }: OpenedOrder,
): Promise<{ itemId: bigint; codes: string[] }[]> {
  if (order.status !== 'paid') return [];
  const shown = order.placed.items.filter((item) => item.showOnOrderPage && order.deliveredAt.has(item.id));
  if (shown.length === 0) return [];
  const { orderId } = order.placed;
  let licences: readonly Licence[];
  try {
    ({ licences } = await parts.getLicences({ orders: [{ merchantId, orderId }] }));
  } catch (error) {
    parts.log.warn({ err: error, order_id: String(orderId) }, 'the order is shown without its licences');
    return [];
  }
  return shown.map((item) => ({
    itemId: item.id,
    codes: licences.filter((licence) => licence.itemId === item.id).map((licence) => licence.code),
  }));
}

// As many as an order has items.
const mostSubscriptions = 100;

/** Of a parent, as they are now; a subscription service that does not answer is no reason not to show the order. */
async function subscriptionsOf(
  parts: OrderApiParts,
  { merchantId, order }: OpenedOrder,
): Promise<readonly WireSubscription[]> {
  const { orderId, renewal } = order.placed;
  if (renewal !== undefined || order.subscriptions.size === 0) return [];
  try {
    const { subscriptions } = await parts.subscriptions.list({
      merchantId,
      orderId,
      limit: mostSubscriptions,
      startingAfter: '',
      endingBefore: '',
      status: '',
    });
    return subscriptions;
  } catch (error) {
    parts.log.warn({ err: error, order_id: String(orderId) }, 'the order is shown without its subscriptions');
    return [];
  }
}

function summaryOf(payment: WirePayment): PaymentSummary {
  const { createdAt, expiresAt } = payment;
  const openMs = createdAt === undefined || expiresAt === undefined ? 0 : expiresAt.getTime() - createdAt.getTime();
  return {
    paymentId: payment.id,
    status: payment.status,
    method: payment.method,
    systemName: payment.systemName,
    ...instrumentFields(instrumentOf(payment)),
    errorCode: payment.providerErrorCode,
    errorDescription: payment.providerErrorDescription,
    reason: payment.reason,
    moneyMoved: payment.moneyMoved,
    instrumentId: payment.instrumentId,
    expiryMinutes: Math.round(openMs / 60_000),
  };
}
