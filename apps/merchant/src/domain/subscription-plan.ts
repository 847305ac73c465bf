/** How a product renews (P19). Refusals name the field as the public API calls it. */
import { complainAboutPeriod, type PeriodComplaint } from '@tillstream/calendar/period';
import type { Complaint } from './product.ts';

export interface SubscriptionPlan {
  /** AR: charged by itself. AR_TRIAL: the same after a free first term. PMR: an order that the customer pays by hand. */
  readonly type: string;
  readonly period: string;
  /** Of the free first term; empty = as long as the period. */
  readonly trialPeriod: string;
  /** What renewals cost: what the first order agreed on, or what the product costs when the notice goes out. */
  readonly renewalPrice: string;
}

const types = ['AR', 'AR_TRIAL', 'PMR'];
const whyNot: Readonly<Record<PeriodComplaint, string>> = {
  not_a_period: 'An ISO 8601 duration of one unit, such as P1Y, P6M, P2W or P30D.',
  too_short: 'The shortest is 6 days: charges begin two days before the end.',
  too_long: 'The longest is 10 years.',
};

export function complainAboutPlan(plan: SubscriptionPlan): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (field: string, code: Complaint['code'], detail: string) =>
    complaints.push({ param: `subscription.${field}`, code, detail });
  const checkPeriod = (field: string, text: string) => {
    const complaint = complainAboutPeriod(text);
    if (complaint !== undefined) complain(field, 'period_not_allowed', whyNot[complaint]);
  };

  if (plan.type === '') complain('type', 'required', 'AR, AR_TRIAL or PMR.');
  else if (!types.includes(plan.type)) complain('type', 'invalid_field', 'AR, AR_TRIAL or PMR.');
  if (plan.period === '') complain('period', 'required', 'How long a term is, such as P1Y.');
  else checkPeriod('period', plan.period);
  if (plan.trialPeriod !== '') {
    if (plan.type === 'AR_TRIAL') checkPeriod('trial_period', plan.trialPeriod);
    else complain('trial_period', 'invalid_field', 'Only AR_TRIAL has a free first term.');
  }
  if (plan.renewalPrice !== 'snapshot' && plan.renewalPrice !== 'current')
    complain('renewal_price', 'invalid_field', 'snapshot or current.');
  return complaints;
}
