import type { Generated } from 'kysely';
import type { PaymentStatus } from '../domain/payment.ts';
import type { IntentStatus, ReceiptPurpose } from '../domain/payment-intent.ts';

export interface PaymentRow {
  payment_id: string;
  merchant_id: string;
  order_id: bigint;
  livemode: boolean;
  status: PaymentStatus;
  version: bigint;
  amount_minor: bigint;
  currency: string;
  method: string;
  provider: string;
  provider_payment_id: string;
  redirect_url: string;
  return_url: string;
  locale: string;
  description: string;
  is_outcome_unknown: boolean;
  review_reason: '' | 'amount_mismatch' | 'paid_after_final';
  reason: string;
  provider_error_code: string;
  provider_error_description: string;
  /** JSON of an Instrument. */
  instrument: unknown;
  created_at: Date;
  expires_at: Date | null;
  finalised_at: Date | null;
  traceparent: string;
  saves_instrument_id: string | null;
  instrument_id: string | null;
  is_off_session: boolean;
  subscription_id: string | null;
  term: number | null;
  slot: number | null;
  /** Null = written by the version before accounts. */
  account_id: string | null;
  is_offline: boolean;
}

export interface ProviderAccountRow {
  account_id: string;
  merchant_id: string;
  livemode: boolean;
  provider: string;
  credentials: Buffer;
  settings: unknown;
  state: 'active' | 'disabled';
  position: number;
  created_at: Date;
  last_success_at: Date | null;
  last_failure_at: Date | null;
  consecutive_failures: number;
}

/** What is read of the intent beside one of its payments. */
export interface IntentColumns {
  intent_amount_minor: bigint;
  intent_currency: string;
  intent_received_minor: bigint;
  intent_status: IntentStatus;
  intent_attempts: number;
}

export interface PaymentTables {
  payment: PaymentRow;
  payment_intent: {
    intent_id: string;
    merchant_id: string;
    order_id: bigint;
    amount_minor: bigint;
    currency: string;
    received_minor: bigint;
    status: IntentStatus;
    attempts: number;
    created_at: Date;
  };
  receipt: {
    receipt_id: string;
    intent_id: string;
    payment_id: string;
    merchant_id: string;
    amount_minor: bigint;
    currency: string;
    taken_for: ReceiptPurpose;
    received_at: Date;
  };
  payment_history: {
    payment_id: string;
    version: bigint;
    merchant_id: string;
    order_id: bigint;
    type: string;
    at: Date;
    trace_id: string;
  };
  attempt: {
    attempt_id: string;
    merchant_id: string;
    payment_id: string;
    kind: 'create' | 'charge';
    state: 'intended' | 'sent' | 'open' | 'succeeded' | 'declined' | 'unknown';
    tries: Generated<number>;
    due_at: Date | null;
    leased_until: Date | null;
    lease: Generated<bigint>;
    created_at: Date;
    settled_at: Date | null;
  };
  instrument: {
    instrument_id: string;
    merchant_id: string;
    livemode: boolean;
    method: string;
    provider: string;
    provider_token: string;
    instrument: unknown;
    created_at: Date;
    account_id: string | null;
  };
  callback: {
    callback_id: string;
    provider: string;
    provider_event_id: string;
    body: Buffer;
    received_at: Generated<Date>;
    traceparent: string;
    applied_at: Date | null;
    tries: Generated<number>;
    due_at: Date | null;
    reference: string | null;
    account_id: Generated<string>;
  };
  provider_account: ProviderAccountRow;
}
