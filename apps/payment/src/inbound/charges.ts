/**
 * Charges of what customers let us keep: taken up in batches after the commits that intended them, called many at once
 * with the same keys for ever, and what is answered is recorded in one commit for the batch.
 */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Log } from '@tillstream/messaging/log';
import type { DueTimer } from '@tillstream/messaging/timers';
import { probe } from '@tillstream/telemetry/probe';
import { commandOf } from '../domain/provider-report.ts';
import { askAfter } from '../domain/patience.ts';
import type { PaymentCommand } from '../domain/payment.ts';
import type { Account, ChargeAnswer, ChargeRequest, LeasedAttempt, OfAccount } from '../ports.ts';
import { eachAtOnce } from './each-at-once.ts';
import { notOffered, refusalOf } from './refusals.ts';

export interface ChargesParts {
  readonly attempts: {
    lease(kind: 'charge'): Promise<readonly LeasedAttempt[]>;
    postponeCharges(
      attempts: readonly LeasedAttempt[],
      until: (attempt: LeasedAttempt) => Date | undefined,
    ): Promise<void>;
    release(attempts: readonly LeasedAttempt[]): Promise<void>;
    recall(charges: readonly { merchantId: string; paymentId: string; at: Date }[]): Promise<void>;
  };
  /** Through which a payment goes. Rejects when it cannot be used. */
  account(payment: OfAccount): Promise<Pick<Account, 'state' | 'provider'>>;
  readonly performer: {
    perform(
      envelopes: readonly Envelope<PaymentCommand>[],
    ): Promise<readonly { readonly state: { readonly status: string } }[]>;
  };
  readonly clock: Clock;
  readonly log: Log;
  /** Whoever calls is told that something is due. */
  wake(): void;
}

// Of each of two workers (app.ts).
const atOnce = 16;
// No call begins later: with the provider's deadline it ends before the lease does.
const beginWithinMs = 18_000;

export class Charges {
  readonly #parts: ChargesParts;

  constructor(parts: ChargesParts) {
    this.#parts = parts;
  }

  /** Calls what is due; answers how many there were. */
  async call(): Promise<number> {
    const { attempts } = this.#parts;
    const leased = await attempts.lease('charge');
    if (leased.length === 0) return 0;
    const startedAt = performance.now();
    const called = await eachAtOnce(leased, atOnce, async (attempt) =>
      performance.now() - startedAt > beginWithinMs ? undefined : { attempt, answer: await this.#callOne(attempt) },
    );
    const answered = called.filter((each) => each !== undefined);
    const undecided = await this.#record(answered);
    await attempts.postponeCharges(undecided, (attempt) =>
      askAfter(attempt.tries, this.#parts.clock.now(attempt.payment.merchant_id)),
    );
    await attempts.release(leased.filter((_, at) => called[at] === undefined));
    return leased.length;
  }

  /** Timers of charges that had no answer. */
  async askAgain(due: readonly DueTimer[]): Promise<void> {
    if (due.length === 0) return;
    await this.#parts.attempts.recall(
      due.map(({ merchantId, aggregateId }) => ({
        merchantId,
        paymentId: aggregateId,
        at: this.#parts.clock.now(merchantId),
      })),
    );
    this.#parts.wake();
  }

  async #callOne({ attemptId, payment, providerToken, tries }: LeasedAttempt): Promise<ChargeAnswer> {
    const { clock, log } = this.#parts;
    probe('attempt not sent');
    const answer = await this.#ask(payment, tries, {
      key: attemptId,
      reference: payment.payment_id,
      token: providerToken,
      amountMinor: payment.amount_minor,
      currency: payment.currency,
      asOf: clock.now(payment.merchant_id),
    });
    probe('attempt answered');
    if (answer.outcome === 'unknown')
      log.warn({ payment_id: payment.payment_id, because: answer.because, tries }, 'outcome unknown');
    return answer;
  }

  async #ask(payment: OfAccount, tries: number, request: ChargeRequest): Promise<ChargeAnswer> {
    try {
      const account = await this.#parts.account(payment);
      return refusalOf(account, tries) ?? (await account.provider.charge?.(request)) ?? notOffered;
    } catch (error) {
      // An account that cannot be used any more holds up no other.
      return { outcome: 'unknown', because: error instanceof Error ? error.message : 'error' };
    }
  }

  /** Answers those whose outcome is still open. A crash before this calls again with the same keys. */
  async #record(
    answered: readonly { readonly attempt: LeasedAttempt; readonly answer: ChargeAnswer }[],
  ): Promise<readonly LeasedAttempt[]> {
    const { performer, log } = this.#parts;
    const envelopes = answered.map(({ attempt, answer }) => this.#envelope(attempt, answer));
    try {
      const states = await performer.perform(envelopes);
      return answered.flatMap(({ attempt }, at) => (isLive(states[at]?.state.status) ? [attempt] : []));
    } catch (error) {
      log.warn({ err: error, charges: answered.length }, 'charges could not be recorded at once and are one by one');
    }
    const undecided: LeasedAttempt[] = [];
    for (const [at, envelope] of envelopes.entries()) {
      const attempt = answered[at]?.attempt;
      // What cannot be recorded keeps its lease, and is called again with the same key when that is over.
      const [answer] = await performer.perform([envelope]).catch((error: unknown) => {
        log.error({ err: error, payment_id: envelope.id }, 'the outcome of a charge could not be recorded');
        return [];
      });
      if (attempt !== undefined && isLive(answer?.state.status)) undecided.push(attempt);
    }
    return undecided;
  }

  #envelope({ payment }: LeasedAttempt, answer: ChargeAnswer): Envelope<PaymentCommand> {
    const now = this.#parts.clock.now(payment.merchant_id);
    const { payment_id: id, merchant_id: merchantId, traceparent } = payment;
    return { id, merchantId, now, traceparent, command: commandFor(answer, now) };
  }
}

function commandFor(answer: ChargeAnswer, now: Date): PaymentCommand {
  if (answer.outcome === 'known') return commandOf(answer.report, now) ?? { type: 'recordUnknown' };
  if (answer.outcome === 'unknown') return { type: 'recordUnknown' };
  const failure = { reason: 'provider_error', code: answer.code, description: answer.description };
  const settlement = { at: now, providerPaymentId: '', instrument: undefined, instrumentToken: '' };
  return { type: 'recordFailed', failure, settlement };
}

/** Not known yet, or held for a person. */
function isLive(status: string | undefined): boolean {
  return status === 'processing' || status === 'confirmed';
}
