/**
 * The subscription of an item, as the order shows it. The subscription service decides what becomes of it; here are its
 * dates at the order's own events, by the same calendar. On a parent it begins with the payment (R82), on a child it is
 * there from the start, with the dates of the term that runs until the child is paid (R86, R87).
 */
import { chargeAfter, firstTerm, nextTerm, type Calendar, type Term } from '@tillstream/calendar/term';
import type { Item, PlanType, SubscriptionTerms } from '../item.ts';
import type { PaymentShown, Placed } from '../placed.ts';

export type SubscriptionStatus = 'not paid' | 'active' | 'cancelled';

export interface ItemSubscription {
  readonly id: string;
  readonly parentOrderId: bigint;
  readonly parentItemId: bigint;
  /** 0 on the parent. */
  readonly previousOrderId: bigint;
  readonly previousItemId: bigint;
  readonly type: PlanType;
  readonly isConversionFromTrial: boolean;
  readonly status: SubscriptionStatus;
  readonly period: string;
  readonly expiresAt: Date;
  readonly nextChargeAt: Date;
  /** What the first dates were counted from. A note from the subscription service moves the dates and not these. */
  readonly anchorOn: string;
  readonly periods: number;
  readonly term: number;
  readonly instrumentId: string;
}

/** The term that a payment begins: computed once, when it is decided, and kept. */
export interface PaidTerm extends Term {
  readonly itemId: bigint;
}

/** What became of a subscription that an order shows. */
export interface SubscriptionNote {
  readonly itemId: bigint;
  readonly status: SubscriptionStatus;
  readonly expiresAt: Date;
  readonly nextChargeAt: Date;
}

/** D4: constant over all renewals. */
export function subscriptionId(parentOrderId: bigint, parentItemId: bigint): string {
  return `${parentOrderId}_${parentItemId}`;
}

export function renewsByItself(terms: Pick<SubscriptionTerms, 'type'> | undefined): boolean {
  return terms !== undefined && terms.type !== 'PMR';
}

/** Whether the instrument that pays the order is to be kept: agreed to, and there is something to charge it for. */
export function wantsInstrument(placed: Placed): boolean {
  return placed.autoRenew && placed.items.some((item) => renewsByItself(item.terms));
}

/**
 * The terms that begin when the order is paid. What renews by itself needs the consent and an instrument that can be
 * charged again, else it is an ordinary purchase (R83); what is paid by hand needs neither. A child's term always begins.
 */
export function termsPaid(placed: Placed, payment: PaymentShown, at: Date): readonly PaidTerm[] {
  const { renewal, items, timeZone } = placed;
  if (renewal !== undefined) {
    const next = nextTerm({ period: renewal.period, timeZone }, renewal, at);
    return items.map((item) => ({ itemId: item.id, ...next }));
  }
  return items.flatMap(({ id, terms }): PaidTerm[] => {
    if (terms === undefined) return [];
    if (renewsByItself(terms) && !(placed.autoRenew && payment.instrumentId !== '')) return [];
    const trial = terms.type === 'AR_TRIAL' ? terms.trialPeriod : undefined;
    return [{ itemId: id, ...firstTerm({ period: terms.period, timeZone }, at, trial) }];
  });
}

/** What a child shows before it is paid. */
export function shownAtCreation({ renewal, items }: Placed): ReadonlyMap<bigint, ItemSubscription> {
  const [item] = items;
  if (renewal === undefined || item === undefined) return new Map();
  const { subscriptionId: id, saved: _saved, parentToken: _parentToken, ...rest } = renewal;
  return new Map([[item.id, { ...rest, id, status: 'not paid' as const }]]);
}

/** What the order shows once the payment has begun those terms. */
export function shownWhenPaid(
  placed: Placed,
  before: ReadonlyMap<bigint, ItemSubscription>,
  paid: readonly PaidTerm[],
  payment: PaymentShown,
): ReadonlyMap<bigint, ItemSubscription> {
  const shown = new Map(before);
  for (const { itemId, ...term } of paid) {
    const item = placed.items.find((each) => each.id === itemId);
    const known = before.get(itemId);
    if (known !== undefined) {
      // A charge that was under way when it was cancelled pays a term, and revives nothing.
      const status = known.status === 'cancelled' ? 'cancelled' : 'active';
      shown.set(itemId, { ...known, ...term, status, instrumentId: instrumentOf(known, payment) });
    } else if (item?.terms !== undefined)
      shown.set(itemId, { ...begun(placed.orderId, item, item.terms, payment), ...term });
  }
  return shown;
}

function begun(orderId: bigint, item: Item, terms: SubscriptionTerms, payment: PaymentShown) {
  return {
    id: subscriptionId(orderId, item.id),
    parentOrderId: orderId,
    parentItemId: item.id,
    previousOrderId: 0n,
    previousItemId: 0n,
    type: terms.type,
    isConversionFromTrial: false,
    status: 'active' as const,
    period: terms.period,
    term: 1,
    instrumentId: renewsByItself(terms) ? payment.instrumentId : '',
  };
}

/** A card that was kept while the customer paid by hand is the one that is charged from then on. */
function instrumentOf(known: ItemSubscription, payment: PaymentShown): string {
  if (!renewsByItself(known)) return '';
  return payment.instrumentId === '' ? known.instrumentId : payment.instrumentId;
}

/** The first planned charge after a failed one; undefined when the order renews nothing. */
export function nextChargeAfterFailure({ renewal, timeZone }: Placed, at: Date): Date | undefined {
  if (renewal === undefined) return undefined;
  const calendar: Calendar = { period: renewal.period, timeZone };
  return chargeAfter(calendar, renewal.expiresAt, at, renewal.periods);
}

export function withNextCharge(
  before: ReadonlyMap<bigint, ItemSubscription>,
  nextChargeAt: Date | undefined,
): ReadonlyMap<bigint, ItemSubscription> {
  if (nextChargeAt === undefined) return before;
  return new Map([...before].map(([itemId, shown]) => [itemId, { ...shown, nextChargeAt }]));
}

export function withNote(
  before: ReadonlyMap<bigint, ItemSubscription>,
  { itemId, ...note }: SubscriptionNote,
): ReadonlyMap<bigint, ItemSubscription> {
  const known = before.get(itemId);
  return known === undefined ? before : new Map([...before, [itemId, { ...known, ...note }]]);
}
