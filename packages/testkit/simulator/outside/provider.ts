/**
 * The payment provider, behind its HTTP. It keeps the promise of its idempotency keys and nothing else: answers get lost,
 * callbacks come twice, late, early, or in another order.
 */
import { createHmac } from 'node:crypto';
import type { HttpTransport } from '@tillstream/payment/app';
import type { FaultKind } from '../engine/faults.ts';
import { runAs, type Owner } from '../engine/owner.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import { aheadOf, Books, type ProviderPayment } from './books.ts';
import type { Card } from './cards.ts';

/** `address` is the last part of the path that the payment was given. */
export type SendCallback = (address: string, headers: Record<string, string>, body: Buffer) => Promise<unknown>;

const callbackSecret = 'c'.repeat(32);
const retryDelaysMs = [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000];
const faults: readonly FaultKind[] = ['lost before', 'lost after', 'refused'];
const callbackFaults: readonly FaultKind[] = ['lost before', 'lost after', 'doubled'];

export const providerSettings = {
  SANDBOX_URL: 'https://provider.example',
  SANDBOX_SECRET: 'sandbox-secret-of-the-simulator',
  SANDBOX_CALLBACK_SECRET: callbackSecret,
};

class Silence extends Error {
  override readonly name = 'Silence';
}

class Refusal extends Error {
  override readonly name = 'Refusal';
}

export class Provider {
  readonly books: Books;
  readonly owner: Owner = { name: 'provider', isAlive: true };
  readonly #scheduler: Scheduler;
  readonly #sendCallback: SendCallback;
  #told = 0;
  /** Callbacks that are under way. */
  pending = 0;

  constructor(scheduler: Scheduler, sendCallback: SendCallback) {
    this.#scheduler = scheduler;
    this.#sendCallback = sendCallback;
    this.books = new Books(
      (payment) => this.#tell(payment),
      (ms, run) => runAs(this.owner, () => setTimeout(run, ms)),
    );
  }

