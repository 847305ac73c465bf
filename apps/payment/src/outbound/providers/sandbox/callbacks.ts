/** The sandbox's words, checked before they are believed: answers of its API and signed callbacks. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { card } from '@tillstream/instrument/instrument';
import { z } from 'zod';
import type { PaymentReport } from '../../../domain/provider-report.ts';
import type { Headers, ReceivedCallback } from '../../../ports.ts';

export const payment = z.object({
  id: z.string().min(1).max(100),
  reference: z.string().max(100),
  amount_minor: z.string().regex(/^[0-9]{1,15}$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
  status: z.enum(['created', 'opened', 'submitted', 'succeeded', 'failed', 'withdrawn']),
  failure_code: z.string().max(100),
  failure_words: z.string().max(500),
  card_brand: z.string().max(40),
  card_last_4: z.string().regex(/^([0-9]{4})?$/),
  card_expiration: z.string().regex(/^((0[1-9]|1[0-2])\/20[0-9]{2})?$/),
  // Callbacks do not carry it: what passes through other hands must be of no use to them.
  instrument: z.string().max(100).default(''),
});
const callback = z.object({ id: z.string().min(1).max(100), type: z.string().max(100), payment });

// A callback that is older was replayed or waited too long; the provider tells it again with a new time.
const callbackAgeSeconds = 300;

/** Undefined when it is not signed with this secret, or too old. */
export function readSigned(
  secret: string,
  headers: Headers,
  body: Uint8Array,
  now: Date,
): ReceivedCallback | undefined {
  const signed = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(headers['sandbox-signature'] ?? '');
  if (signed === null) return undefined;
  const [, seconds = '0', signature = ''] = signed;
  const wanted = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest();
  if (!timingSafeEqual(wanted, Buffer.from(signature, 'hex'))) return undefined;
  if (Math.abs(now.getTime() / 1_000 - Number(seconds)) > callbackAgeSeconds) return undefined;
  return readStored(body);
}

export function readStored(body: Uint8Array): ReceivedCallback | undefined {
  const read = callback.safeParse(parse(body));
  if (!read.success) return undefined;
  return { eventId: read.data.id, reports: [{ ...toReport(read.data.payment), instrumentToken: '' }] };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

export function toReport(said: z.infer<typeof payment>): PaymentReport {
  return {
    about: 'payment',
    providerPaymentId: said.id,
    reference: said.reference,
    status: said.status,
    amountMinor: BigInt(said.amount_minor),
    currency: said.currency,
    failureCode: said.failure_code,
    failureWords: said.failure_words,
    instrument: card({ brand: said.card_brand, last4: said.card_last_4, expiration: said.card_expiration }),
    instrumentToken: said.instrument,
  };
}
