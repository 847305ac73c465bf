/**
 * A subscription: terms that are paid one after the other, each by an order of its own.
 *
 *   absent ──(the parent order is paid)──▶ active
 *   active ──(the child order of the next term is there)──▶ not paid ──(it is paid)──▶ active, one term longer
 *   active, not paid ──(cancel)──▶ cancelled ──(restore)──▶ active, or not paid while a child waits for its money
 *
 * Nothing is charged without a child order that says what for, and no planned charge (slot) of a term is asked for twice.
 * While the outcome of a charge is not known no further one is asked for. When the last one failed it stays not paid: the
 * customer may pay the child by hand, which revives it (R89).
 *
 * A cancel and a charge may race. Decided is by what was said first: a charge that was not asked for yet never happens; one
 * that was goes on, and if it succeeds its term is paid, delivered and lasts, and the subscription stays cancelled.
 */
import type { Agreement, RunningTerm } from './agreement.ts';

export type ChangedBy = 'customer' | 'merchant' | 'refund';

/** How far the term after the running one is. */
export type Renewal =
  | { readonly step: 'planned' }
  /** The order service makes the child. */
  | { readonly step: 'asked' }
  | {
      readonly step: 'open';
      readonly orderId: bigint;
      readonly itemId: bigint;
      readonly amountMinor: bigint;
      /** The newest slot that was charged; −1 = none. */
      readonly lastSlot: number;
      /** A charge was asked for then, and its outcome is not known. */
      readonly chargingSince: Date | undefined;
    }
  /** The unpaid child was deleted. */
  | { readonly step: 'gone' };

export interface Subscription {
  readonly status: 'active' | 'not paid' | 'cancelled';
  readonly agreed: Agreement;
  readonly term: RunningTerm;
  readonly renewal: Renewal;
  /** Per unit: what the next term costs. */
  readonly priceMinor: bigint;
  /** Undefined = told, or not to be told. */
  readonly noticeAt: Date | undefined;
  /** When the child order is asked for, or the next charge. Undefined = nothing is planned. */
  readonly chargeAt: Date | undefined;
  /** The customer knows that the paid time is over. */
  readonly isExpired: boolean;
  readonly cancelled: { readonly at: Date; readonly by: ChangedBy } | undefined;
}

export type SubscriptionState = { readonly status: 'absent' } | Subscription;

/** `at` is the merchant's time. */
export type SubscriptionCommand = { readonly at: Date } & (
  | { readonly type: 'start'; readonly agreed: Agreement; readonly term: RunningTerm }
  /** The product's price per unit now; undefined = it has none, or none was asked for. */
  | { readonly type: 'tellNotice'; readonly priceMinor: bigint | undefined }
  | { readonly type: 'charge' }
  | {
      readonly type: 'recordChild';
      readonly orderId: bigint;
      readonly itemId: bigint;
      readonly term: number;
      readonly amountMinor: bigint;
    }
  | { readonly type: 'recordPaid'; readonly term: RunningTerm; readonly paidAt: Date }
  /** `endedAt` where a payment ended without an outcome: it was no charge that was asked for later. */
  | { readonly type: 'recordFailed'; readonly orderId: bigint; readonly endedAt?: Date }
  | { readonly type: 'recordDeleted'; readonly orderId: bigint }
  | { readonly type: 'cancel'; readonly by: ChangedBy; readonly isQuiet: boolean }
  | { readonly type: 'restore'; readonly by: ChangedBy; readonly isQuiet: boolean }
  | { readonly type: 'expire' }
);

export type SubscriptionEvent =
  | {
      readonly type: 'subscriptionStarted';
      readonly agreed: Agreement;
      readonly term: RunningTerm;
      readonly noticeAt: Date | undefined;
      readonly chargeAt: Date;
    }
  | { readonly type: 'renewalNoticeDue'; readonly priceMinor: bigint; readonly isNewPrice: boolean }
  | { readonly type: 'renewalDue' }
  | { readonly type: 'childOpened'; readonly orderId: bigint; readonly itemId: bigint; readonly amountMinor: bigint }
  | { readonly type: 'chargeDue'; readonly slot: number; readonly at: Date }
  /** The next planned charge; undefined = that was the last. */
  | { readonly type: 'renewalFailed'; readonly slot: number; readonly nextAt: Date | undefined }
  /** A charge of a cancelled one came to nothing: nobody needs to know. */
  | { readonly type: 'chargeLapsed'; readonly slot: number }
  | {
      readonly type: 'subscriptionRenewed';
      readonly term: RunningTerm;
      readonly noticeAt: Date | undefined;
      readonly chargeAt: Date;
    }
  | { readonly type: 'childGone' }
  | {
      readonly type: 'subscriptionCancelled';
      readonly by: ChangedBy;
      readonly isQuiet: boolean;
      readonly at: Date;
    }
  /** A child that was asked for before the cancel came after it: it is told, and nothing is charged. */
  | { readonly type: 'cancelRepeated' }
  | {
      readonly type: 'subscriptionRestored';
      readonly by: ChangedBy;
      readonly isQuiet: boolean;
      readonly status: 'active' | 'not paid';
      readonly chargeAt: Date | undefined;
    }
  | { readonly type: 'subscriptionExpired' };

export type SubscriptionRefusal = 'subscription_not_found' | 'restore_not_supported' | 'subscription_ended';

/** The child order that waits for its money, if there is one. */
export function openChild({ renewal }: Subscription): Extract<Renewal, { step: 'open' }> | undefined {
  return renewal.step === 'open' ? renewal : undefined;
}

/** A cancelled one may be restored while something of it is left: paid time, or a child to pay. Never one paid by hand. */
export function canRestore({ status, agreed, renewal, term }: Subscription, at: Date): boolean {
  return status === 'cancelled' && agreed.type !== 'PMR' && (hasChild(renewal) || at < term.expiresAt);
}

/** There is a child order, or there will be one. */
function hasChild({ step }: Renewal): boolean {
  return step === 'open' || step === 'asked';
}

/**
 * What wakes it up. A timer that is not named here is not set. The end of the paid time is waited for only when no renewal
 * is: whatever ends the last hope of one sets it, also when that end has passed by then.
 */
export function plannedOf(
  state: SubscriptionState,
): Readonly<Record<'notice' | 'charge' | 'expire', Date | undefined>> {
  if (state.status === 'absent') return { notice: undefined, charge: undefined, expire: undefined };
  return {
    notice: state.status === 'active' && state.renewal.step === 'planned' ? state.noticeAt : undefined,
    charge: state.chargeAt,
    expire: state.isExpired || isRenewing(state) ? undefined : state.term.expiresAt,
  };
}

/** The next term may still be paid without the customer doing anything. */
export function isRenewing(state: Subscription): boolean {
  const isCharging = openChild(state)?.chargingSince !== undefined;
  if (state.status === 'cancelled') return isCharging;
  return isCharging || state.chargeAt !== undefined || state.renewal.step === 'asked';
}
