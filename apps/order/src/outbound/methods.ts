/** What customers may pay with, as the payment service says. */
import type { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import type { Client } from '@tillstream/rpc/client';
import type { Log } from '@tillstream/messaging/log';
import type { MethodReader, PaymentMethod } from '../ports.ts';

interface Known {
  readonly methods: readonly PaymentMethod[];
  readonly untilMs: number;
}

const ageMs = 1_000;
// A page must not wait long for what it can do without.
const deadlineMs = 2_000;
// What every installation has.
const fallback: readonly PaymentMethod[] = [{ code: 'CreditCard', canRenew: true }];

export class Methods implements MethodReader {
  readonly #payment: Client<typeof PaymentApiService>;
  readonly #log: Log;
  readonly #known = new Map<boolean, Known>();

  constructor(payment: Client<typeof PaymentApiService>, log: Log) {
    this.#payment = payment;
    this.#log = log;
  }

  /** As they were at most a second ago, the default first. Else as they were last known: a page is shown all the same. */
  async list(livemode: boolean): Promise<readonly PaymentMethod[]> {
    const known = this.#known.get(livemode);
    if (known !== undefined && known.untilMs > performance.now()) return known.methods;
    const methods = await this.#ask(livemode, known?.methods ?? fallback);
    this.#known.set(livemode, { methods, untilMs: performance.now() + ageMs });
    return methods;
  }

  async #ask(livemode: boolean, before: readonly PaymentMethod[]): Promise<readonly PaymentMethod[]> {
    try {
      const { methods } = await this.#payment.listMethods({ livemode }, { deadlineMs });
      return methods.map(({ code, canRenew }) => ({ code, canRenew }));
    } catch (error) {
      this.#log.warn({ err: error }, 'the payment methods are those that were last known');
      return before;
    }
  }
}
