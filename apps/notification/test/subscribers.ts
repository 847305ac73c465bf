/** Orders with subscriptions, and what is said of them. */
import { randomUUIDv7 } from 'node:crypto';
import { toMessage } from '@tillstream/messaging/outgoing';
import { subscriptionEvents } from '@tillstream/messaging/topics';
import { ItemSubscription, Order, SubscriptionTerms } from '@tillstream/proto/order/v1/order_api';
import { SubscriptionEvent } from '@tillstream/proto/subscription/v1/subscription_events';
import { messageOf } from '@tillstream/testkit/wire';
import { anOrder, traceparent } from './world.ts';

// Seed 003, in five years' time, so that what lies ahead lies ahead.
export const paidAt = new Date('2031-08-13T08:05:00Z');
export const chargeAt = new Date('2032-07-24T21:59:00Z');
export const expiresAt = new Date('2032-08-13T21:59:00Z');

export function aSubscriber(
  more: { type?: string; renewalPrice?: string; status?: string; locale?: string; merchantId?: string } = {},
): Order {
  const { type = 'AR', renewalPrice = 'snapshot', status = 'active' } = more;
  const order = anOrder(more);
  const [item] = order.items;
  if (item === undefined) throw new Error('an order without items');
  const isTrial = type === 'AR_TRIAL';
  item.amountMinor = isTrial ? 0n : 10_000n;
  item.subscriptionTerms = messageOf(SubscriptionTerms, {
    type,
    period: 'P1Y',
    trialPeriod: isTrial ? 'P14D' : '',
    renewalPriceMinor: 10_000n,
    renewalAmountMinor: 10_000n * BigInt(item.quantity),
    renewalPrice,
  });
  item.subscription = messageOf(ItemSubscription, {
    id: `${order.orderId}_1`,
    parentOrderId: order.orderId,
    parentItemId: 1n,
    type,
    status,
    period: 'P1Y',
    expiresAt,
    nextChargeAt: chargeAt,
    detailUrl: `${order.detailUrl}#autorenewal`,
    term: 1,
  });
  return { ...order, livemode: true, paidAt, totalMinor: item.amountMinor };
}

/** Unpaid, of the second term. */
export function aChildOf(parent: Order, more: { status?: string; subscriptionStatus?: string } = {}): Order {
  const [item] = parent.items;
  if (item?.subscription === undefined) throw new Error('not the order of a subscription');
  const { orderId, orderName, detailUrl } = anOrder();
  return {
    ...parent,
    orderId,
    orderName,
    detailUrl,
    status: more.status ?? 'not paid',
    paidAt: undefined,
    totalMinor: 10_000n,
    renewsSubscriptionId: item.subscription.id,
    isPaidByHand: item.subscription.type === 'PMR',
    items: [
      {
        ...item,
        id: 9n,
        amountMinor: 10_000n,
        subscription: { ...item.subscription, status: more.subscriptionStatus ?? 'not paid', term: 2 },
      },
    ],
  };
}

type Payload = NonNullable<SubscriptionEvent['payload']>;

export function subscriptionMessage(parent: Order, payload: Payload | undefined, version = 2n, now = new Date()) {
  const event = { eventId: randomUUIDv7(), now, traceparent: traceparent(), merchantId: parent.merchantId };
  const header = {
    eventId: event.eventId,
    merchantId: parent.merchantId,
    aggregateVersion: version,
    occurredAt: event.now,
    schemaVersion: 1,
    traceparent: event.traceparent,
  };
  const subscriptionId = `${parent.orderId}_1`;
  const value = SubscriptionEvent.encode({
    header,
    subscriptionId,
    parentOrderId: parent.orderId,
    parentItemId: 1n,
    payload,
  }).finish();
  return toMessage(subscriptionEvents, 'subscription', String(parent.orderId), event, value);
}

export function noticeDue(more: Partial<Extract<Payload, { $case: 'renewalNoticeDue' }>['value']> = {}): Payload {
  return {
    $case: 'renewalNoticeDue',
    value: {
      term: 2,
      chargeAt,
      expiresAt,
      amountMinor: 10_000n,
      currency: 'EUR',
      type: 'AR',
      isNewPrice: false,
      isConversionFromTrial: false,
      ...more,
    },
  };
}

export function failed(child: Order, more: { slot?: number; nextChargeAt?: Date } = {}): Payload {
  return {
    $case: 'renewalFailed',
    value: {
      orderId: child.orderId,
      term: 2,
      slot: more.slot ?? 0,
      isLast: more.nextChargeAt === undefined,
      nextChargeAt: more.nextChargeAt,
    },
  };
}

export function cancelled(more: { by?: string; suppressed?: boolean; openOrderId?: bigint } = {}): Payload {
  return {
    $case: 'subscriptionCancelled',
    value: {
      by: more.by ?? 'customer',
      suppressCustomerNotification: more.suppressed ?? false,
      expiresAt,
      nextChargeAt: chargeAt,
      openOrderId: more.openOrderId ?? 0n,
    },
  };
}

export function restored(
  more: { suppressed?: boolean; openOrderId?: bigint; chargedAt?: Date | 'not planned' } = {},
): Payload {
  return {
    $case: 'subscriptionRestored',
    value: {
      by: 'customer',
      suppressCustomerNotification: more.suppressed ?? false,
      status: (more.openOrderId ?? 0n) === 0n ? 'active' : 'not paid',
      expiresAt,
      nextChargeAt: chargeAt,
      chargeAt: more.chargedAt === 'not planned' ? undefined : (more.chargedAt ?? chargeAt),
      openOrderId: more.openOrderId ?? 0n,
    },
  };
}

export function expired(status: string, openOrderId = 0n): Payload {
  return { $case: 'subscriptionExpired', value: { status, expiresAt, openOrderId } };
}
