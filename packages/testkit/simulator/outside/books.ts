/** The provider's own books, which no crash of ours touches. */
import { cards, verdictOn, type Card } from './cards.ts';

export type Status = 'created' | 'opened' | 'submitted' | 'succeeded' | 'failed' | 'withdrawn';

export interface ProviderPayment {
  readonly id: string;
  /** Whose it is. */
  readonly account: string;
  /** Where it is told of; '' = nowhere. */
  readonly callbackUrl: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly reference: string;
  readonly amountMinor: string;
  readonly currency: string;
  readonly save: boolean;
  status: Status;
  code: string;
  last4: string;
  /** What a silent card will turn out to be. */
  hidden: 'succeeded' | 'failed' | undefined;
  silentUntilMs: number;
  /** By how much the caller's time is ahead of the wall's, as it said last. */
  aheadMs: number;
  instrument: string;
}

/** Each line is for ever: what was captured was captured. */
export interface Entry {
  readonly what: 'capture' | 'verification' | 'decline' | 'withdrawal';
  readonly payment: ProviderPayment;
}

export interface Order {
  readonly account: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly request: Record<string, unknown>;
  readonly asOf: string | null;
}

const silenceMs = 3_000;

export class Books {
  readonly payments = new Map<string, ProviderPayment>();
  readonly journal: Entry[] = [];
  /** Hears each line when it is written. */
  onEntry: ((entry: Entry) => void) | undefined;
  readonly #instruments = new Map<string, { readonly account: string; readonly last4: string }>();
  /** What the merchant is called back about. */
  readonly #tell: (payment: ProviderPayment) => void;
  readonly #later: (ms: number, run: () => void) => void;

  constructor(tell: (payment: ProviderPayment) => void, later: (ms: number, run: () => void) => void) {
    this.#tell = tell;
    this.#later = later;
  }

  byKey(account: string, key: string): ProviderPayment | undefined {
    return [...this.payments.values()].find((each) => each.account === account && each.key === key);
  }

  byReference(account: string, reference: string | null): readonly ProviderPayment[] {
    return [...this.payments.values()].filter((each) => each.account === account && each.reference === reference);
  }

  open({ account, key, fingerprint, request, asOf }: Order, last4 = ''): ProviderPayment {
    const payment: ProviderPayment = {
      id: `sbx_${this.payments.size + 1}`,
      account,
      callbackUrl: typeof request['callback_url'] === 'string' ? request['callback_url'] : '',
      key,
      fingerprint,
      reference: String(request['reference']),
      amountMinor: String(request['amount_minor']),
      currency: String(request['currency']),
      save: request['save'] === true,
      status: 'created',
      code: '',
      last4,
      hidden: undefined,
      silentUntilMs: 0,
      aheadMs: aheadOf(asOf),
      instrument: '',
    };
    this.payments.set(payment.id, payment);
    return payment;
  }

  /** What was kept is charged without the customer; undefined = nothing was kept under that name. */
  charge(order: Order): ProviderPayment | undefined {
    const kept = this.#instruments.get(String(order.request['instrument']));
    if (kept?.account !== order.account) return undefined;
    const { last4 } = kept;
    const payment = this.open(order, last4);
    const verdict = verdictOn(last4, true);
    if (verdict.isSilent) this.#fallSilent(payment, verdict);
    else this.#become(payment, verdict.status, verdict.code, false);
    return payment;
  }

  /** As it is now: a silent card's outcome comes out when its time is over. */
  look(payment: ProviderPayment): ProviderPayment {
    const { hidden } = payment;
    if (hidden !== undefined && Date.now() + payment.aheadMs >= payment.silentUntilMs) {
      payment.hidden = undefined;
      this.#become(payment, hidden, payment.code);
    }
    return payment;
  }

  withdraw(payment: ProviderPayment): boolean {
    if (isUntouched(payment)) this.#become(payment, 'withdrawn');
    return payment.status === 'withdrawn';
  }

  seen(payment: ProviderPayment | undefined): void {
    if (payment?.status === 'created') this.#become(payment, 'opened');
  }

  /** A second submit finds the first. */
  submit(payment: ProviderPayment | undefined, card: Card): void {
    if (payment === undefined || !isUntouched(payment)) return;
    payment.last4 = cards[card];
    if (card === 'strong') return this.#become(payment, 'submitted');
    const verdict = verdictOn(payment.last4, false);
    if (verdict.isSilent) this.#fallSilent(payment, verdict);
    else this.#become(payment, verdict.status, verdict.code);
  }

  confirm(payment: ProviderPayment | undefined, isConfirmed: boolean): void {
    if (payment?.status !== 'submitted' || payment.hidden !== undefined) return;
    this.#become(payment, isConfirmed ? 'succeeded' : 'failed', isConfirmed ? '' : 'authentication_failed');
  }

  #fallSilent(payment: ProviderPayment, verdict: { status: 'succeeded' | 'failed'; code: string }): void {
    payment.status = 'submitted';
    payment.hidden = verdict.status;
    payment.code = verdict.code;
    payment.silentUntilMs = Date.now() + payment.aheadMs + silenceMs;
    if (payment.aheadMs === 0) this.#later(silenceMs, () => void this.look(payment));
  }

  #become(payment: ProviderPayment, status: Status, code = '', isTold = true): void {
    payment.status = status;
    payment.code = code;
    if (status === 'succeeded') {
      if (payment.save) {
        payment.instrument = `ins_${payment.id}`;
        this.#instruments.set(payment.instrument, payment);
      }
      this.#write({ what: payment.amountMinor === '0' ? 'verification' : 'capture', payment });
    } else if (status === 'failed') this.#write({ what: 'decline', payment });
    else if (status === 'withdrawn') this.#write({ what: 'withdrawal', payment });
    if (isTold) this.#tell(payment);
  }

  #write(entry: Entry): void {
    this.journal.push(entry);
    this.onEntry?.(entry);
  }
}

function isUntouched(payment: ProviderPayment): boolean {
  return payment.status === 'created' || payment.status === 'opened';
}

/** Callers whose time differs by less live by the wall's clock. */
export function aheadOf(asOf: string | null): number {
  const ahead = asOf === null ? 0 : Date.parse(asOf) - Date.now();
  return Math.abs(ahead) > 5_000 ? ahead : 0;
}
