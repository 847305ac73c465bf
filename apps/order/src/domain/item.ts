/** What one item of an order is, declared once: from the catalogue over cart and draft to the stored order. */

/** Renews by itself, the same with a free first term, or is paid by hand each time. */
export type PlanType = 'AR' | 'AR_TRIAL' | 'PMR';

export interface SubscriptionTerms {
  readonly type: PlanType;
  /** ISO 8601 of one unit. */
  readonly period: string;
  /** Of the free first term; empty unless AR_TRIAL. */
  readonly trialPeriod: string;
  /** Per unit, for each term after the first, while the price is a snapshot. */
  readonly renewalPriceMinor: bigint;
  readonly renewalPrice: 'snapshot' | 'current';
}

/** What the catalogue says of a product and the order keeps: later edits of the product do not reach it. */
export interface ProductSnapshot {
  readonly name: string;
  readonly familyName: string;
  readonly vendorCode: string;
  readonly sku: string;
  readonly businessSegment: string;
  readonly deliveryMethod: string;
  readonly oneCodePer: string;
  readonly sendMail: boolean;
  readonly showOnOrderPage: boolean;
}

/** An item before it is ordered: it has a price per unit, and no sums. */
export interface DraftItem extends ProductSnapshot {
  readonly productId: string;
  readonly quantity: number;
  readonly priceMinor: bigint;
  /** Undefined when it does not renew. */
  readonly terms: SubscriptionTerms | undefined;
}

/** The sums of an item, as the quote computed them when the order was placed. */
export interface ItemSums {
  readonly discountMinor: bigint;
  readonly vatMinor: bigint;
  readonly amountMinor: bigint;
  readonly marginMinor: bigint;
}

export interface Item extends DraftItem, ItemSums {
  readonly id: bigint;
}
