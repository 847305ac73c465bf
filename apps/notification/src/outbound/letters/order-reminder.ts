/** To the customer: an order is not paid yet (R23). */
import type { Order, OrderDocument } from '@tillstream/proto/order/v1/order_api';
import { wordsOf } from '../words/languages.ts';
import { dayOf } from './dates.ts';
import type { Letter } from './letter.ts';
import { payPageOf, productLineOf, sumOf, writeNotice } from './notice.ts';

export function writeOrderReminder(document: OrderDocument, order: Order): Letter {
  const words = wordsOf(order.locale);
  const told = words.orderReminder;
  const total = sumOf(order.totalMinor, order);
  return writeNotice(document, order, {
    subject: told.subject(order.orderName),
    preheader: told.preheader(total),
    heading: told.heading,
    intro: [told.intro(order.orderName, dayOf(order.createdAt, order))],
    facts: [
      ...order.items.map((item) => ({
        label: productLineOf(item, order, words),
        value: sumOf(item.amountMinor, order),
      })),
      { label: told.total, value: total },
    ],
    button: words.subscription.pay,
    url: payPageOf(order),
    after: [told.next],
  });
}
