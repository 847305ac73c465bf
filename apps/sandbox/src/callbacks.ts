/** Signed callbacks, at least once, with the misbehaviour that tests ask for. */
import { createHmac, randomUUID } from 'node:crypto';
import { request } from 'undici';
import type { SandboxPayment } from './books.ts';

export interface Behaviour {
  delay_ms: number;
  /** Each callback is sent twice. */
  double: boolean;
  /** Two neighbours change places. */
  out_of_order: boolean;
  /** Callbacks are never sent. */
  drop: boolean;
  /** Added to the amount that a success reports. */
  amount_off_by: number;
}

export const calm: Behaviour = { delay_ms: 0, double: false, out_of_order: false, drop: false, amount_off_by: 0 };

interface Message {
  readonly account: string;
  readonly url: string;
  readonly body: string;
}

// A receiver that is down for some minutes still hears of it; longer, and it asks.
const retryDelaysMs = [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000];

export class Callbacks {
  behaviour: Behaviour = { ...calm };
  /** Every callback that was built, for tests that want to send one again. */
  readonly sent: { readonly url: string; readonly body: string; readonly signature: string }[] = [];
  /** Of an account. */
  readonly #secretOf: (account: string) => string;
  readonly #timers = new Set<NodeJS.Timeout>();
  #held: Message | undefined;

  constructor(secretOf: (account: string) => string) {
    this.#secretOf = secretOf;
  }

  tell(payment: SandboxPayment, type: string): void {
    const { behaviour } = this;
    const amount = String(
      BigInt(payment.amount_minor) + BigInt(type === 'payment.succeeded' ? behaviour.amount_off_by : 0),
    );
    const event = {
      id: randomUUID(),
      type,
      created_at: new Date().toISOString(),
      payment: { ...publicPayment(payment), amount_minor: amount },
    };
    const message: Message = { account: payment.account, url: payment.callback_url, body: JSON.stringify(event) };
    if (behaviour.drop) return;
    if (behaviour.out_of_order && this.#held === undefined) {
      this.#held = message;
      // When nothing follows it goes out by itself.
      this.#later(2_000, () => this.#release());
      return;
    }
    this.#send(message, behaviour);
    this.#release();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#send(held, this.behaviour);
  }

  #send(message: Message, behaviour: Behaviour): void {
    for (let copy = 0; copy < (behaviour.double ? 2 : 1); copy += 1)
      this.#later(behaviour.delay_ms, () => void this.#attempt(message, 0));
  }

  async #attempt({ account, ...message }: Message, failures: number): Promise<void> {
    const signature = sign(this.#secretOf(account), message.body, Math.floor(Date.now() / 1_000));
    this.sent.push({ ...message, signature });
    if (this.sent.length > 1_000) this.sent.shift();
    let isTaken = false;
    try {
      const response = await request(message.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'sandbox-signature': signature },
        body: message.body,
        headersTimeout: 10_000,
        bodyTimeout: 10_000,
      });
      await response.body.dump();
      isTaken = response.statusCode < 300;
    } catch {
      // Nobody there: tried again below.
    }
    const pauseMs = retryDelaysMs[failures];
    if (!isTaken && pauseMs !== undefined)
      this.#later(pauseMs, () => void this.#attempt({ account, ...message }, failures + 1));
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

/** `t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">` */
export function sign(secret: string, body: string, unixSeconds: number): string {
  return `t=${unixSeconds},v1=${createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex')}`;
}

/** What the API and the callbacks say of a payment. The token of what was kept is said to who asks, and in no callback. */
export function publicPayment(payment: SandboxPayment): Record<string, string> {
  const {
    id,
    reference,
    amount_minor,
    currency,
    status,
    failure_code,
    failure_words,
    card_brand,
    card_last_4,
    card_expiration,
    created_at,
  } = payment;
  return {
    id,
    reference,
    amount_minor,
    currency,
    status,
    // Nobody hears why before they hear that.
    failure_code: payment.hidden_status === '' ? failure_code : '',
    failure_words: payment.hidden_status === '' ? failure_words : '',
    card_brand,
    card_last_4,
    card_expiration,
    created_at,
  };
}
