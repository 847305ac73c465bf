/** The orders as they were at an event, with their licence codes; asked for in batches. */
import { instrumentOf } from '@tillstream/instrument/wire';
import type { FulfillmentApiService, Licence } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { ItemSubscription, Order, OrderApiService, OrderItem } from '@tillstream/proto/order/v1/order_api';
import type { Client } from '@tillstream/rpc/client';
import type { OrderDocument, PaymentPart, ProductPart, SubscriptionPart } from '../domain/payload/document.ts';
import type { OrderAt, OrderKey } from '../ports.ts';

// What the other services answer at once.
const maxAtOnce = 500;

/** Of each order at its version; undefined for one that the order service does not know. */
export async function fetchOrders(
  order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'>,
  keys: readonly OrderKey[],
): Promise<(key: OrderKey) => OrderAt | undefined> {
  const nameOf = (key: OrderKey) => `${key.merchantId} ${key.orderId} ${key.version}`;
  const wanted = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
  const found = new Map<string, OrderAt>();
  for (let from = 0; from < wanted.length; from += maxAtOnce) {
    const { documents } = await order.getOrderDocuments({ keys: wanted.slice(from, from + maxAtOnce) });
    for (const each of documents) {
      if (each.key === undefined || each.order === undefined) continue;
      found.set(nameOf(each.key), { order: each.order, document: toDocument(each.order) });
    }
  }
  return (key) => found.get(nameOf(key));
}

/** In the order of the units of each item. */
export async function fetchLicences(
  fulfillment: Pick<Client<typeof FulfillmentApiService>, 'getLicences'>,
  orders: readonly { readonly merchantId: string; readonly orderId: bigint }[],
): Promise<readonly Licence[]> {
  const wanted = [
    ...new Map(orders.map(({ merchantId, orderId }) => [`${merchantId} ${orderId}`, { merchantId, orderId }])).values(),
  ];
  const licences: Licence[] = [];
  for (let from = 0; from < wanted.length; from += maxAtOnce)
    licences.push(...(await fulfillment.getLicences({ orders: wanted.slice(from, from + maxAtOnce) })).licences);
  return licences.toSorted((a, b) => a.unitNo - b.unitNo);
}

function toDocument(order: Order): OrderDocument {
  if (order.createdAt === undefined || order.customer === undefined)
    throw new Error(`the document of order ${order.orderId} is not complete`);
  const { customer } = order;
  return {
    orderId: order.orderId,
    orderName: order.orderName,
    status: order.status,
    externalId: order.externalId,
    createdAt: order.createdAt,
    paidAt: order.paidAt,
    currency: order.currency,
    locale: order.locale,
    detailUrl: order.detailUrl,
    timeZone: order.timeZone === '' ? 'UTC' : order.timeZone,
    customer,
    items: order.items.map(toProduct),
    payment: toPayment(order),
    additionalData: order.additionalData,
  };
}

function toProduct(item: OrderItem): ProductPart {
  return {
    ...item,
    itemId: item.id,
    isDelivered: item.deliveredAt !== undefined,
    subscription: item.subscription === undefined ? undefined : toSubscription(item.subscription),
  };
}

function toSubscription(subscription: ItemSubscription): SubscriptionPart {
  const { expiresAt } = subscription;
  if (expiresAt === undefined) throw new Error(`subscription ${subscription.id} has no expiration`);
  return { ...subscription, expiresAt };
}

/** Before a payment is begun only the chosen method is known, and of a child order the saved instrument. */
function toPayment(order: Order): PaymentPart {
  const { payment } = order;
  const method = payment === undefined || payment.method === '' ? order.paymentMethod : payment.method;
  const chosenName = method === order.paymentMethod ? order.paymentSystemName : '';
  return {
    method,
    // Both names are the catalogue's. A method that it has dropped is called by its code.
    systemName: payment?.systemName || chosenName || method,
    instrument: payment === undefined ? undefined : instrumentOf(payment),
    errorCode: payment === undefined || payment.errorCode === '' ? (payment?.reason ?? '') : payment.errorCode,
    errorDescription: payment?.errorDescription ?? '',
  };
}
