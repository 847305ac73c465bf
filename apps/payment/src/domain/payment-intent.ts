/**
 * A payment intent: what an order asks for, in one currency, and what was received against it. There is one per order.
 *
 *   unpaid ─▶ partially_paid ─▶ paid ─▶ overpaid
 *      └──────────┴──────────────┴─────────▲
 *
 * A payment (`pay_…`) is one attempt: one try at one provider with one method. The sums of an intent only grow, and only by
 * what a booked attempt received. The order is paid by the attempt whose money makes the received sum reach the asked sum;
 * what is received after that is a surplus, which is booked, held for review and due for refund.
 */

export type IntentStatus = 'unpaid' | 'partially_paid' | 'paid' | 'overpaid';

export interface PaymentIntent {
  readonly amountMinor: bigint;
  readonly currency: string;
  /** The sum of its receipts that are counted or surplus. */
  readonly receivedMinor: bigint;
  readonly status: IntentStatus;
  /** How many attempts were ever begun: a paid intent with only one has no other to withdraw. */
  readonly attempts: number;
}

/**
 * What received money was taken for. `counted` and `surplus` are received sums of the intent, and their attempt is booked. The
 * others are not: the attempt is held for review and a person decides.
 */
export type ReceiptPurpose =
  /** Towards the asked sum. More than was missing is counted as a whole: the customer paid once, too much. */
  | 'counted'
  /** The asked sum had been reached before. */
  | 'surplus'
  /** The provider's page had a fixed sum, and the provider reports another. */
  | 'other_sum'
  | 'other_currency'
  /** The attempt had ended before. */
  | 'late';

export interface Receipt {
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly takenFor: ReceiptPurpose;
  readonly receivedAt: Date;
}

/** The first attempt of an order begins its intent. */
export function beginIntent(amountMinor: bigint, currency: string): PaymentIntent {
  return { amountMinor, currency, receivedMinor: 0n, status: 'unpaid', attempts: 1 };
}

/** The asked sum is reached. An intent over 0 (the first term of a trial) is reached once its instrument is verified. */
export function isReached({ status }: Pick<PaymentIntent, 'status'>): boolean {
  return status === 'paid' || status === 'overpaid';
}

/** What a further attempt asks for. */
export function missingMinor({ amountMinor, receivedMinor }: PaymentIntent): bigint {
  return receivedMinor < amountMinor ? amountMinor - receivedMinor : 0n;
}

/** After a booked attempt that received so much; 0 = only its instrument was verified. */
export function receive(intent: PaymentIntent, amountMinor: bigint): PaymentIntent {
  const receivedMinor = intent.receivedMinor + amountMinor;
  return { ...intent, receivedMinor, status: statusOf(intent.amountMinor, receivedMinor) };
}

function statusOf(amountMinor: bigint, receivedMinor: bigint): IntentStatus {
  if (receivedMinor > amountMinor) return 'overpaid';
  if (receivedMinor === amountMinor) return 'paid';
  return receivedMinor > 0n ? 'partially_paid' : 'unpaid';
}

/** An attempt was to be begun for an intent whose asked sum was reached in the meantime. */
export class IntentReached extends Error {
  override readonly name = 'IntentReached';
}
