/** To the customer of a child order that is to be paid: its charge has failed (R88), or it is paid by hand (R92). */
import type { Order, OrderDocument, OrderItem } from '@tillstream/proto/order/v1/order_api';
import type { RenewalFailedFacts } from '../../domain/facts.ts';
import { wordsOf } from '../words/languages.ts';
import { dayOf, lengthOf, momentOf } from './dates.ts';
import type { Letter } from './letter.ts';
import { managePageOf, paidWith, payPageOf, productLineOf, productOf, sumOf, writeNotice } from './notice.ts';

export function writeRenewalFailed(
  document: OrderDocument,
  order: Order,
  item: OrderItem,
  { facts, now }: { facts: RenewalFailedFacts; now: Date },
): Letter {
  const words = wordsOf(order.locale);
  const { subscription: terms, renewalFailed: told } = words;
  const product = productOf(item);
  const sum = sumOf(order.totalMinor, order);
  const expiresAt = item.subscription?.expiresAt;
  const end = dayOf(expiresAt, order);
  const ending =
    end === '' ? '' : expiresAt !== undefined && expiresAt > now ? told.lastRunning(end) : told.lastOver(end);
  return writeNotice(document, order, {
    subject: facts.isLast ? told.subjectLast(product) : told.subject(product),
    preheader: told.preheader(sum),
    heading: facts.isLast ? told.headingLast : told.heading,
    intro: [told.intro(product, sum)],
    callouts: facts.isLast ? [[told.last, ending].join(' ').trim()] : [told.again(dayOf(facts.nextChargeAt, order))],
    facts: [
      { label: words.order, value: order.orderName },
      { label: terms.product, value: productLineOf(item, order, words) },
      { label: terms.amount, value: sum },
      { label: terms.chargedTo, value: paidWith(order) },
      { label: terms.accessUntil, value: momentOf(expiresAt, order) },
    ],
    button: terms.pay,
    url: payPageOf(order),
    after: [facts.isLast ? told.nextLast : told.next],
    links: [{ label: terms.manage, url: managePageOf(item, order) }],
  });
}

export function writeRenewalOrder(document: OrderDocument, order: Order, item: OrderItem): Letter {
  const words = wordsOf(order.locale);
  const { subscription: terms, renewalOrder: told } = words;
  const product = productOf(item);
  const sum = sumOf(order.totalMinor, order);
  const expiresAt = item.subscription?.expiresAt;
  return writeNotice(document, order, {
    subject: told.subject(product),
    preheader: told.preheader(sum),
    heading: told.heading,
    intro: [told.intro(product, dayOf(expiresAt, order)), told.byHand],
    facts: [
      { label: words.order, value: order.orderName },
      { label: terms.product, value: productLineOf(item, order, words) },
      { label: terms.amount, value: sum },
      { label: terms.paidUntil, value: momentOf(expiresAt, order) },
      { label: terms.length, value: lengthOf(item.subscription?.period ?? '', order) },
    ],
    button: terms.pay,
    url: payPageOf(order),
    after: [told.next],
    links: [{ label: terms.manage, url: managePageOf(item, order) }],
  });
}
