/** To the customer: what was bought (R36), in plain readable text in both parts. */
import type { Order, OrderDocument, OrderItem } from '@tillstream/proto/order/v1/order_api';
import { fillLicence } from '../mails.gen/licence.ts';
import { formatLocaleOf, wordsOf } from '../words/languages.ts';
import { escapeHtml, greetableName, lineOf, linkOf, textOf, type Letter } from './letter.ts';
import { shopOf } from './shop.ts';

export function writeLicence(document: OrderDocument, order: Order, item: OrderItem, codes: readonly string[]): Letter {
  const words = wordsOf(order.locale);
  const shop = shopOf(
    { name: document.shopName, supportEmail: document.supportEmail, livemode: order.livemode },
    words,
  );
  const name = greetableName(order.customer?.firstName ?? '');
  const product = lineOf(item.name, 100);
  const count = new Intl.NumberFormat(formatLocaleOf(order.locale, words)).format(codes.length);
  const orderUrl = linkOf(order.detailUrl);
  const values = {
    lang: words.locale,
    subject: words.licence.subject(product),
    preheader: words.licence.preheader(order.orderName),
    shopName: shop.name,
    heading: codes.length === 1 ? words.licence.headingOne : words.licence.headingMany(count),
    greeting: name === '' ? words.greetingWithoutName : words.greeting(name),
    intro: codes.length === 1 ? words.licence.introOne(product) : words.licence.introMany(product),
    codes: codes.map((code) => ({ code })),
    orderUrl,
    button: words.openOrder,
    orderLine: words.licence.orderLine(order.orderName),
    keep: words.licence.keep,
    notes: shop.notes,
    support: shop.support,
  };
  return {
    to: order.customer?.email ?? '',
    fromName: shop.name,
    replyTo: document.supportEmail,
    language: words.locale,
    subject: values.subject,
    html: fillLicence(values, escapeHtml),
    // A code alone on its line is what one can copy.
    text: textOf([
      values.greeting,
      values.intro,
      codes,
      [`${values.button}:`, orderUrl],
      [values.orderLine, values.keep],
      [...shop.notes.map((note) => note.line), shop.support],
    ]),
  };
}
