/** Calls to providers, always after the commit that intended them, always with the same key; their outcomes as commands. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Alongside } from '@tillstream/messaging/perform';
import type { DueTimer, TimerHandler } from '@tillstream/messaging/timers';
import type { Log } from '@tillstream/messaging/log';
import { probe } from '@tillstream/telemetry/probe';
import { commandOf } from '../domain/provider-report.ts';
import { askAfter } from '../domain/patience.ts';
import type { PaymentCommand } from '../domain/payment.ts';
import { lookAgainMs } from '../domain/policies.ts';
import type { Account, CalledPayment, LeasedAttempt, OfAccount, PageAnswer, PageRequest } from '../ports.ts';
import { eachAtOnce } from './each-at-once.ts';
import { notOffered, refusalOf } from './refusals.ts';

export interface ProviderCallParts {
  readonly attempts: {
    lease(kind: 'create'): Promise<readonly LeasedAttempt[]>;
    leaseOne(paymentId: string): Promise<readonly LeasedAttempt[]>;
    settled(attempt: LeasedAttempt, state: 'open' | 'declined', at: Date): Alongside;
    postponed(attempt: LeasedAttempt, dueAt: Date | undefined): Alongside;
  };
  readonly payments: { rows(merchants: readonly string[], ids: readonly string[]): Promise<readonly CalledPayment[]> };
  /** Through which a payment goes. Rejects when it cannot be used. */
  account(payment: OfAccount): Promise<Pick<Account, 'state' | 'provider'>>;
  readonly performer: {
    perform(
      envelopes: readonly Envelope<PaymentCommand>[],
      beside?: Alongside,
    ): Promise<readonly { readonly state: { readonly status: string } }[]>;
    performOnce(envelopes: readonly Envelope<PaymentCommand>[]): Promise<unknown>;
  };
  schedule(timer: DueTimer, kind: string, dueAt: Date): Promise<void>;
  /** Renewals that had no answer are charged again, with the same key. */
  readonly charges: { askAgain(due: readonly DueTimer[]): Promise<void> };
  readonly clock: Clock;
  readonly log: Log;
}

// Each waits for a provider; more would only wait there.
const atOnce = 16;

export class ProviderCalls implements TimerHandler {
  readonly machine = 'payment';
  readonly #parts: ProviderCallParts;

  constructor(parts: ProviderCallParts) {
    this.#parts = parts;
  }

  /** Opens the provider's page for one payment now, if that is due; or for what a crash or an outage left behind. */
  async open(paymentId?: string): Promise<number> {
    const { attempts } = this.#parts;
    const leased = await (paymentId === undefined ? attempts.lease('create') : attempts.leaseOne(paymentId));
    await Promise.all(leased.map((attempt) => this.#openOne(attempt)));
    return leased.length;
  }

  async #openOne(attempt: LeasedAttempt): Promise<void> {
    const { attempts, performer, clock } = this.#parts;
    const { payment } = attempt;
    const now = () => clock.now(payment.merchant_id);
    if (isGivenUp(payment)) return this.#close(attempt);
    probe('attempt not sent');
    // What is recorded and that the call is over are one commit. A crash before it calls again with the same key, and the
    // provider answers the same.
    const send = (command: PaymentCommand, beside: Alongside) =>
      performer.perform([this.#envelope(payment, command)], beside);
    const answer = await this.#ask(attempt, {
      key: attempt.attemptId,
      reference: payment.payment_id,
      amountMinor: payment.amount_minor,
      currency: payment.currency,
      returnUrl: payment.return_url,
      description: payment.description,
      locale: payment.locale,
      method: payment.method,
      save: payment.saves_instrument_id !== null,
      asOf: now(),
    });
    probe('attempt answered');
    if (answer.outcome === 'open') {
      const { providerPaymentId, redirectUrl } = answer;
      await send({ type: 'recordPage', providerPaymentId, redirectUrl }, attempts.settled(attempt, 'open', now()));
    } else if (answer.outcome === 'declined') {
      const failure = { reason: 'provider_error', code: answer.code, description: answer.description };
      const settlement = { at: now(), providerPaymentId: '', instrument: undefined, instrumentToken: '' };
      await send({ type: 'recordFailed', failure, settlement }, attempts.settled(attempt, 'declined', now()));
    } else {
      this.#parts.log.warn(
        { payment_id: payment.payment_id, because: answer.because, tries: attempt.tries },
        'outcome unknown',
      );
      await send({ type: 'recordUnknown' }, attempts.postponed(attempt, askAfter(attempt.tries, now())));
    }
  }

