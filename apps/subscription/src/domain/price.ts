/** What the next term costs, by the same computation as the order that will pay it. */
import { quote, standardTax, unknownBuyer, untaxed } from '@tillstream/pricing/quote';
import type { Agreement } from './agreement.ts';

/** For the agreed quantity at this price per unit. */
export function amountOfTerm({ productId, quantity }: Agreement, unitPriceMinor: bigint, at: Date): bigint {
  const line = { id: productId, unitPriceMinor, quantity, taxClass: standardTax };
  // The agreement knows neither buyer nor place; taxes that depend on them need both in it (docs/decisions/one-price.md).
  return quote({ lines: [line], buyer: unknownBuyer, place: untaxed(''), adjustments: [], at }).totals.amountMinor;
}
