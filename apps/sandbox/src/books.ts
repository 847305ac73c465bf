/** The provider's own books: payments, what was captured, and every answer to an idempotency key; kept over a restart. */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';

export type SandboxStatus = 'created' | 'opened' | 'submitted' | 'succeeded' | 'failed' | 'withdrawn';

export type SandboxMethod = 'card' | 'bank_transfer';

export interface SandboxPayment {
  readonly id: string;
  /** Whose it is; '' = made with the installation's own secret. */
  readonly account: string;
  readonly reference: string;
  readonly amount_minor: string;
  readonly currency: string;
  readonly return_url: string;
  readonly callback_url: string;
  readonly description: string;
  readonly locale: string;
  readonly method: SandboxMethod;
  /** The card is kept, and charged again later. */
  readonly save: boolean;
  /** Charged with what was kept, without the customer. */
  readonly off_session: boolean;
  readonly created_at: string;
  /** The Idempotency-Key that made it, and what the request said. */
  readonly key: string;
  readonly fingerprint: string;
  status: SandboxStatus;
  failure_code: string;
  failure_words: string;
  card_brand: string;
  card_last_4: string;
  card_expiration: string;
  /** When a silent card's outcome may be told; until then it answers submitted. */
  silent_until: string;
  /** What a silent card will turn out to be. */
  hidden_status: SandboxStatus | '';
  /** By how much the caller's time is ahead of ours, as it said last. */
  shift_ms: number;
  /** The token of what was kept; empty until the payment has succeeded. */
  instrument: string;
}

/** A card that was kept. Its number is not: the last four digits say which rule of the test cards it follows. */
export interface Instrument {
  readonly token: string;
  readonly account: string;
  readonly brand: string;
  readonly last_4: string;
  /** MM/YYYY */
  readonly expiration: string;
}

export type NewPayment = Pick<
  SandboxPayment,
  | 'account'
  | 'reference'
  | 'amount_minor'
  | 'currency'
  | 'return_url'
  | 'callback_url'
  | 'description'
  | 'locale'
  | 'method'
  | 'save'
  | 'off_session'
  | 'key'
  | 'fingerprint'
  | 'shift_ms'
>;

/** What a payment and its entry become in one line of the books. */
interface Line {
  readonly payment: SandboxPayment;
  readonly entry?: Entry;
  readonly instrument?: Instrument;
}

/** As an older version may have written it. */
interface OldLine extends Omit<Partial<Line>, 'instrument'> {
  readonly instrument?: Omit<Instrument, 'account'> & { readonly account?: string };
}

const entries = { succeeded: 'capture', failed: 'decline', withdrawn: 'withdrawal' } as const;

export interface Entry {
  readonly at: string;
  /** A verification is a success of nothing: a card was kept and no money was taken. */
  readonly what: 'capture' | 'verification' | 'decline' | 'withdrawal';
  readonly payment: string;
  readonly reference: string;
  readonly amount_minor: string;
  readonly currency: string;
}

export class Books {
  readonly #payments = new Map<string, SandboxPayment>();
  readonly #byKey = new Map<string, string>();
  readonly #byReference = new Map<string, Set<string>>();
  readonly #instruments = new Map<string, Instrument>();
  readonly #entries: Entry[] = [];
  readonly #file: number | undefined;

