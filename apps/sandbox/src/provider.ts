/** What happens to a payment at the provider. One payment settles once; a second submit finds it settled. */
import type { Books, SandboxPayment } from './books.ts';
import type { Callbacks } from './callbacks.ts';
import type { ReadCard } from './cards.ts';

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

  /** As it is now: a silent card's outcome comes out when its time is over. */
  look(id: string): SandboxPayment | undefined {
    const payment = this.#books.find(id);
    if (payment === undefined || payment.hidden_status === '' || Date.now() < Date.parse(payment.silent_until))
      return payment;
    return this.#settle(payment, payment.hidden_status);
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
    const failure = { failure_code: card.rule.code ?? '', failure_words: card.rule.words ?? '' };
    const outcome = card.rule.outcome === 'pays' ? 'succeeded' : 'failed';
    if (card.rule.isSilent === true) {
      const silent = this.#books.change(submitted, {
        ...failure,
        status: 'submitted',
        hidden_status: outcome,
        silent_until: new Date(Date.now() + this.#silenceMs).toISOString(),
      });
      this.#callbacks.tell(submitted, 'payment.submitted');
      this.#later(this.#silenceMs, () => void this.look(silent.id));
      return silent;
    }
    // One line in the books: a kill between two would leave a card that was neither charged nor declined, for ever.
    const settled = this.#books.change(submitted, { ...failure, status: outcome });
    this.#callbacks.tell(submitted, 'payment.submitted');
    return this.#tell(settled, `payment.${outcome}`);
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

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}
