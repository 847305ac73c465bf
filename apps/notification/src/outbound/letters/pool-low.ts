/** To the merchant: the pool of licence codes runs low or is empty (R31). */
import type { Merchant } from '@tillstream/proto/merchant/v1/merchant_api';
import { fillPoolLow } from '../mails.gen/pool-low.ts';
import { formatLocaleOf, wordsOf } from '../words/languages.ts';
import { escapeHtml, lineOf, textOf, type Letter } from './letter.ts';
import { shopOf } from './shop.ts';

export interface LowPool {
  readonly productId: string;
  /** '' when the product is not known any more. */
  readonly productName: string;
  readonly available: number;
  readonly lowWaterMark: number;
}

export function writePoolLow(merchant: Merchant, pool: LowPool): Letter {
  const words = wordsOf(merchant.locale);
  const number = new Intl.NumberFormat(formatLocaleOf(merchant.locale, words));
  const shop = shopOf({ name: merchant.shopName, supportEmail: '', livemode: merchant.livemode }, words);
  const product = lineOf(pool.productName, 100) || pool.productId;
  const isEmpty = pool.available === 0;
  const facts = [
    { label: words.poolLow.product, value: product === pool.productId ? product : `${product} (${pool.productId})` },
    { label: words.poolLow.available, value: number.format(pool.available) },
    { label: words.poolLow.mark, value: number.format(pool.lowWaterMark) },
  ];
  const values = {
    lang: words.locale,
    subject: words.poolLow.subject(product),
    preheader: words.poolLow.preheader(number.format(pool.available)),
    shopName: shop.name,
    heading: isEmpty ? words.poolLow.headingEmpty : words.poolLow.heading,
    intro: isEmpty ? words.poolLow.introEmpty(product) : words.poolLow.intro(product),
    facts,
    next: words.poolLow.next,
    notes: shop.notes,
    // The merchant is the one who helps.
    support: '',
  };
  return {
    to: merchant.supportEmail,
    fromName: 'Tillstream',
    replyTo: '',
    language: words.locale,
    subject: values.subject,
    html: fillPoolLow(values, escapeHtml),
    text: textOf([
      values.intro,
      facts.map((fact) => `${fact.label}: ${fact.value}`),
      values.next,
      shop.notes.map((note) => note.line),
    ]),
  };
}
