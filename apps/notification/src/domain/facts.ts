/**
 * What only the event knew of a mail and nobody can be asked for later, kept with it as JSON: sums as text, moments as ISO
 * 8601 or empty. The rest is asked for when the mail is sent. Never personal data.
 */
export type MailFacts =
  | RenewalNoticeFacts
  | RenewalFailedFacts
  | RenewalOrderFacts
  | SubscriptionCancelledFacts
  | SubscriptionRestoredFacts
  | SubscriptionExpiredFacts
  | OrderReminderFacts;

/** AR, AR_TRIAL, or PMR, which is paid by hand. */
type SubscriptionType = string;

export interface RenewalNoticeFacts {
  readonly kind: 'renewal_notice';
  readonly term: number;
  readonly chargeAt: string;
  readonly expiresAt: string;
  readonly amountMinor: string;
  readonly currency: string;
  readonly type: SubscriptionType;
  readonly isNewPrice: boolean;
  readonly isConversionFromTrial: boolean;
}

export interface RenewalFailedFacts {
  readonly kind: 'renewal_failed';
  readonly term: number;
  readonly slot: number;
  readonly isLast: boolean;
  readonly nextChargeAt: string;
}

export interface RenewalOrderFacts {
  readonly kind: 'renewal_order';
  readonly term: number;
}

export interface SubscriptionCancelledFacts {
  readonly kind: 'subscription_cancelled';
  /** customer, merchant, refund */
  readonly by: string;
  readonly at: string;
  readonly expiresAt: string;
  /** The unpaid child, or 0; here and below. */
  readonly openOrderId: string;
}

export interface SubscriptionRestoredFacts {
  readonly kind: 'subscription_restored';
  readonly expiresAt: string;
  /** Empty when no charge is planned, or one is under way. */
  readonly chargeAt: string;
  readonly openOrderId: string;
}

export interface SubscriptionExpiredFacts {
  readonly kind: 'subscription_expired';
  /** not paid, cancelled */
  readonly status: string;
  readonly expiresAt: string;
  readonly openOrderId: string;
}

export interface OrderReminderFacts {
  readonly kind: 'order_reminder';
  /** 1, 2, … */
  readonly number: number;
}
