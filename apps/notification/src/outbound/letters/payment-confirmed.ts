/** To the customer: the money has arrived (R20), or a free first term has begun and nothing was charged (R93). */
import type { Order, OrderDocument } from '@tillstream/proto/order/v1/order_api';
import { fillPaymentConfirmed } from '../mails.gen/payment-confirmed.ts';
import { wordsOf } from '../words/languages.ts';
import type { Words } from '../words/words.ts';
import { agreedTermsOf, isInTrial } from './agreed-terms.ts';
import { localeOf, momentOf } from './dates.ts';
import { escapeHtml, greetableName, lineOf, linkOf, textOf, type Letter } from './letter.ts';
import { paidWith, sumOf } from './notice.ts';
import { shopOf } from './shop.ts';

export function writePaymentConfirmed(document: OrderDocument, order: Order): Letter {
  const words = wordsOf(order.locale);
  const shop = shopOf(
    { name: document.shopName, supportEmail: document.supportEmail, livemode: order.livemode },
    words,
  );
  const name = greetableName(order.customer?.firstName ?? '');
  const total = sumOf(order.totalMinor, order);
  const orderUrl = linkOf(order.detailUrl);
  const said = sayConfirmed(order, total, words);
  const subscriptions = agreedTermsOf(order, words);
  const number = new Intl.NumberFormat(localeOf(order));
  const items = order.items.map((item) => ({
    name: lineOf(item.name, 200),
    quantity: words.quantity(number.format(item.quantity)),
    amount: sumOf(item.amountMinor, order),
  }));
  const facts = [
    { label: words.order, value: order.orderName },
    { label: said.on, value: momentOf(order.paidAt, order) },
    { label: said.with, value: paidWith(order) },
  ].filter((fact) => fact.value !== '');
  const values = {
    lang: words.locale,
    subject: said.subject,
    preheader: said.preheader,
    shopName: shop.name,
    heading: said.heading,
    greeting: name === '' ? words.greetingWithoutName : words.greeting(name),
    intro: said.intro,
    totalLabel: said.total,
    total,
    orderUrl,
    items,
    facts,
    subscriptions,
    button: words.openOrder,
    next: words.paymentConfirmed.next,
    notes: shop.notes,
    support: shop.support,
  };
  return {
    to: order.customer?.email ?? '',
    fromName: shop.name,
    replyTo: document.supportEmail,
    language: words.locale,
    subject: values.subject,
    html: fillPaymentConfirmed(values, escapeHtml),
    text: textOf([
      values.greeting,
      values.intro,
      [...items.map((item) => `${item.name} (${item.quantity}): ${item.amount}`), `${values.totalLabel}: ${total}`],
      facts.map((fact) => `${fact.label}: ${fact.value}`),
      ...subscriptions.map((each) => [
        `${each.heading}: ${each.product}`,
        each.until,
        each.renewal,
        each.cancel,
        each.url,
      ]),
      [`${values.button}:`, orderUrl],
      values.next,
      [...shop.notes.map((note) => note.line), shop.support],
    ]),
  };
}

interface Said {
  readonly subject: string;
  readonly preheader: string;
  readonly heading: string;
  readonly intro: string;
  readonly total: string;
  readonly on: string;
  readonly with: string;
}

function sayConfirmed(order: Order, total: string, { paymentConfirmed: words }: Words): Said {
  if (order.totalMinor > 0n || !order.items.some(isInTrial)) {
    return {
      subject: words.subject(order.orderName),
      preheader: words.preheader(total),
      heading: words.heading,
      intro: words.intro(order.orderName),
      total: words.total,
      on: words.paidOn,
      with: words.paidWith,
    };
  }
  const { trial } = words;
  return {
    subject: trial.subject(order.orderName),
    preheader: trial.preheader,
    heading: trial.heading,
    intro: trial.intro(order.orderName),
    total: trial.total,
    on: trial.startedOn,
    with: trial.savedCard,
  };
}
