/** The rules of a cart: quantities and currencies. Prices are the catalogue's until an order is placed. */
import type { DraftItem, PlanType, ProductSnapshot, SubscriptionTerms } from './item.ts';
import { renewsByItself } from './subscription/subscription.ts';

/** How a product renews (P19). */
export interface Plan {
  readonly type: PlanType;
  readonly period: string;
  /** Empty = the period. */
  readonly trialPeriod: string;
  readonly renewalPrice: 'snapshot' | 'current';
}

/** A product as the catalogue has it now. */
export interface Goods {
  readonly id: string;
  readonly snapshot: ProductSnapshot;
  readonly description: string;
  readonly imageUrl: string;
  readonly minQuantity: number;
  readonly isForSale: boolean;
  readonly prices: ReadonlyMap<string, bigint>;
  /** Undefined when it does not renew. */
  readonly plan: Plan | undefined;
}

export interface CartLine {
  readonly productId: string;
  readonly quantity: number;
}

/** More of one product in one order is a mistake or a contract, not a checkout. */
export const highestQuantity = 10_000;
export const mostLines = 100;

export type CartRefusal = 'product_not_available' | 'quantity_out_of_range' | 'too_many_items';

/** Whether it can be bought now: a product may be archived, or lose its price, while it is in a cart. */
export function isOnSale(goods: Goods | undefined, currency: string): goods is Goods {
  return goods !== undefined && goods.isForSale && goods.prices.has(currency);
}

/** The lines with the product added, or why not. A product that is there already grows. */
export function addLine(lines: readonly CartLine[], goods: Goods, quantity: number): readonly CartLine[] | CartRefusal {
  if (!goods.isForSale) return 'product_not_available';
  const before = lines.find((line) => line.productId === goods.id);
  const wanted = (before?.quantity ?? 0) + (quantity === 0 ? goods.minQuantity : quantity);
  if (quantity < 0 || wanted < goods.minQuantity || wanted > highestQuantity) return 'quantity_out_of_range';
  if (before === undefined && lines.length >= mostLines) return 'too_many_items';
  const line = { productId: goods.id, quantity: wanted };
  return before === undefined ? [...lines, line] : lines.map((each) => (each.productId === goods.id ? line : each));
}

/** The lines with one quantity changed; 0 removes it. Lines that are not there stay so. */
export function changeLine(
  lines: readonly CartLine[],
  productId: string,
  quantity: number,
  minQuantity: number,
): readonly CartLine[] | CartRefusal {
  if (quantity === 0) return lines.filter((line) => line.productId !== productId);
  if (quantity < minQuantity || quantity > highestQuantity) return 'quantity_out_of_range';
  return lines.map((line) => (line.productId === productId ? { productId, quantity } : line));
}

/** The currencies in which every product has a price, in the order of the first product's. */
export function sharedCurrencies(goods: readonly Goods[]): readonly string[] {
  const [first, ...others] = goods;
  return first === undefined
    ? []
    : [...first.prices.keys()].filter((currency) => others.every((each) => each.prices.has(currency)));
}

/** The one that is asked for, else the cart's, else the shop's first that fits, else the product's first. */
export function chooseCurrency(
  asked: string,
  ofCart: string,
  ofShop: readonly string[],
  goods: readonly Goods[],
): string {
  const shared = sharedCurrencies(goods);
  const wanted = asked === '' ? ofCart : asked;
  if (wanted !== '') return shared.includes(wanted) ? wanted : 'currency_not_supported';
  return ofShop.find((currency) => shared.includes(currency)) ?? shared[0] ?? 'currency_not_supported';
}

/** What one line of a cart is as an item of an order; undefined when it cannot be bought now. */
export function draftItemOf(goods: Goods | undefined, quantity: number, currency: string): DraftItem | undefined {
  if (!isOnSale(goods, currency)) return undefined;
  const fullMinor = goods.prices.get(currency) ?? 0n;
  return {
    ...goods.snapshot,
    productId: goods.id,
    quantity,
    // The first term of a trial is free (R93).
    priceMinor: goods.plan?.type === 'AR_TRIAL' ? 0n : fullMinor,
    terms: termsOf(goods.plan, fullMinor),
  };
}

function termsOf(plan: Plan | undefined, renewalPriceMinor: bigint): SubscriptionTerms | undefined {
  if (plan === undefined) return undefined;
  const trialPeriod = plan.type === 'AR_TRIAL' ? plan.trialPeriod || plan.period : '';
  return { ...plan, trialPeriod, renewalPriceMinor };
}

export interface RenewalPolicy {
  /** switch: a box to tick; implicit: said next to the button (P18). */
  readonly renewalConsent: 'switch' | 'implicit';
  readonly renewalConsentDefault: boolean;
}

/** How the customer of these goods agrees to renewals; '' when nothing renews by itself. */
export function consentFor(goods: readonly Goods[], policy: RenewalPolicy): 'switch' | 'implicit' | '' {
  return goods.some((each) => renewsByItself(each.plan)) ? policy.renewalConsent : '';
}

/** A free first term is given to those who agree to the terms after it, and can be charged for them. */
export function hasTrial(goods: readonly Goods[]): boolean {
  return goods.some((each) => each.plan?.type === 'AR_TRIAL');
}
