/** News of orders → commands of subscriptions. */
import { createHash } from 'node:crypto';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { IncomingMessage } from '@tillstream/messaging/message';
import type { DocumentKey, Order, OrderApiService, OrderItem } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent, type Renewal } from '@tillstream/proto/order/v1/order_events';
import type { Client } from '@tillstream/rpc/client';
import { probe } from '@tillstream/telemetry/probe';
import type { Agreement, PlanType, RunningTerm } from '../domain/agreement.ts';
import type { SubscriptionCommand } from '../domain/subscription.ts';

export interface OrderNewsParts {
  readonly performer: { performOnce(envelopes: readonly Envelope<SubscriptionCommand>[]): Promise<unknown> };
  readonly order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'>;
  readonly clock: Clock;
}

interface Heard {
  readonly message: IncomingMessage;
  readonly event: OrderEvent;
  readonly merchantId: string;
}

/** A batch is one question and one commit, however many terms it begins. */
export function hearOrders(parts: OrderNewsParts): (batch: readonly IncomingMessage[]) => Promise<void> {
  return async (batch) => {
    const heard = batch
      .map((message) => ({ message, event: OrderEvent.decode(message.value), merchantId: message.headers.merchant_id }))
      .filter(({ event }) => concernsUs(event));
    if (heard.length === 0) return;
    const orderOf = await askDocuments(
      parts,
      heard.filter(({ event }) => event.payload?.$case === 'orderPaid').map(keyOf),
    );
    const envelopes = heard.flatMap((each) => envelopesOf(parts, each, orderOf));
    if (envelopes.some(({ command }) => command.type === 'recordPaid')) probe('term paid');
    await parts.performer.performOnce(envelopes);
  };
}

/** What a newer sender says that is not known here yet concerns somebody else. */
function concernsUs({ payload }: OrderEvent): boolean {
  switch (payload?.$case) {
    case 'orderPaid':
      return payload.value.startsSubscriptions || payload.value.renewal !== undefined;
    case 'orderCreated':
    case 'orderPaymentFailed':
    case 'orderDeleted':
      return payload.value.renewal !== undefined;
    default:
      return false;
  }
}

function keyOf({ event, merchantId }: Heard): DocumentKey {
  return { merchantId, orderId: event.orderId, version: event.header?.aggregateVersion ?? 0n };
}

function textOf({ merchantId, orderId, version }: DocumentKey): string {
  return `${merchantId} ${orderId} ${version}`;
}

/** Throws where there is none, so that it is tried again: the order says of itself that it is paid. */
async function askDocuments(
  { order }: OrderNewsParts,
  keys: readonly DocumentKey[],
): Promise<(key: DocumentKey) => Order> {
  const { documents } = keys.length === 0 ? { documents: [] } : await order.getOrderDocuments({ keys: [...keys] });
  const known = new Map(documents.flatMap(({ key, order: each }) => (key === undefined ? [] : [[textOf(key), each]])));
  return (key) => {
    const found = known.get(textOf(key));
    if (found === undefined) throw new Error(`order ${key.orderId} is paid, but the order service does not know it`);
    return found;
  };
}

function envelopesOf(
  { clock }: OrderNewsParts,
  heard: Heard,
  orderOf: (key: DocumentKey) => Order,
): Envelope<SubscriptionCommand>[] {
  const { message, event, merchantId } = heard;
  const at = clock.now(merchantId);
  const envelope = (id: string, command: SubscriptionCommand): Envelope<SubscriptionCommand> => ({
    id,
    merchantId,
    command,
    now: at,
    messageId: message.headers.ce_id,
    traceparent: message.headers.traceparent,
  });
  const { payload, orderId } = event;
  switch (payload?.$case) {
    case 'orderPaid': {
      const order = orderOf(keyOf(heard));
      const { renewal } = payload.value;
      if (renewal !== undefined) return [envelope(renewal.subscriptionId, paidCommand(order, renewal, at))];
      return order.items
        .flatMap((item) => startCommand(order, item, at) ?? [])
        .map((each) => ({
          ...envelope(each.id, each.command),
          // One message starts several subscriptions; each remembers it under an id of its own.
          messageId: idPerItem(message.headers.ce_id, each.id),
        }));
    }
    case 'orderCreated': {
      const { renewal } = payload.value;
      if (renewal === undefined) return [];
      const { subscriptionId, itemId, term, amountMinor } = renewal;
      return [envelope(subscriptionId, { type: 'recordChild', orderId, itemId, term, amountMinor, at })];
    }
    case 'orderPaymentFailed': {
      const { renewal } = payload.value;
      return renewal === undefined ? [] : [envelope(renewal.subscriptionId, { type: 'recordFailed', orderId, at })];
    }
    case 'orderDeleted': {
      const { renewal } = payload.value;
      return renewal === undefined ? [] : [envelope(renewal.subscriptionId, { type: 'recordDeleted', orderId, at })];
    }
    default:
      return [];
  }
}

function startCommand(
  order: Order,
  item: OrderItem,
  at: Date,
): { id: string; command: SubscriptionCommand } | undefined {
  const { subscription, subscriptionTerms: terms } = item;
  if (subscription === undefined || terms === undefined) return undefined;
  const agreed: Agreement = {
    parentOrderId: order.orderId,
    parentItemId: item.id,
    livemode: order.livemode,
    productId: item.productId,
    productName: item.name,
    quantity: item.quantity,
    type: readType(terms.type),
    period: terms.period,
    trialPeriod: terms.trialPeriod,
    timeZone: order.timeZone,
    currency: order.currency,
    renewalPrice: terms.renewalPrice === 'current' ? 'current' : 'snapshot',
    renewalPriceMinor: terms.renewalPriceMinor,
    startedAt: paidAtOf(order),
  };
  return { id: subscription.id, command: { type: 'start', agreed, term: termOf(order, item, 1), at } };
}

function paidCommand(order: Order, { itemId, term }: Renewal, at: Date): SubscriptionCommand {
  const item = order.items.find((each) => each.id === itemId);
  if (item === undefined) throw new Error(`order ${order.orderId} has no item ${itemId}`);
  return { type: 'recordPaid', term: termOf(order, item, term), paidAt: paidAtOf(order), at };
}

/** The dates that the order computed when it was paid, so that its documents and we never differ. */
function termOf(order: Order, { id: itemId, subscription }: OrderItem, number: number): RunningTerm {
  if (subscription?.expiresAt === undefined || subscription.nextChargeAt === undefined)
    throw new Error(`item ${itemId} of order ${order.orderId} is paid and has no term`);
  const { anchorOn, periods, expiresAt, nextChargeAt, instrumentId } = subscription;
  return { number, anchorOn, periods, expiresAt, nextChargeAt, orderId: order.orderId, itemId, instrumentId };
}

function paidAtOf({ paidAt, orderId }: Order): Date {
  if (paidAt === undefined) throw new Error(`order ${orderId} says that it is paid, and not when`);
  return paidAt;
}

/** A newer plan is parked until it is known here: nobody is charged by a guess. */
function readType(text: string): PlanType {
  if (text === 'AR' || text === 'AR_TRIAL' || text === 'PMR') return text;
  throw new Error(`${text} is not a kind of subscription that is known here`);
}

function idPerItem(messageId: string, id: string): string {
  const hex = createHash('sha256').update(`${messageId} ${id}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
