/** A payment as the API and webhook events show it. */
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { z } from 'zod';
import { paidWithShape, showPaidWith } from './method.ts';
import { instant, instantOf, madeAt, moneyOf, moneyOut, textOrNull, wholeNumber } from './values.ts';

const attempt = z.object({
  id: z.string().describe('The provider’s idempotency key, for ever.'),
  kind: z.string().describe('create; charge, without the customer'),
  state: z.string().describe('intended, sent, open, succeeded, declined, unknown'),
  tries: wholeNumber,
  created_at: instant,
  settled_at: instant.nullable(),
});

export const paymentShape = z
  .object({
    id: z.string(),
    object: z.literal('payment'),
    livemode: z.boolean(),
    order: wholeNumber,
    status: z
      .string()
      .describe('created, seen, processing, confirmed, booked, failed, expired, withdrawn, processing_expired'),
    outcome_unknown: z
      .boolean()
      .describe('The provider has not said how it ended; it is being asked. Nothing is guessed.'),
    review_reason: z.string().nullable().describe('Why a person must look: amount_mismatch, paid_after_final.'),
    amount: moneyOut,
    method: z.string(),
    system_name: z.string(),
    provider: z.string(),
    provider_payment_id: z.string(),
    reason: z.string().nullable().describe('After a failure, such as card_declined.'),
    provider_error: z.object({ code: z.string(), description: z.string() }).nullable(),
    money_moved: z.string().describe('no, yes, unknown'),
    is_off_session: z.boolean().describe('A renewal: the customer was not there.'),
    instrument: z
      .string()
      .nullable()
      .describe('What this payment kept for renewals, or was charged to: never a card number.'),
    ...paidWithShape,
    created_at: instant,
    expires_at: instant.nullable(),
    finalised_at: instant.nullable(),
    attempts: z.array(attempt),
  })
  .meta({ id: 'Payment' });

export type PaymentObject = z.infer<typeof paymentShape>;

export function showPayment(payment: Payment): PaymentObject {
  return {
    id: payment.id,
    object: 'payment',
    livemode: payment.livemode,
    order: Number(payment.orderId),
    status: payment.status,
    outcome_unknown: payment.outcomeUnknown,
    review_reason: textOrNull(payment.reviewReason),
    amount: moneyOf(payment.amountMinor, payment.currency),
    method: payment.method,
    system_name: payment.systemName,
    provider: payment.provider,
    provider_payment_id: payment.providerPaymentId,
    reason: textOrNull(payment.reason),
    provider_error:
      payment.providerErrorCode === ''
        ? null
        : { code: payment.providerErrorCode, description: payment.providerErrorDescription },
    money_moved: payment.moneyMoved,
    is_off_session: payment.isOffSession,
    instrument: textOrNull(payment.instrumentId),
    ...showPaidWith(payment),
    created_at: madeAt(payment.createdAt),
    expires_at: instantOf(payment.expiresAt),
    finalised_at: instantOf(payment.finalisedAt),
    attempts: payment.attempts.map((each) => ({
      id: each.id,
      kind: each.kind,
      state: each.state,
      tries: each.tries,
      created_at: madeAt(each.createdAt),
      settled_at: instantOf(each.settledAt),
    })),
  };
}
