/** Types that the rooms share, declared once. */

/** Codes that a merchant puts into the pool of a product. */
export interface CodeUpload {
  readonly merchantId: string;
  readonly productId: string;
  readonly codes: readonly string[];
  readonly lowWaterMark: number;
  /** UUID; '' = none. */
  readonly requestId: string;
}

/** What became of the delivery of one item, for the timeline of its order. */
export interface DeliveryStory {
  readonly itemId: bigint;
  readonly productId: string;
  readonly codeCount: number;
  readonly status: 'waiting' | 'delivered';
  readonly waitingSince: Date | null;
  readonly waitingTrace: string;
  readonly deliveredAt: Date | null;
  readonly deliveredTrace: string;
}
