/** The place of a subscription in the list: the numbers of the parent's order and item. */
export interface Place {
  readonly orderId: bigint;
  readonly itemId: bigint;
}

export interface SubscriptionFilter {
  /** 1 to 100. */
  readonly limit: number;
  readonly startingAfter: Place | undefined;
  readonly endingBefore: Place | undefined;
  /** Empty = any. */
  readonly status: string;
  /** The parent's or a child's; 0 = any. */
  readonly orderId: bigint;
}
