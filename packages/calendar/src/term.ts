/**
 * The terms of a subscription. Every end is computed from one anchor, the local date on which the first full-price term
 * began: anchor + n periods. So nothing drifts: 31 January, 28 February, 31 March. All moments are 23:59:00 in the
 * shop's time zone (seed 003: paid 2021-08-13, P1Y, expires 2022-08-13T23:59:00+03:00, charged 2022-07-24T23:59:00+03:00).
 */
import { isLong, readPeriod, type Period } from './period.ts';

export interface Term {
  /** Local date, YYYY-MM-DD. */
  readonly anchorOn: string;
  /** How many periods lie between the anchor and the end; 0 in a trial, whose end is the anchor. */
  readonly periods: number;
  readonly expiresAt: Date;
  /** The first of the planned charges for the term after this one. */
  readonly nextChargeAt: Date;
}

export interface Calendar {
  /** ISO 8601 of one unit (period.ts). Throws on anything else: what is not a period is refused where it enters. */
  readonly period: string;
  /** IANA, or an offset such as +03:00. */
  readonly timeZone: string;
}

// R85: for half a year and more the customer and we have time; else it is short. A trial is always short: its term is not
// the period, and a charge 20 days before the end of a fortnight would lie before its beginning.
const longPlan = { noticeDays: 30, chargeDays: [20, 10, 0] } as const;
const shortPlan = { noticeDays: 9, chargeDays: [2, 1, 0] } as const;

/** The term that a first payment begins. With a trial period the term is the trial, and the anchor is its end. */
export function firstTerm(calendar: Calendar, paidAt: Date, trialPeriod?: string): Term {
  const paidOn = dateIn(paidAt, calendar.timeZone);
  if (trialPeriod === undefined) return termOf(calendar, paidOn.toString(), 1);
  return termOf(calendar, plus(paidOn, periodOf(trialPeriod), 1).toString(), 0);
}

/**
 * The term that a renewal pays: it begins where the last one ended. When even its end would lie before the payment, the
 * customer would pay for nothing: the term then begins with the payment (docs/decisions/terms.md).
 */
export function nextTerm(calendar: Calendar, last: Pick<Term, 'anchorOn' | 'periods'>, paidAt: Date): Term {
  const next = termOf(calendar, last.anchorOn, last.periods + 1);
  return next.expiresAt > paidAt ? next : firstTerm(calendar, paidAt);
}

export function termOf(calendar: Calendar, anchorOn: string, periods: number): Term {
  const endsOn = plus(Temporal.PlainDate.from(anchorOn), periodOf(calendar.period), periods);
  const expiresAt = endOfDay(endsOn, calendar.timeZone);
  return { anchorOn, periods, expiresAt, nextChargeAt: chargesOf(calendar, expiresAt, periods)[0] ?? expiresAt };
}

/**
 * When the term after the one that ends then is charged: −20, −10 and 0 days, or −2, −1 and 0. Ascending. `periods` is
 * that of the term that ends: 0 says that it is a trial.
 */
export function chargesOf(calendar: Calendar, expiresAt: Date, periods = 1): readonly Date[] {
  return planOf(calendar, periods).chargeDays.map((days) => daysBefore(calendar, expiresAt, days));
}

/** When the customer is told of the coming charge: −30 days, or −9. It may lie before the term's beginning. */
export function noticeOf(calendar: Calendar, expiresAt: Date, periods = 1): Date {
  return daysBefore(calendar, expiresAt, planOf(calendar, periods).noticeDays);
}

/** The first planned charge after `now`, else the last one. */
export function chargeAfter(calendar: Calendar, expiresAt: Date, now: Date, periods = 1): Date {
  const charges = chargesOf(calendar, expiresAt, periods);
  return charges.find((at) => at > now) ?? charges.at(-1) ?? expiresAt;
}

function planOf(calendar: Calendar, periods: number) {
  return periods > 0 && isLong(periodOf(calendar.period)) ? longPlan : shortPlan;
}

function periodOf(text: string): Period {
  const period = readPeriod(text);
  if (period === undefined) throw new Error(`${text} is not a period`);
  return period;
}

function plus(date: Temporal.PlainDate, { unit, count }: Period, times: number): Temporal.PlainDate {
  return date.add({ [unit]: count * times });
}

function daysBefore({ timeZone }: Calendar, at: Date, days: number): Date {
  return endOfDay(dateIn(at, timeZone).subtract({ days }), timeZone);
}

function dateIn(at: Date, timeZone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone).toPlainDate();
}

// Where clocks go back over midnight 23:59 comes twice: the earlier one counts.
function endOfDay(date: Temporal.PlainDate, timeZone: string): Date {
  return new Date(date.toZonedDateTime({ timeZone, plainTime: '23:59' }).epochMilliseconds);
}
