/** An order is paid: each of its items is to be delivered. Nothing else that orders say starts a delivery (R28). */
import { createHash } from 'node:crypto';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Log } from '@tillstream/messaging/log';
import type { IncomingMessage, Subscription } from '@tillstream/messaging/message';
import { orderEvents } from '@tillstream/messaging/topics';
import type { OrderApiService, OrderDocument, OrderItem } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import type { Client } from '@tillstream/rpc/client';
import type { DeliveryRequest } from '../domain/delivery/delivery.ts';
import type { DeliveryItem } from '../domain/delivery/method.ts';
import { isMethod } from '../domain/delivery/methods.ts';

export function hearOrderEvents(parts: {
  readonly order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'>;
  readonly performOnce: (envelopes: readonly Envelope<DeliveryRequest>[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}): Subscription {
  const { order, performOnce, clock, log } = parts;
  return {
    group: 'fulfillment',
    topics: [orderEvents.name],
    async handle(batch) {
      const paid = batch.flatMap((message) => readPaid(message, log));
      if (paid.length === 0) return;
      const keys = paid.map(({ merchantId, orderId, version }) => ({ merchantId, orderId, version }));
      const { documents } = await order.getOrderDocuments({ keys });
      const known = new Map(documents.map((document) => [keyOf(document.key), document]));
      const envelopes = paid.flatMap((event) => {
        const { merchantId, messageId, traceparent } = event;
        const now = clock.now(merchantId);
        return itemsOf(known.get(keyOf(event)), event.orderId).map((item): Envelope<DeliveryRequest> => ({
          id: String(item.itemId),
          merchantId,
          command: { type: 'requestDelivery', item },
          now,
          messageId: idPerItem(messageId, item.itemId),
          traceparent,
        }));
      });
      await performOnce(envelopes);
    },
  };
}

interface Paid {
  readonly merchantId: string;
  readonly orderId: bigint;
  readonly version: bigint;
  readonly messageId: string;
  readonly traceparent: string;
}

function readPaid(message: IncomingMessage, log: Log): readonly Paid[] {
  const { header, orderId, payload } = OrderEvent.decode(message.value);
  if (payload === undefined)
    log.info({ message_id: message.headers.ce_id }, 'a newer sender said something I do not know yet');
  if (payload?.$case !== 'orderPaid') return [];
  if (header === undefined) throw new Error('an order event without a header');
  return [
    {
      merchantId: header.merchantId,
      orderId,
      version: header.aggregateVersion,
      messageId: message.headers.ce_id,
      traceparent: message.headers.traceparent,
    },
  ];
}

/** Throws, so that it is tried again: the order says of itself that it is paid, so it must be there. */
function itemsOf(document: OrderDocument | undefined, orderId: bigint): readonly DeliveryItem[] {
  if (document?.order === undefined)
    throw new Error(`order ${orderId} is paid, but the order service does not know it`);
  return document.order.items.map((item) => ({
    orderId,
    itemId: item.id,
    productId: item.productId,
    method: readMethod(item),
    quantity: item.quantity,
    oneCodePer: readOneCodePer(item),
    ...chainOf(item),
  }));
}

/** A parent is the first of its chain: it has nothing before it. */
function chainOf({ subscription }: OrderItem): Pick<DeliveryItem, 'firstItemId' | 'previousItemId'> {
  if (subscription === undefined || subscription.previousItemId === 0n) return { firstItemId: 0n, previousItemId: 0n };
  return { firstItemId: subscription.parentItemId, previousItemId: subscription.previousItemId };
}

/** A newer catalogue may know more: the message is parked and delivered once this service knows it too. */
function readMethod(item: OrderItem): DeliveryItem['method'] {
  if (!isMethod(item.deliveryMethod))
    throw new Error(`item ${item.id} is delivered by ${item.deliveryMethod}, which is not known here`);
  return item.deliveryMethod;
}

function readOneCodePer(item: OrderItem): DeliveryItem['oneCodePer'] {
  if (item.oneCodePer !== 'unit' && item.oneCodePer !== 'product')
    throw new Error(`item ${item.id} wants one code per ${item.oneCodePer}`);
  return item.oneCodePer;
}

/** One message asks for several deliveries; each remembers it under an id of its own. */
function idPerItem(messageId: string, itemId: bigint): string {
  const hex = createHash('sha256').update(`${messageId} ${itemId}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function keyOf(
  key: { readonly merchantId: string; readonly orderId: bigint; readonly version: bigint } | undefined,
): string {
  return key === undefined ? '' : `${key.merchantId} ${key.orderId} ${key.version}`;
}
