import { describe, expect, test } from 'vitest';
import { complainAboutReminders } from './reminders.ts';
import { complainAboutPlan, type SubscriptionPlan } from './subscription-plan.ts';

const plan = (more: Partial<SubscriptionPlan> = {}): SubscriptionPlan => ({
  type: 'AR',
  period: 'P1Y',
  trialPeriod: '',
  renewalPrice: 'snapshot',
  ...more,
});

describe('a plan', () => {
  test.each<Partial<SubscriptionPlan>>([
    {},
    { type: 'PMR', period: 'P6D' },
    { type: 'AR_TRIAL' },
    { type: 'AR_TRIAL', trialPeriod: 'P14D', renewalPrice: 'current' },
    { period: 'P10Y' },
    { period: 'P120M' },
    { period: 'P1W' },
  ])('%j is fine', (more) => expect(complainAboutPlan(plan(more))).toEqual([]));

  test.each<[Partial<SubscriptionPlan>, string, string]>([
    [{ period: 'P5D' }, 'subscription.period', 'period_not_allowed'],
    [{ period: 'P1Y2M' }, 'subscription.period', 'period_not_allowed'],
    [{ period: 'P0D' }, 'subscription.period', 'period_not_allowed'],
    [{ period: 'P100Y' }, 'subscription.period', 'period_not_allowed'],
    [{ period: 'P11Y' }, 'subscription.period', 'period_not_allowed'],
    [{ period: 'PT24H' }, 'subscription.period', 'period_not_allowed'],
    [{ period: '-P1Y' }, 'subscription.period', 'period_not_allowed'],
    [{ period: 'a year' }, 'subscription.period', 'period_not_allowed'],
    [{ period: '' }, 'subscription.period', 'required'],
    [{ type: '' }, 'subscription.type', 'required'],
    [{ type: 'ar' }, 'subscription.type', 'invalid_field'],
    [{ trialPeriod: 'P14D' }, 'subscription.trial_period', 'invalid_field'],
    [{ type: 'PMR', trialPeriod: 'P14D' }, 'subscription.trial_period', 'invalid_field'],
    [{ type: 'AR_TRIAL', trialPeriod: 'P5D' }, 'subscription.trial_period', 'period_not_allowed'],
    [{ renewalPrice: 'cheapest' }, 'subscription.renewal_price', 'invalid_field'],
  ])('%j is not', (more, param, code) =>
    expect(complainAboutPlan(plan(more))).toEqual([{ param, code, detail: expect.any(String) }]),
  );
});

describe('reminders', () => {
  test.each([[[]], [['P1D']], [['PT12H', 'P1D', 'P1W', 'P30D', 'P89DT23H59M']]])('%j are fine', (after) =>
    expect(complainAboutReminders(after)).toBeUndefined(),
  );

  test.each([
    [['PT0S']],
    [['-P1D']],
    [['P90D']],
    [['P1M']],
    [['P1Y']],
    [['tomorrow']],
    [['']],
    [['P1D', 'P1D']],
    [['P1D', 'PT24H']],
    [['P2D', 'P1D']],
    [['P1D', 'P2D', 'P3D', 'P4D', 'P5D', 'P6D']],
    [[`P${'9'.repeat(20)}D`]],
    [[`PT${'9'.repeat(40)}H`]],
  ])('%j are not', (after) => expect(complainAboutReminders(after)).toEqual(expect.any(String)));
});
