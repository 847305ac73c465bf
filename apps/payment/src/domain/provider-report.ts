/** What a provider reports, by callback or when asked, and the command it becomes: one way in for all of them. */
import type { Instrument } from '@tillstream/instrument/instrument';
import { unreachable } from '@tillstream/machine/machine';
import type { PaymentCommand } from './payment.ts';

/** A callback carries a list of these, each about one thing. */
export type ProviderReport = PaymentReport | RefundReport | DisputeReport;

export interface PaymentReport {
  readonly about: 'payment';
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

export interface RefundReport {
  readonly about: 'refund';
  readonly providerPaymentId: string;
  /** Our payment id. */
  readonly reference: string;
  readonly providerRefundId: string;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly failureCode: string;
}

export interface DisputeReport {
  readonly about: 'dispute';
  readonly providerPaymentId: string;
  /** Our payment id. */
  readonly reference: string;
  readonly providerDisputeId: string;
  readonly status: 'opened' | 'won' | 'lost';
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly reason: string;
}

// The decline codes that the public API promises; a provider's own stay beside them.
const publicReasons = new Set(['card_declined', 'insufficient_funds', 'authentication_failed', 'expired_card']);

/** Undefined when the report changes nothing. */
export function commandOf(report: PaymentReport, at: Date): PaymentCommand | undefined {
  const { providerPaymentId, instrument, instrumentToken } = report;
  const settlement = { at, providerPaymentId, instrument, instrumentToken };
  switch (report.status) {
    case 'created':
      return undefined;
    case 'opened':
      return { type: 'recordOpened' };
    case 'submitted':
      return { type: 'recordSubmitted' };
    case 'succeeded':
      return { type: 'recordBooked', amountMinor: report.amountMinor, currency: report.currency, settlement };
    case 'failed':
      return {
        type: 'recordFailed',
        failure: { reason: reasonOf(report.failureCode), code: report.failureCode, description: report.failureWords },
        settlement,
      };
    case 'withdrawn':
      return { type: 'recordClosed', at, closedPage: providerPaymentId };
    default:
      return unreachable(report.status);
  }
}

function reasonOf(code: string): string {
  return publicReasons.has(code) ? code : 'provider_error';
}
