/** To the customer: the renewal was switched off or on again, or the paid time is over (R90, R91). */
import type { Order, OrderDocument, OrderItem } from '@tillstream/proto/order/v1/order_api';
import type {
  SubscriptionCancelledFacts,
  SubscriptionExpiredFacts,
  SubscriptionRestoredFacts,
} from '../../domain/facts.ts';
import { wordsOf } from '../words/languages.ts';
import type { Words } from '../words/words.ts';
import { dayOf, momentOf } from './dates.ts';
import { lineOf, type Letter } from './letter.ts';
import {
  agreedSumOf,
  isPaidByHand,
  managePageOf,
  payPageOf,
  productLineOf,
  productOf,
  sumOf,
  writeNotice,
} from './notice.ts';

export function writeCancelled(
  document: OrderDocument,
  order: Order,
  item: OrderItem,
  { facts, now }: { facts: SubscriptionCancelledFacts; now: Date },
): Letter {
  const words = wordsOf(order.locale);
  const { subscription: terms, subscriptionCancelled: told } = words;
  const product = productOf(item);
  // Who got the money back has no paid time.
  const hasAccess = facts.by !== 'refund' && new Date(facts.expiresAt) > now;
  const intro =
    facts.by === 'refund'
      ? told.introRefund(product)
      : facts.by === 'merchant'
        ? told.introMerchant(product, lineOf(document.shopName, 100))
        : told.introCustomer(product);
  return writeNotice(document, order, {
    subject: told.subject(product),
    preheader: told.preheader,
    heading: told.heading,
    intro: [intro, told.noCharge],
    callouts: hasAccess ? [told.access(dayOf(facts.expiresAt, order))] : [],
    facts: [
      { label: words.order, value: order.orderName },
      { label: terms.product, value: productLineOf(item, order, words) },
      { label: terms.cancelledOn, value: momentOf(facts.at, order) },
      { label: terms.accessUntil, value: hasAccess ? momentOf(facts.expiresAt, order) : '' },
    ],
    button: terms.open,
    url: managePageOf(item, order),
    after: [facts.openOrderId === '0' ? '' : told.openOrder, hasAccess && !isPaidByHand(item) ? told.restore : ''],
  });
}

export function writeRestored(
  document: OrderDocument,
  order: Order,
  item: OrderItem,
  { facts, now, openOrder }: { facts: SubscriptionRestoredFacts; now: Date; openOrder: Order | undefined },
): Letter {
  const words = wordsOf(order.locale);
  const { subscription: terms, subscriptionRestored: told } = words;
  const product = productOf(item);
  const agreed = openOrder?.totalMinor ?? agreedSumOf(item);
  const sum = agreed === undefined ? '' : sumOf(agreed, order);
  const toPay = openOrder?.status === 'not paid' ? openOrder : undefined;
  return writeNotice(document, order, {
    subject: told.subject(product),
    preheader: told.preheader,
    heading: told.heading,
    intro: [told.intro(product)],
    callouts: openOrder?.status === 'paid' ? [] : [nextOf(facts, { order, sum, now }, told)],
    facts: [
      { label: words.order, value: order.orderName },
      { label: terms.product, value: productLineOf(item, order, words) },
      { label: terms.amount, value: sum },
      { label: terms.paidUntil, value: momentOf(facts.expiresAt, order) },
    ],
    button: terms.manage,
    url: managePageOf(item, order),
    after: [told.cancel],
    links: toPay === undefined ? [] : [{ label: terms.pay, url: payPageOf(toPay) }],
  });
}

function nextOf(
  { chargeAt }: SubscriptionRestoredFacts,
  { order, sum, now }: { order: Order; sum: string; now: Date },
  told: Words['subscriptionRestored'],
): string {
  if (chargeAt === '') return '';
  if (new Date(chargeAt) <= now) return told.now;
  const day = dayOf(chargeAt, order);
  return sum === '' ? told.next(day) : told.nextSum(day, sum);
}

/** `toPay` is the order that would make it go on. */
export function writeExpired(
  document: OrderDocument,
  order: Order,
  item: OrderItem,
  { facts, toPay }: { facts: SubscriptionExpiredFacts; toPay: Order | undefined },
): Letter {
  const words = wordsOf(order.locale);
  const { subscription: terms, subscriptionExpired: told } = words;
  const product = productOf(item);
  const end = dayOf(facts.expiresAt, order);
  return writeNotice(document, order, {
    subject: told.subject(product),
    preheader: told.preheader(product, end),
    heading: told.heading,
    intro: [told.intro(product, end)],
    facts: [
      { label: words.order, value: order.orderName },
      { label: terms.product, value: productLineOf(item, order, words) },
      { label: terms.endedOn, value: momentOf(facts.expiresAt, order) },
      { label: terms.amount, value: toPay === undefined ? '' : sumOf(toPay.totalMinor, toPay) },
    ],
    button: toPay === undefined ? terms.open : terms.pay,
    url: toPay === undefined ? managePageOf(item, order) : payPageOf(toPay),
    after: [toPay === undefined ? told.noCharge : told.pay],
  });
}
