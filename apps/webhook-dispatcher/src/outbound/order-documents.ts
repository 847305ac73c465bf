/** The orders as they were at an event, asked for in batches, in the payload's words. */
import { instrumentOf } from '@tillstream/instrument/wire';
import type { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { ItemSubscription, Order, OrderApiService, OrderItem } from '@tillstream/proto/order/v1/order_api';
import type { Client } from '@tillstream/rpc/client';
import type { OrderDocument, PaymentPart, ProductPart, SubscriptionPart } from '../domain/payload/document.ts';

export interface DocumentKey {
  readonly merchantId: string;
  readonly orderId: bigint;
  readonly version: bigint;
}

export interface FoundDocument {
  readonly livemode: boolean;
  readonly document: OrderDocument;
}

// What the other services answer at once.
const most = 500;

/** By `documentName(key)`; unknown ones are left out. */
export async function fetchDocuments(
  order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'>,
  keys: readonly DocumentKey[],
): Promise<ReadonlyMap<string, FoundDocument>> {
  const wanted = [...new Map(keys.map((key) => [documentName(key), key])).values()];
  const found = new Map<string, FoundDocument>();
  for (let from = 0; from < wanted.length; from += most) {
    const { documents } = await order.getOrderDocuments({ keys: wanted.slice(from, from + most) });
    for (const each of documents) {
      if (each.key === undefined || each.order === undefined) continue;
      found.set(documentName(each.key), { livemode: each.order.livemode, document: toDocument(each.order) });
    }
  }
  return found;
}

export function documentName(key: DocumentKey): string {
  return `${key.merchantId} ${key.orderId} ${key.version}`;
}

/** The codes of each item, in the order of its units. */
export async function fetchCodes(
  fulfillment: Pick<Client<typeof FulfillmentApiService>, 'getLicences'>,
  orders: readonly { readonly merchantId: string; readonly orderId: bigint }[],
): Promise<ReadonlyMap<bigint, readonly string[]>> {
  const wanted = [
    ...new Map(orders.map(({ merchantId, orderId }) => [`${merchantId} ${orderId}`, { merchantId, orderId }])).values(),
  ];
  const codes = new Map<bigint, string[]>();
  for (let from = 0; from < wanted.length; from += most) {
    const { licences } = await fulfillment.getLicences({ orders: wanted.slice(from, from + most) });
    for (const licence of licences.toSorted((a, b) => a.unitNo - b.unitNo)) {
      codes.set(licence.itemId, [...(codes.get(licence.itemId) ?? []), licence.code]);
    }
  }
  return codes;
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
