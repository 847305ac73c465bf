/** What a provider says of a payment, by callback or when asked, and the command it becomes: one way in for all of them. */
import type { Instrument } from '@tillstream/instrument/instrument';
import { unreachable } from '@tillstream/machine/machine';
import type { PaymentCommand } from './payment.ts';

export interface Fact {
  readonly providerPaymentId: string;
  /** Our payment id, as we gave it to the provider. */
  readonly reference: string;
  readonly status: 'created' | 'opened' | 'submitted' | 'succeeded' | 'failed' | 'withdrawn';
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly failureCode: string;
  readonly failureWords: string;
  readonly instrument: Instrument | undefined;
  /** By which the provider charges what it kept; empty = nothing was kept, or it is not said here. */
  readonly instrumentToken: string;
}

// The decline codes that the public API promises; a provider's own stay beside them.
const publicReasons = new Set(['card_declined', 'insufficient_funds', 'authentication_failed', 'expired_card']);

/** Undefined when the fact changes nothing. */
export function commandOf(fact: Fact, at: Date): PaymentCommand | undefined {
  const { providerPaymentId, instrument, instrumentToken } = fact;
  const settlement = { at, providerPaymentId, instrument, instrumentToken };
  switch (fact.status) {
    case 'created':
      return undefined;
    case 'opened':
      return { type: 'recordOpened' };
    case 'submitted':
      return { type: 'recordSubmitted' };
    case 'succeeded':
      return { type: 'recordBooked', amountMinor: fact.amountMinor, currency: fact.currency, settlement };
    case 'failed':
      return {
        type: 'recordFailed',
        failure: { reason: reasonOf(fact.failureCode), code: fact.failureCode, description: fact.failureWords },
        settlement,
      };
    case 'withdrawn':
      return { type: 'recordClosed', at, closedPage: providerPaymentId };
    default:
      return unreachable(fact.status);
  }
}

function reasonOf(code: string): string {
  return publicReasons.has(code) ? code : 'provider_error';
}