  /** How our connector reaches it. */
  readonly transport: HttpTransport = async (request) => {
    // An answer can be lost in three ways, the third being an error page of a server that has taken the money.
    const how = this.#scheduler.random.pick(['silence', 'reset', 'error']);
    try {
      return await this.#scheduler.point({
        label: `provider ${request.method} ${request.path.replace(/[?].*|sbx_\w+/g, '')}`,
        faults,
        act: () => this.#answer(request),
        fail: (fault) =>
          fault === 'refused' || how === 'error'
            ? new Refusal()
            : how === 'silence'
              ? new Silence()
              : new Error('ECONNRESET'),
      });
    } catch (error) {
      if (error instanceof Refusal) return { status: 500, text: '{"error":"internal"}' };
      if (!(error instanceof Silence)) throw error;
      // No answer comes: the caller's own deadline ends it.
      await new Promise<void>((resolve) => {
        if (request.signal.aborted) resolve();
        else request.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      throw request.signal.reason;
    }
  };

  #answer({ method, path, headers, body }: Parameters<HttpTransport>[0]): { status: number; text: string } {
    const { books } = this;
    const account = accountOf(headers['authorization'] ?? '');
    if (account === undefined) return { status: 401, text: '{}' };
    if (method === 'POST' && (path === '/v1/payments' || path === '/v1/charges')) {
      const said: Record<string, unknown> = JSON.parse(body ?? '{}');
      const { as_of: asOf, ...request } = said;
      const order = {
        account,
        key: headers['idempotency-key'] ?? '',
        fingerprint: JSON.stringify(request),
        request,
        asOf: typeof asOf === 'string' ? asOf : null,
      };
      const before = books.byKey(account, order.key);
      if (before !== undefined && before.fingerprint !== order.fingerprint) return { status: 409, text: '{}' };
      if (before !== undefined) return answer(200, books.look(before));
      const made = path === '/v1/charges' ? books.charge(order) : books.open(order);
      return made === undefined ? { status: 404, text: '{}' } : answer(201, made);
    }
    const withdrawn = /^\/v1\/payments\/(\w+)\/withdraw$/.exec(path)?.[1];
    if (withdrawn !== undefined) {
      const payment = books.payments.get(withdrawn);
      if (payment?.account !== account) return { status: 404, text: '{}' };
      return answer(books.withdraw(payment) ? 200 : 409, payment);
    }
    const query = new URLSearchParams(path.slice(path.indexOf('?') + 1));
    const found = books.byReference(account, query.get('reference'));
    for (const each of found) each.aheadMs = aheadOf(query.get('as_of'));
    return { status: 200, text: JSON.stringify({ data: found.map((each) => whole(books.look(each))) }) };
  }

  #tell(payment: ProviderPayment): void {
    const { status } = payment;
    this.#told += 1;
    const said = { id: `evt_${this.#told}`, type: `payment.${status}`, payment: shown(payment) };
    const body = Buffer.from(JSON.stringify(said));
    this.pending += 1;
    void runAs(this.owner, () => this.#deliver(payment, body, status, 0)).finally(() => (this.pending -= 1));
  }

  async #deliver(to: ProviderPayment, body: Buffer, status: string, failures: number): Promise<void> {
    try {
      await this.#scheduler.point({
        label: `callback ${status}`,
        faults: callbackFaults,
        act: () => {
          const seconds = Math.floor(Date.now() / 1_000);
          const secret = derived(callbackSecret, `callbacks|${to.account}`);
          const signature = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex');
          return this.#sendCallback(
            to.callbackUrl.slice(to.callbackUrl.lastIndexOf('/') + 1),
            { 'sandbox-signature': `t=${seconds},v1=${signature}` },
            body,
          );
        },
      });
    } catch {
      const delayMs = retryDelaysMs[failures];
      if (delayMs === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await this.#deliver(to, body, status, failures + 1);
    }
  }

  /** The customer looks at the card page. */
  seen(id: string): Promise<void> {
    return this.#scheduler.point({ label: 'card page', act: () => this.books.seen(this.books.payments.get(id)) });
  }

  submit(id: string, card: Card): Promise<void> {
    return this.#scheduler.point({
      label: `card ${card}`,
      act: () => this.books.submit(this.books.payments.get(id), card),
    });
  }

  confirm(id: string, isConfirmed: boolean): Promise<void> {
    return this.#scheduler.point({
      label: `bank says ${isConfirmed ? 'yes' : 'no'}`,
      act: () => this.books.confirm(this.books.payments.get(id), isConfirmed),
    });
  }
}

/** Undefined when the key was not issued for the account that it names. */
function accountOf(authorization: string): string | undefined {
  const account = /^Bearer ([a-z0-9_]+)\.[0-9a-f]{64}$/.exec(authorization)?.[1];
  if (account === undefined) return undefined;
  const key = derived(providerSettings.SANDBOX_SECRET, `api key|${account}`);
  return authorization === `Bearer ${account}.${key}` ? account : undefined;
}

function derived(secret: string, what: string): string {
  return createHmac('sha256', secret).update(what).digest('hex');
}

function answer(status: number, payment: ProviderPayment): { status: number; text: string } {
  return { status, text: JSON.stringify(whole(payment)) };
}

/** For who asks; callbacks do not carry the token of what was kept. */
function whole(payment: ProviderPayment): Record<string, string> {
  const { id, instrument } = payment;
  return { ...shown(payment), instrument, page_url: `${providerSettings.SANDBOX_URL}/pay/${id}` };
}

function shown(payment: ProviderPayment): Record<string, string> {
  const { id, reference, amountMinor, currency, status, last4 } = payment;
  return {
    id,
    reference,
    amount_minor: amountMinor,
    currency,
    status,
    failure_code: payment.hidden === undefined ? payment.code : '',
    failure_words: '',
    card_brand: last4 === '' ? '' : 'Visa',
    card_last_4: last4,
    card_expiration: last4 === '' ? '' : '12/2039',
  };
}