  async #ask({ payment, tries }: LeasedAttempt, request: PageRequest): Promise<PageAnswer> {
    const account = await this.#parts.account(payment).catch((error: unknown) => {
      this.#parts.log.error({ err: error, payment_id: payment.payment_id }, 'the provider account cannot be used');
      return undefined;
    });
    // Whether an earlier try has reached the provider is not known: it is tried again.
    if (account === undefined) return { outcome: 'unknown', because: 'the provider account cannot be used' };
    return refusalOf(account, tries) ?? (await account.provider.openPage?.(request)) ?? notOffered;
  }

  /** The payment ended while nobody knew whether the provider had opened a page: what it may have opened is closed. */
  async #close(attempt: LeasedAttempt): Promise<void> {
    const { attempts, performer, clock, log } = this.#parts;
    const { payment } = attempt;
    const now = clock.now(payment.merchant_id);
    try {
      if ((await this.withdraw(payment)) === undefined)
        log.error({ payment_id: payment.payment_id }, 'its page was not closed, and may be paid after the end');
    } catch (error) {
      log.warn({ err: error, payment_id: payment.payment_id, tries: attempt.tries }, 'the provider does not answer');
      await performer.perform(
        [this.#envelope(payment, { type: 'recordUnknown' })],
        attempts.postponed(attempt, askAfter(attempt.tries, now)),
      );
      return;
    }
    await performer.perform(
      [this.#envelope(payment, { type: 'recordUnknown' })],
      attempts.settled(attempt, 'declined', now),
    );
  }

  /** Asks the provider and records what it says. */
  async ask(payment: CalledPayment): Promise<void> {
    const now = this.#parts.clock.now(payment.merchant_id);
    const { provider } = await this.#parts.account(payment);
    const report = await provider.ask?.(payment.payment_id, now);
    const command = report === undefined ? undefined : commandOf(report, now);
    if (command !== undefined) await this.#parts.performer.perform([this.#envelope(payment, command)]);
  }

  /**
   * The provider's id of the page that it has closed, or that was closed already; empty = it knows of none. Undefined = it did not
   * close it, and what it says instead is recorded.
   */
  async withdraw(payment: CalledPayment): Promise<string | undefined> {
    const { provider } = await this.#parts.account(payment);
    if (provider.withdraw === undefined) {
      await this.ask(payment);
      return undefined;
    }
    // A page whose address never arrived may be there all the same.
    const id =
      payment.provider_payment_id ||
      (await provider.ask?.(payment.payment_id, this.#parts.clock.now(payment.merchant_id)))?.providerPaymentId;
    if (id === undefined) return '';
    if (await provider.withdraw(id)) return id;
    await this.ask(payment);
    return undefined;
  }

  /** Timers of payments: a page that was never used expires; a provider that is silent is asked again. */
  async fire(due: readonly DueTimer[]): Promise<void> {
    const rows = await this.#parts.payments.rows(
      due.map((timer) => timer.merchantId),
      due.map((timer) => timer.aggregateId),
    );
    const rowOf = new Map(rows.map((row) => [row.payment_id, row]));
    const isOfRenewal = (timer: DueTimer) => rowOf.get(timer.aggregateId)?.is_off_session === true;
    await this.#parts.charges.askAgain(due.filter(isOfRenewal));
    const failures: unknown[] = [];
    await eachAtOnce(
      due.filter((timer) => !isOfRenewal(timer)),
      atOnce,
      async (timer) => {
        const row = rowOf.get(timer.aggregateId);
        if (row === undefined) return;
        try {
          if (timer.kind === 'expire') await this.#end(row, { type: 'expire', at: timer.dueAt });
          else if (timer.kind === 'supersede') await this.#end(row, { type: 'withdraw', at: timer.dueAt });
          else if (timer.kind === 'look') await this.#look(timer, row);
          else if (row.status === 'processing') await this.#askAgain(timer, row);
        } catch (error) {
          // A provider that does not answer about one payment holds up no other.
          failures.push(error);
        }
      },
    );
    if (failures.length > 0)
      throw new Error(`${failures.length} of ${due.length} timers wait for a provider`, { cause: failures[0] });
  }

  /** Its time is over, or another attempt has paid the order. */
  async #end(row: CalledPayment, command: { readonly type: 'expire' | 'withdraw'; readonly at: Date }): Promise<void> {
    if (!isOpen(row)) return;
    // The provider's word first: a page that could still be paid must not be called ended.
    // A page that the provider cannot close is left: money that still comes is held for a person.
    const { provider } = await this.#parts.account(row);
    const closed = await this.withdraw(row);
    if (closed === undefined && provider.withdraw !== undefined) return;
    const closedPage = closed ?? row.provider_payment_id;
    // Not once by the timer's id: who comes too early comes again, and what has ended does not end twice.
    const [answer] = await this.#parts.performer.perform([this.#envelope(row, { ...command, closedPage })]);
    if (answer?.state.status === 'created' || answer?.state.status === 'seen')
      throw new Error('the page came while the provider was asked to close it');
  }

  async #look(timer: DueTimer, row: CalledPayment): Promise<void> {
    if (!isOpen(row)) return;
    await this.ask(row).catch((error: unknown) =>
      this.#parts.log.warn({ err: error, payment_id: row.payment_id }, 'the provider does not answer'),
    );
    const [now] = await this.#parts.payments.rows([row.merchant_id], [row.payment_id]);
    // Ends with the payment: it expires half an hour after it was made.
    const next = new Date(this.#parts.clock.now(row.merchant_id).getTime() + lookAgainMs);
    if (now !== undefined && isOpen(now)) await this.#parts.schedule(timer, 'look', next);
  }

  async #askAgain(timer: DueTimer, row: CalledPayment): Promise<void> {
    const { performer, log } = this.#parts;
    const tries = Number(timer.kind.replace('ask-', ''));
    try {
      await this.ask(row);
    } catch (error) {
      log.warn({ err: error, payment_id: row.payment_id }, 'the provider does not answer');
    }
    const [now] = await this.#parts.payments.rows([row.merchant_id], [row.payment_id]);
    if (now?.status !== 'processing') return;
    await performer.performOnce([{ ...this.#envelope(row, { type: 'recordUnknown' }), messageId: timer.timerId }]);
    const next = askAfter(tries + 1, this.#parts.clock.now(row.merchant_id));
    if (next !== undefined) await this.#parts.schedule(timer, `ask-${tries + 1}`, next);
  }

  #envelope(payment: CalledPayment, command: PaymentCommand): Envelope<PaymentCommand> {
    const now = this.#parts.clock.now(payment.merchant_id);
    // What a provider says continues the trace of the click that started the payment.
    return { id: payment.payment_id, merchantId: payment.merchant_id, command, now, traceparent: payment.traceparent };
  }
}

/** Whoever wants to pay gets another. */
function isGivenUp(payment: CalledPayment): boolean {
  return payment.status === 'expired' || payment.status === 'withdrawn';
}

function isOpen(payment: CalledPayment): boolean {
  return payment.status === 'created' || payment.status === 'seen';
}
