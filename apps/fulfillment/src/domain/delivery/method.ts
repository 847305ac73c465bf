/**
 * A way to deliver an item. The machine (delivery.ts) knows when something is delivered and that it happens once; a method
 * knows what it takes. A new method is a file beside pool.ts and a line in methods.ts.
 */
export interface DeliveryItem {
  readonly orderId: bigint;
  readonly itemId: bigint;
  readonly productId: string;
  readonly method: 'pool';
  readonly quantity: number;
  /** A code for each unit, or one for all of them (R34). */
  readonly oneCodePer: 'unit' | 'product';
  /** Of a renewal: the item of the parent order; else 0, as the next. */
  readonly firstItemId: bigint;
  /** Of a renewal: the item of the term before, which is the parent's in the second term. */
  readonly previousItemId: bigint;
}

/** Rows besides the delivery's own that must be locked before the decision. */
export type Need = { readonly from: 'pool'; readonly productId: string; readonly codeCount: number };

/** What was found and locked of a need, for the length of the transaction. What is not taken stays where it is. */
export interface Offer {
  /** Ids of the pool's oldest free codes: as many as are needed, or none. */
  readonly codeIds: readonly bigint[];
}

export type Outcome =
  /** The codes by unit, the first one's first. */
  | { readonly outcome: 'issue'; readonly codeIds: readonly bigint[] }
  | { readonly outcome: 'wait'; readonly because: string };

export interface DeliveryMethod {
  /** How many codes the item gets; stored with the delivery, so that a refill finds those that it is enough for. */
  codeCountOf(item: Pick<DeliveryItem, 'quantity' | 'oneCodePer'>): number;
  needOf(item: DeliveryItem): Need;
  /** Asked at the request, and again each time something that was waited for may be there. */
  decide(item: DeliveryItem, offer: Offer): Outcome;
}
