/** The types that inbound and outbound share, each declared once; app.ts joins the two. */
import type { Subscription as WireSubscription } from '@tillstream/proto/subscription/v1/subscription_api';
import type { Subscription } from './domain/subscription.ts';

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

export interface SubscriptionReader {
  get(merchantId: string, id: string, now: Date): Promise<WireSubscription | undefined>;
  list(
    merchantId: string,
    filter: SubscriptionFilter,
    now: Date,
  ): Promise<{ subscriptions: WireSubscription[]; hasMore: boolean }>;
  /** Whose child each order is; an order that is none is left out. */
  renewedBy(orderIds: readonly bigint[], merchantIds: readonly string[]): Promise<ReadonlyMap<bigint, string>>;
}

/** A subscription as the api shows it. */
export type ShowSubscription = (
  of: { readonly id: string; readonly merchantId: string; readonly version: number },
  state: Subscription,
  now: Date,
) => WireSubscription;

/** Of those whose price is not agreed on, by subscription: what a unit costs now. */
export type ReadPrices = (
  ids: readonly string[],
  merchantIds: readonly string[],
) => Promise<ReadonlyMap<string, bigint>>;
