/** How a product renews, as the API takes and shows it. Which periods there are, the merchant service says. */
import type { SubscriptionPlan } from '@tillstream/proto/merchant/v1/merchant_api';
import { z } from 'zod';
import { isRequired } from '../http/problems.ts';

const typeWords =
  'AR: renewed and charged by itself. AR_TRIAL: the same after a free first term. PMR: an order is made for each term, and the customer pays it by hand.';
const renewalPriceWords =
  'What renewals cost. snapshot: what the first order agreed on. current: the price of the product when the customer is told of the coming charge.';
const periodWords = 'ISO 8601, one unit, from 6 days to 10 years: P1Y, P6M, P2W, P30D.';
const period = z.string().max(20);

export const planIn = z
  .strictObject({
    type: z
      .enum(['AR', 'AR_TRIAL', 'PMR'], {
        error: ({ input }) => (input === undefined ? isRequired : 'AR, AR_TRIAL or PMR.'),
      })
      .describe(typeWords),
    period: period.describe(periodWords).meta({ examples: ['P1Y', 'P1M'] }),
    trial_period: period
      .nullish()
      .describe('Of the free first term of AR_TRIAL; null = as long as the period. Not for AR and PMR.')
      .meta({ examples: ['P14D'] }),
    renewal_price: z.enum(['snapshot', 'current']).default('snapshot').describe(renewalPriceWords),
  })
  .nullable();

export const planOut = z.object({
  type: z.string().describe(typeWords),
  period: z
    .string()
    .describe(periodWords)
    .meta({ examples: ['P1Y'] }),
  trial_period: z.string().nullable().describe('Of AR_TRIAL; null = as long as the period.'),
  renewal_price: z.string().describe(renewalPriceWords),
});

export function planOf(plan: z.infer<typeof planIn>): SubscriptionPlan | undefined {
  if (plan === null) return undefined;
  const { type, period: term, trial_period: trialPeriod, renewal_price: renewalPrice } = plan;
  return { type, period: term, trialPeriod: trialPeriod ?? '', renewalPrice };
}

export function showPlan(plan: SubscriptionPlan | undefined): z.infer<typeof planOut> | null {
  if (plan === undefined) return null;
  return {
    type: plan.type,
    period: plan.period,
    trial_period: plan.trialPeriod === '' ? null : plan.trialPeriod,
    renewal_price: plan.renewalPrice,
  };
}
