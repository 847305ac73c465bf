/** A subscription as the API shows it. */
import type { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { z } from 'zod';
import {
  instant,
  instantOf,
  madeAt,
  moneyOf,
  moneyOut,
  publicSubscriptionId,
  textOrNull,
  wholeNumber,
} from './values.ts';

export const subscriptionShape = z
  .object({
    id: z.string().meta({ examples: ['sub_5555555_456660'] }),
    object: z.literal('subscription'),
    livemode: z.boolean(),
    subscription_id: z
      .string()
      .describe('As webhooks name it: the parent order and its item. It stays the same over all renewals.')
      .meta({ examples: ['5555555_456660'] }),
    parent_order: wholeNumber.describe('The order whose payment started it.'),
    parent_item: wholeNumber,
    product: z.string(),
    product_name: z.string(),
    quantity: wholeNumber,
    type: z.string().describe('AR, AR_TRIAL, PMR'),
    status: z
      .string()
      .describe('active; not paid, while an order for the next term is to be paid or was never paid; cancelled'),
    activity: z.boolean().describe('False when it is cancelled.'),
    period: z.string().meta({ examples: ['P1Y'] }),
    trial_period: z.string().nullable(),
    term: wholeNumber.describe('Which term runs; the parent order paid term 1.'),
    is_in_trial: z.boolean(),
    started_at: instant,
    expires_at: instant.describe('The paid time lasts until then, also when it is cancelled.'),
    next_charge_at: instant
      .nullable()
      .describe('When a charge, or for PMR an order, is planned next; null when none is.'),
    renewal_amount: moneyOut.describe('What the next term costs, as far as it is known today.'),
    renewal_price: z.string().describe('snapshot, current'),
    open_order: wholeNumber.nullable().describe('The unpaid order for the next term.'),
    last_order: wholeNumber.describe('The newest paid order: the parent or a renewal.'),
    last_item: wholeNumber,
    cancelled_at: instant.nullable(),
    cancelled_by: z.string().nullable().describe('customer, merchant, refund'),
    can_restore: z
      .boolean()
      .describe('Cancelled, not PMR, and the paid time is not over or an order can still be paid.'),
    time_zone: z.string().describe('In which its terms are counted.'),
    created_at: instant,
  })
  .meta({ id: 'Subscription' });

export type SubscriptionObject = z.infer<typeof subscriptionShape>;

const orNull = (id: bigint) => (id === 0n ? null : Number(id));

export function showSubscription(found: Subscription): SubscriptionObject {
  return {
    id: publicSubscriptionId(found.id),
    object: 'subscription',
    livemode: found.livemode,
    subscription_id: found.id,
    parent_order: Number(found.parentOrderId),
    parent_item: Number(found.parentItemId),
    product: found.productId,
    product_name: found.productName,
    quantity: found.quantity,
    type: found.type,
    status: found.status,
    activity: found.status !== 'cancelled',
    period: found.period,
    trial_period: textOrNull(found.trialPeriod),
    term: found.term,
    is_in_trial: found.isInTrial,
    started_at: madeAt(found.startedAt),
    expires_at: madeAt(found.expiresAt),
    next_charge_at: instantOf(found.nextChargeAt),
    renewal_amount: moneyOf(found.renewalAmountMinor, found.currency),
    renewal_price: found.renewalPrice,
    open_order: orNull(found.openOrderId),
    last_order: Number(found.lastOrderId),
    last_item: Number(found.lastItemId),
    cancelled_at: instantOf(found.cancelledAt),
    cancelled_by: textOrNull(found.cancelledBy),
    can_restore: found.canRestore,
    time_zone: found.timeZone,
    created_at: madeAt(found.createdAt),
  };
}
