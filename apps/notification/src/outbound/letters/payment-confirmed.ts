/** To the customer: the money has arrived (R20). */
import { formatMinor } from '@tillstream/money/money';
import type { Order, OrderDocument } from '@tillstream/proto/order/v1/order_api';
import { fillPaymentConfirmed } from '../mails.gen/payment-confirmed.ts';
import { formatLocaleOf, wordsOf } from '../words/languages.ts';
import { escapeHtml, greetableName, lineOf, linkOf, textOf, type Letter } from './letter.ts';
import { shopOf } from './shop.ts';

export function writePaymentConfirmed(document: OrderDocument, order: Order): Letter {
  const words = wordsOf(order.locale);
  const locale = formatLocaleOf(order.locale, words);
  const sum = (minor: bigint) => formatMinor(minor, order.currency, locale);
  const shop = shopOf(
    { name: document.shopName, supportEmail: document.supportEmail, livemode: order.livemode },
    words,
  );
  const name = greetableName(order.customer?.firstName ?? '');
  const total = sum(order.totalMinor);
  const orderUrl = linkOf(order.detailUrl);
  const items = order.items.map((item) => ({
    name: lineOf(item.name, 200),
    quantity: words.quantity(new Intl.NumberFormat(locale).format(item.quantity)),
    amount: sum(item.amountMinor),
  }));
  const facts = [
    { label: words.order, value: order.orderName },
    { label: words.paymentConfirmed.paidOn, value: dateOf(order, locale) },
    { label: words.paymentConfirmed.paidWith, value: methodOf(order) },
  ].filter((fact) => fact.value !== '');
  const values = {
    lang: words.locale,
    subject: words.paymentConfirmed.subject(order.orderName),
    preheader: words.paymentConfirmed.preheader(total),
    shopName: shop.name,
    heading: words.paymentConfirmed.heading,
    greeting: name === '' ? words.greetingWithoutName : words.greeting(name),
    intro: words.paymentConfirmed.intro(order.orderName),
    totalLabel: words.paymentConfirmed.total,
    total,
    orderUrl,
    items,
    facts,
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
      [`${values.button}:`, orderUrl],
      values.next,
      [...shop.notes.map((note) => note.line), shop.support],
    ]),
  };
}

function dateOf(order: Order, locale: string): string {
  if (order.paidAt === undefined) return '';
  const zone = order.timeZone === '' ? 'UTC' : order.timeZone;
  // The customer may live in another zone than the shop: the zone is named, as on the order page.
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone: zone,
  }).format(order.paidAt);
}

function methodOf(order: Order): string {
  const { payment } = order;
  if (payment === undefined) return '';
  return payment.cardLast4 === '' ? payment.systemName : `${payment.cardType} •••• ${payment.cardLast4}`.trim();
}
