/** What happens to a payment at the provider. One payment settles once; a second submit finds it settled. */
import type { Books, Instrument, NewPayment, SandboxPayment } from './books.ts';
import type { Callbacks } from './callbacks.ts';
import { chargeKept, outcomeOf, type Outcome, type ReadCard } from './cards.ts';

// A caller whose time differs by less lives by the wall's clock, a little late.
const sameMs = 5_000;

/** By how much the caller's time, if it says one, is ahead of ours. */
export function shiftOf(asOf: string | undefined): number {
  const shift = asOf === undefined ? 0 : Date.parse(asOf) - Date.now();
  return Math.abs(shift) > sameMs ? shift : 0;
}

/** The time of this payment's caller, as far as we know it. */
export function timeOf(payment: Pick<SandboxPayment, 'shift_ms'>): Date {
  return new Date(Date.now() + payment.shift_ms);
}

export class Provider {
  readonly #books: Books;
  readonly #callbacks: Callbacks;
  readonly #silenceMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(books: Books, callbacks: Callbacks, silenceMs: number) {
    this.#books = books;
    this.#callbacks = callbacks;
    this.#silenceMs = silenceMs;
  }

  /** As it is now, by the caller's time if it says one: a silent card's outcome comes out when its time is over. */
  look(id: string, asOf?: string): SandboxPayment | undefined {
    const found = this.#books.find(id);
    if (found === undefined || found.hidden_status === '') return found;
    const shift = asOf === undefined ? found.shift_ms : shiftOf(asOf);
    const payment = shift === found.shift_ms ? found : this.#books.change(found, { shift_ms: shift });
    const isOver = timeOf(payment).getTime() >= Date.parse(payment.silent_until);
    return isOver ? this.#settle(payment, found.hidden_status) : payment;
  }

  opened(payment: SandboxPayment): SandboxPayment {
    if (payment.status !== 'created') return payment;
    return this.#tell(this.#books.change(payment, { status: 'opened' }), 'payment.opened');
  }

  /** Answers the payment after the card: settled, waiting for confirmation, or silent. */
  submitted(payment: SandboxPayment, card: ReadCard): SandboxPayment {
    if (payment.status !== 'created' && payment.status !== 'opened') return payment;
    const shown = { card_brand: card.rule.brand, card_last_4: card.last4, card_expiration: card.expiration };
    const submitted: SandboxPayment = { ...payment, ...shown, status: 'submitted' };
    if (card.rule.isStrong === true) return this.#tell(this.#books.change(payment, submitted), 'payment.submitted');
    const outcome = outcomeOf(card.rule);
    if (card.rule.isSilent === true) {
      const silent = this.#books.change(submitted, this.#silently(outcome, submitted.shift_ms));
      this.#callbacks.tell(submitted, 'payment.submitted');
      this.#lookLater(silent);
      return silent;
    }
    // One line in the books: a kill between two would leave a card that was neither charged nor declined, for ever.
    const settled = this.#books.change(submitted, outcome);
    this.#callbacks.tell(submitted, 'payment.submitted');
    return this.#tell(settled, `payment.${outcome.status}`);
  }

  /**
   * Without the customer, with what was kept. What is answered at once is not told by callback as well; a silent card's
   * outcome is, when its time is over.
   */
  charged(made: NewPayment, instrument: Instrument): SandboxPayment {
    const { isSilent, ...outcome } = chargeKept(instrument, timeOf(made));
    const shown = {
      card_brand: instrument.brand,
      card_last_4: instrument.last_4,
      card_expiration: instrument.expiration,
    };
    if (!isSilent) return this.#books.openAs(made, { ...shown, ...outcome });
    const silent = this.#books.openAs(made, { ...shown, ...this.#silently(outcome, made.shift_ms) });
    this.#lookLater(silent);
    return silent;
  }

  /** At the customer's bank: one button approves, the other refuses. */
  transferred(payment: SandboxPayment, isApproved: boolean): SandboxPayment {
    if (payment.status !== 'created' && payment.status !== 'opened') return payment;
    const outcome: Outcome = isApproved
      ? { status: 'succeeded', failure_code: '', failure_words: '' }
      : { status: 'failed', failure_code: 'transfer_refused', failure_words: 'The transfer was refused.' };
    const settled = this.#books.change(payment, outcome);
    this.#callbacks.tell({ ...payment, status: 'submitted' }, 'payment.submitted');
    return this.#tell(settled, `payment.${outcome.status}`);
  }

  confirmed(payment: SandboxPayment, isConfirmed: boolean): SandboxPayment {
    if (payment.status !== 'submitted' || payment.hidden_status !== '') return payment;
    if (isConfirmed) return this.#settle(payment, 'succeeded');
    const failed = this.#books.change(payment, {
      failure_code: 'authentication_failed',
      failure_words: 'The customer was not authenticated.',
    });
    return this.#settle(failed, 'failed');
  }

  /** False when the customer has begun to pay. */
  withdrawn(payment: SandboxPayment): boolean {
    if (payment.status === 'withdrawn') return true;
    if (payment.status !== 'created' && payment.status !== 'opened') return false;
    this.#tell(this.#books.change(payment, { status: 'withdrawn' }), 'payment.withdrawn');
    return true;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #settle(payment: SandboxPayment, outcome: SandboxPayment['status']): SandboxPayment {
    const settled = this.#books.change(payment, { status: outcome, hidden_status: '', silent_until: '' });
    return this.#tell(settled, `payment.${outcome}`);
  }

  #tell(payment: SandboxPayment, type: string): SandboxPayment {
    this.#callbacks.tell(payment, type);
    return payment;
  }

  #silently(outcome: Outcome, shiftMs: number): Partial<SandboxPayment> {
    return {
      failure_code: outcome.failure_code,
      failure_words: outcome.failure_words,
      status: 'submitted',
      hidden_status: outcome.status,
      silent_until: new Date(timeOf({ shift_ms: shiftMs }).getTime() + this.#silenceMs).toISOString(),
    };
  }

  /** Somebody whose clock is not ours hears it when they ask, at their time. */
  #lookLater(payment: SandboxPayment): void {
    if (payment.shift_ms === 0) this.#later(this.#silenceMs, () => void this.look(payment.id));
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}
