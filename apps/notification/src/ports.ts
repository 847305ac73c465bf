/** Types that rooms of this service share. */
import type { MailFacts } from './domain/facts.ts';
import type { MailKind, Outcome } from './domain/mail.ts';

/** What a mail is; whether it was sent stands in its job, which has the same id. */
export interface MailRow {
  readonly id: string;
  readonly merchant_id: string;
  readonly kind: MailKind;
  readonly about: string;
  readonly order_id: bigint | null;
  readonly item_id: bigint | null;
  readonly product_id: string | null;
  readonly available: number | null;
  readonly low_water_mark: number | null;
  readonly facts: MailFacts | null;
}

/** A mail that is to be sent now. */
export interface DueMail extends MailRow {
  /** Tries before this one. */
  readonly tries: number;
}

/** A mail of an order as the timeline shows it. */
export interface MailOfOrder {
  readonly kind: MailKind;
  readonly facts: MailFacts | undefined;
  readonly status: 'pending' | 'sent' | 'not_wanted' | 'failed_permanently';
  readonly reason: string;
  readonly traceparent: string;
  readonly createdAt: Date;
  /** When it was sent or given up. */
  readonly settledAt: Date | undefined;
  /** When it is tried next. */
  readonly dueAt: Date | undefined;
}

/** What a mail says, for the mail server; or why there is nothing to hand over. */
export type Written<L> = { readonly letter: L } | { readonly outcome: Outcome };
