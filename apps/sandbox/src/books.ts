/** The provider's own books: payments, what was captured, and every answer to an idempotency key; kept over a restart. */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';

export type SandboxStatus = 'created' | 'opened' | 'submitted' | 'succeeded' | 'failed' | 'withdrawn';

export interface SandboxPayment {
  readonly id: string;
  readonly reference: string;
  readonly amount_minor: string;
  readonly currency: string;
  readonly return_url: string;
  readonly callback_url: string;
  readonly description: string;
  readonly locale: string;
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
}

export type NewPayment = Pick<
  SandboxPayment,
  | 'reference'
  | 'amount_minor'
  | 'currency'
  | 'return_url'
  | 'callback_url'
  | 'description'
  | 'locale'
  | 'key'
  | 'fingerprint'
>;

export interface Entry {
  readonly at: string;
  readonly what: 'capture' | 'decline' | 'withdrawal';
  readonly payment: string;
  readonly reference: string;
  readonly amount_minor: string;
  readonly currency: string;
}

export class Books {
  readonly #payments = new Map<string, SandboxPayment>();
  readonly #byKey = new Map<string, string>();
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
    const payment: SandboxPayment = {
      ...made,
      id: `sbx_${randomBytes(12).toString('hex')}`,
      created_at: new Date().toISOString(),
      status: 'created',
      failure_code: '',
      failure_words: '',
      card_brand: '',
      card_last_4: '',
      card_expiration: '',
      silent_until: '',
      hidden_status: '',
    };
    this.#keep(payment);
    return payment;
  }

  find(id: string): SandboxPayment | undefined {
    return this.#payments.get(id);
  }

  byKey(key: string): SandboxPayment | undefined {
    return this.#payments.get(this.#byKey.get(key) ?? '');
  }

  byReference(reference: string): readonly SandboxPayment[] {
    return [...this.#payments.values()].filter((payment) => payment.reference === reference);
  }

  change(payment: SandboxPayment, to: Partial<SandboxPayment>): SandboxPayment {
    const after = { ...payment, ...to };
    this.#take(after);
    const what = ({ succeeded: 'capture', failed: 'decline', withdrawn: 'withdrawal' } as const)[String(to.status)];
    // One line: a kill between two would leave a payment that succeeded and was never captured.
    this.#write({ payment: after, ...(what === undefined ? {} : { entry: this.#note(what, after) }) });
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
    this.#byKey.set(payment.key, payment.id);
  }

  #write(line: { payment: SandboxPayment; entry?: Entry }): void {
    if (this.#file === undefined) return;
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    // Not synced: a kill loses nothing of it, and a power cut loses test money.
  }

  #replay(line: string): void {
    if (line === '') return;
    try {
      const read: { payment?: SandboxPayment; entry?: Entry } = JSON.parse(line);
      if (read.payment !== undefined) this.#take(read.payment);
      if (read.entry !== undefined) this.#entries.push(read.entry);
    } catch {
      // The last line of a process that was killed while it wrote.
    }
  }
}
