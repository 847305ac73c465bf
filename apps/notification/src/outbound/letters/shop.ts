/** What every letter says of the shop. */
import type { Words } from '../words/words.ts';
import { lineOf } from './letter.ts';

export interface ShopLines {
  readonly name: string;
  readonly support: string;
  /** What is said above the support line, such as that it was a test. */
  readonly notes: readonly { readonly line: string }[];
}

export function shopOf(shop: { name: string; supportEmail: string; livemode: boolean }, words: Words): ShopLines {
  const name = lineOf(shop.name, 100);
  return {
    name,
    support:
      shop.supportEmail === '' ? words.supportByReply(name) : words.supportAt(name, lineOf(shop.supportEmail, 254)),
    notes: shop.livemode ? [] : [{ line: words.testMode }],
  };
}
