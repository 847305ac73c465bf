/** What renews, and when: asked of the one calendar that the charges are planned by, so that no page says otherwise. */
import { firstTerm, nextTerm, type Calendar, type Term } from '@tillstream/calendar/term';

export interface Terms {
  /** AR, AR_TRIAL, PMR */
  readonly type: string;
  readonly period: string;
  /** Empty unless AR_TRIAL. */
  readonly trialPeriod: string;
}

const dayMs = 86_400_000;

/** Whether something is charged without the customer: with the consent to it, and by a method that can. */
export function renewsByItself(terms: Pick<Terms, 'type'> | undefined): boolean {
  return terms !== undefined && terms.type !== 'PMR';
}

export function isTrial(terms: Pick<Terms, 'type'> | undefined): boolean {
  return terms?.type === 'AR_TRIAL';
}

/** How many days before the end of the first term the next one is charged. In UTC, where each day has 24 hours. */
export function daysFromChargeToEnd({ type, period, trialPeriod }: Terms): number {
  const { expiresAt, nextChargeAt } = firstTerm(
    { period, timeZone: 'UTC' },
    new Date(0),
    type === 'AR_TRIAL' ? trialPeriod : undefined,
  );
  return Math.round((expiresAt.getTime() - nextChargeAt.getTime()) / dayMs);
}

/** Until when a renewal that is paid at this moment lasts. */
export function extendedTo(calendar: Calendar, running: Pick<Term, 'anchorOn' | 'periods'>, paidAt: Date): Date {
  return nextTerm(calendar, running, paidAt).expiresAt;
}
