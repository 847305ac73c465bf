/** The letter that most mails are: what happened, what matters most, the facts, one thing to do and what else there is. */
import type { Order, OrderDocument, OrderItem } from '@tillstream/proto/order/v1/order_api';
import { displayOf } from '@tillstream/instrument/instrument';
import { instrumentOf } from '@tillstream/instrument/wire';
import { formatMinor } from '@tillstream/money/money';
import { fillNotice } from '../mails.gen/notice.ts';
import { wordsOf } from '../words/languages.ts';
import type { Words } from '../words/words.ts';
import { localeOf } from './dates.ts';
import { escapeHtml, greetableName, lineOf, linkOf, textOf, type Letter } from './letter.ts';
import { shopOf } from './shop.ts';

export interface Notice {
  readonly subject: string;
  /** What a mail program shows beside the subject. */
  readonly preheader: string;
  readonly heading: string;
  readonly intro: readonly string[];
  /** What nobody should overlook. */
  readonly callouts?: readonly string[];
  /** Those without a value are left out. */
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly button: string;
  readonly url: string;
  readonly after: readonly string[];
  readonly links?: readonly { readonly label: string; readonly url: string }[];
}

export function writeNotice(document: OrderDocument, order: Order, notice: Notice): Letter {
  const words = wordsOf(order.locale);
  const shop = shopOf(
    { name: document.shopName, supportEmail: document.supportEmail, livemode: order.livemode },
    words,
  );
  const name = greetableName(order.customer?.firstName ?? '');
  const linesOf = (lines: readonly string[]) => lines.filter((line) => line !== '').map((line) => ({ line }));
  const facts = notice.facts.filter((fact) => fact.value !== '');
  const links = (notice.links ?? []).filter((link) => linkOf(link.url) !== '');
  const values = {
    lang: words.locale,
    subject: notice.subject,
    preheader: notice.preheader,
    shopName: shop.name,
    heading: notice.heading,
    greeting: name === '' ? words.greetingWithoutName : words.greeting(name),
    intro: linesOf(notice.intro),
    callouts: linesOf(notice.callouts ?? []),
    facts,
    button: notice.button,
    url: linkOf(notice.url),
    after: linesOf(notice.after),
    links,
    notes: shop.notes,
    support: shop.support,
  };
  const textLines = (lines: readonly { readonly line: string }[]) => lines.map((each) => each.line);
  return {
    to: order.customer?.email ?? '',
    fromName: shop.name,
    replyTo: document.supportEmail,
    language: words.locale,
    subject: values.subject,
    html: fillNotice(values, escapeHtml),
    text: textOf([
      values.greeting,
      textLines(values.intro),
      textLines(values.callouts),
      facts.map((fact) => `${fact.label}: ${fact.value}`),
      [`${values.button}:`, values.url],
      textLines(values.after),
      links.map((link) => `${link.label}: ${link.url}`),
      [...shop.notes.map((note) => note.line), shop.support],
    ]),
  };
}

export function sumOf(minor: bigint, order: Order): string {
  return formatMinor(minor, order.currency, localeOf(order));
}

/** For sentences. */
export function productOf(item: OrderItem): string {
  return lineOf(item.name, 100);
}

/** For the facts: with the quantity, when there are several. */
export function productLineOf(item: OrderItem, order: Order, words: Words): string {
  const product = productOf(item);
  if (item.quantity === 1) return product;
  return `${product} (${words.quantity(new Intl.NumberFormat(localeOf(order)).format(item.quantity))})`;
}

/** The parent's page, where its customer cancels and restores. */
export function managePageOf(item: OrderItem, order: Order): string {
  const url = item.subscription?.detailUrl ?? '';
  return url === '' ? `${order.detailUrl}#autorenewal` : url;
}

/** The page on which an order is paid; the order's own page leads there too. */
export function payPageOf(order: Order): string {
  return order.detailUrl.replace(/\/order\/status\/(?=[^/]+\/[^/]+$)/, '/pay/');
}

/** What it was paid with, or is charged to; of an instrument that is not known, its method. */
export function paidWith({ payment }: Order): string {
  if (payment === undefined) return '';
  const instrument = instrumentOf(payment);
  return instrument === undefined ? payment.systemName : displayOf(instrument);
}

/** What the next term costs, when that was agreed on. */
export function agreedSumOf(item: OrderItem): bigint | undefined {
  const terms = item.subscriptionTerms;
  if (terms === undefined || terms.renewalPrice === 'current') return undefined;
  return terms.renewalAmountMinor;
}

export function isPaidByHand(item: OrderItem): boolean {
  return (item.subscription?.type ?? item.subscriptionTerms?.type) === 'PMR';
}
