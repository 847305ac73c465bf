/** What was agreed on with the parent order's payment, and which term of it runs. */
import { chargesOf, type Calendar, type Term } from '@tillstream/calendar/term';

export type PlanType = 'AR' | 'AR_TRIAL' | 'PMR';

/** A snapshot that nothing changes. */
export interface Agreement {
  readonly parentOrderId: bigint;
  readonly parentItemId: bigint;
  readonly livemode: boolean;
  readonly productId: string;
  readonly productName: string;
  readonly quantity: number;
  readonly type: PlanType;
  /** ISO 8601 of one unit. */
  readonly period: string;
  /** Empty unless AR_TRIAL. */
  readonly trialPeriod: string;
  /** IANA or an offset, as it was when the parent was placed (D9). */
  readonly timeZone: string;
  readonly currency: string;
  /** Whether renewals cost what was agreed on, or what the product costs when the customer is told. */
  readonly renewalPrice: 'snapshot' | 'current';
  /** Per unit. */
  readonly renewalPriceMinor: bigint;
  readonly startedAt: Date;
}

/** A term that was paid. */
export interface RunningTerm extends Term {
  /** The parent's is 1. */
  readonly number: number;
  /** The order that paid it, and its item. */
  readonly orderId: bigint;
  readonly itemId: bigint;
  /** What further terms are charged to; empty when they are paid by hand. */
  readonly instrumentId: string;
}

export function renewsByItself({ type }: Pick<Agreement, 'type'>): boolean {
  return type !== 'PMR';
}

export function calendarOf({ period, timeZone }: Agreement): Calendar {
  return { period, timeZone };
}

export function isInTrial({ periods }: Pick<Term, 'periods'>): boolean {
  return periods === 0;
}

/** The planned charges for the term after this one, ascending: their places are the slots. */
export function slotsOf(agreed: Agreement, term: RunningTerm): readonly Date[] {
  return chargesOf(calendarOf(agreed), term.expiresAt, term.periods);
}

/** The slot that a charge at this time takes: the latest that has come; the first, when none has. */
export function slotAt(agreed: Agreement, term: RunningTerm, at: Date): number {
  return Math.max(
    slotsOf(agreed, term).findLastIndex((slot) => slot <= at),
    0,
  );
}