  constructor(path: string | undefined) {
    const lines = path !== undefined && existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [''];
    for (const line of lines) this.#replay(line);
    this.#file = path === undefined ? undefined : openSync(path, 'a', 0o600);
    // What a kill cut short must not take the next line with it.
    if (this.#file !== undefined && lines.at(-1) !== '') writeSync(this.#file, '\n');
  }

  open(made: NewPayment): SandboxPayment {
    const payment = newPaymentOf(made);
    this.#keep(payment);
    return payment;
  }

  /** A charge without the customer is opened and ends, or falls silent, in one line: no kill can part the two. */
  openAs(made: NewPayment, to: Partial<SandboxPayment>): SandboxPayment {
    return this.change(newPaymentOf(made), to);
  }

  find(id: string): SandboxPayment | undefined {
    return this.#payments.get(id);
  }

  /** A key is the account's: two accounts that use the same one have two payments. */
  byKey(account: string, key: string): SandboxPayment | undefined {
    return this.#payments.get(this.#byKey.get(`${account} ${key}`) ?? '');
  }

  byReference(reference: string): readonly SandboxPayment[] {
    return [...(this.#byReference.get(reference) ?? [])].flatMap((id) => this.#payments.get(id) ?? []);
  }

  instrument(token: string): Instrument | undefined {
    return this.#instruments.get(token);
  }

  change(payment: SandboxPayment, to: Partial<SandboxPayment>): SandboxPayment {
    const kept = to.status === 'succeeded' && payment.save ? instrumentOf({ ...payment, ...to }) : undefined;
    const after = { ...payment, ...to, ...(kept === undefined ? {} : { instrument: kept.token }) };
    this.#take(after);
    if (kept !== undefined) this.#instruments.set(kept.token, kept);
    const what = to.status === undefined ? undefined : entryOf(to.status, after);
    // One line: a kill between two would leave a payment that succeeded and was never captured.
    this.#write({
      payment: after,
      ...(what === undefined ? {} : { entry: this.#note(what, after) }),
      ...(kept === undefined ? {} : { instrument: kept }),
    });
    return after;
  }

  journal(): readonly Entry[] {
    return this.#entries;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #note(what: Entry['what'], payment: SandboxPayment): Entry {
    const { id, reference, amount_minor, currency } = payment;
    const entry: Entry = { at: new Date().toISOString(), what, payment: id, reference, amount_minor, currency };
    this.#entries.push(entry);
    return entry;
  }

  #keep(payment: SandboxPayment): void {
    this.#take(payment);
    this.#write({ payment });
  }

  #take(payment: SandboxPayment): void {
    this.#payments.set(payment.id, payment);
    this.#byKey.set(`${payment.account} ${payment.key}`, payment.id);
    const alike = this.#byReference.get(payment.reference);
    if (alike === undefined) this.#byReference.set(payment.reference, new Set([payment.id]));
    else alike.add(payment.id);
  }

  #write(line: Line): void {
    if (this.#file === undefined) return;
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    // Not synced: a kill loses nothing of it, and a power cut loses test money.
  }

  #replay(line: string): void {
    if (line === '') return;
    try {
      const read: OldLine = JSON.parse(line);
      // Books of an older version know neither methods nor kept cards nor accounts.
      if (read.payment !== undefined) this.#take({ ...unsaid, ...read.payment });
      if (read.instrument !== undefined)
        this.#instruments.set(read.instrument.token, { ...read.instrument, account: read.instrument.account ?? '' });
      if (read.entry !== undefined) this.#entries.push(read.entry);
    } catch {
      // The last line of a process that was killed while it wrote.
    }
  }
}

const unsaid = { account: '', method: 'card', save: false, off_session: false, shift_ms: 0, instrument: '' } as const;

function newPaymentOf(made: NewPayment): SandboxPayment {
  return {
    ...made,
    id: `sbx_${randomBytes(12).toString('hex')}`,
    created_at: new Date(Date.now() + made.shift_ms).toISOString(),
    status: 'created',
    failure_code: '',
    failure_words: '',
    card_brand: '',
    card_last_4: '',
    card_expiration: '',
    silent_until: '',
    hidden_status: '',
    instrument: '',
  };
}

function entryOf(status: SandboxStatus, payment: SandboxPayment): Entry['what'] | undefined {
  if (status === 'succeeded' && payment.amount_minor === '0') return 'verification';
  return status === 'succeeded' || status === 'failed' || status === 'withdrawn' ? entries[status] : undefined;
}

function instrumentOf(payment: SandboxPayment): Instrument {
  return {
    token: `ins_${randomBytes(16).toString('hex')}`,
    account: payment.account,
    brand: payment.card_brand,
    last_4: payment.card_last_4,
    expiration: payment.card_expiration,
  };
}
