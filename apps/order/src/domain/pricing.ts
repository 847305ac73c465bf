/** How the order service asks the one quote: of what is in a cart, of what is ordered, of what a further term costs. */
import { shareOf } from '@tillstream/money/money';
import {
  quote,
  standardTax,
  unknownBuyer,
  type Adjustment,
  type Buyer,
  type Place,
  type Quote,
  type QuotedLine,
} from '@tillstream/pricing/quote';
import type { Customer } from './customer.ts';
import type { DraftItem, ItemSums, SubscriptionTerms } from './item.ts';

/** What prices depend on besides the items. */
export interface PriceTerms {
  /** Undefined on a cart's page. */
  readonly customer: Pick<Customer, 'type' | 'vatNumber'> | undefined;
  readonly place: Place;
  readonly adjustments: readonly Adjustment[];
  readonly at: Date;
}

/** An order has one line of each product, so that the product's id names the line. */
export function quoteItems(
  items: readonly Pick<DraftItem, 'productId' | 'priceMinor' | 'quantity'>[],
  { customer, place, adjustments, at }: PriceTerms,
): Quote {
  const lines = items.map(({ productId, priceMinor, quantity }) => ({
    id: productId,
    unitPriceMinor: priceMinor,
    quantity,
    taxClass: standardTax,
  }));
  return quote({ lines, buyer: buyerOf(customer), place, adjustments, at });
}

/** Margin is what the merchant keeps: the amount less VAT less the platform's share (docs/decisions/margin-and-tax.md). */
export function sumsOf({ discountMinor, taxMinor, amountMinor }: QuotedLine, commissionBp: number): ItemSums {
  return {
    discountMinor,
    vatMinor: taxMinor,
    amountMinor,
    marginMinor: amountMinor - taxMinor - shareOf(amountMinor, commissionBp),
  };
}

/** What each further term of an item costs, as it was agreed on. Discounts are for what is bought, not for its renewals. */
export function renewalAmountOf(
  { productId, quantity }: Pick<DraftItem, 'productId' | 'quantity'>,
  terms: SubscriptionTerms,
  conditions: Omit<PriceTerms, 'adjustments'>,
): bigint {
  const item = { productId, quantity, priceMinor: terms.renewalPriceMinor };
  return quoteItems([item], { ...conditions, adjustments: [] }).totals.amountMinor;
}

function buyerOf(customer: PriceTerms['customer']): Buyer {
  return customer === undefined ? unknownBuyer : { type: customer.type, vatNumber: customer.vatNumber };
}
