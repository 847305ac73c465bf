/** What customers may pay with, as the payment service says. */
import type { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import type { Client } from '@tillstream/rpc/client';
import type { Log } from '@tillstream/messaging/log';

export interface PaymentMethod {
  readonly code: string;
  readonly canRenew: boolean;
}

/** Whose, and for what. The country is the buyer's, '' while it is not known. */
export interface Wanted {
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly currency: string;
  readonly country: string;
}

interface Known {
  readonly methods: readonly PaymentMethod[];
  readonly untilMs: number;
}

const ageMs = 1_000;
// Of merchants, currencies and countries together; some hundred bytes each. Beyond it all are asked for anew.
const maxKnown = 5_000;
// A page must not wait long for what it can do without.
const deadlineMs = 2_000;
// What every installation has.
const fallback: readonly PaymentMethod[] = [{ code: 'CreditCard', canRenew: true }];

export class Methods {
  readonly #payment: Client<typeof PaymentApiService>;
  readonly #log: Log;
  readonly #known = new Map<string, Known>();

  constructor(payment: Client<typeof PaymentApiService>, log: Log) {
    this.#payment = payment;
    this.#log = log;
  }

  /** As they were at most a second ago, the default first. Else as they were last known: a page is shown all the same. */
  async list(wanted: Wanted): Promise<readonly PaymentMethod[]> {
    const { merchantId, livemode, currency, country } = wanted;
    const key = keyOf(wanted);
    const known = this.#known.get(key);
    if (known !== undefined && known.untilMs > performance.now()) return known.methods;
    // Of any country is nearer to the truth than what every installation has.
    const before = known ?? this.#known.get(keyOf({ ...wanted, country: '' }));
    const methods = await this.#ask({ merchantId, livemode, currency, country }, before?.methods ?? fallback);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(key, { methods, untilMs: performance.now() + ageMs });
    return methods;
  }

  async #ask(wanted: Wanted, before: readonly PaymentMethod[]): Promise<readonly PaymentMethod[]> {
    try {
      const { methods } = await this.#payment.listMethods(wanted, { deadlineMs });
      return methods.map(({ code, canRenew }) => ({ code, canRenew }));
    } catch (error) {
      this.#log.warn({ err: error }, 'the payment methods are those that were last known');
      return before;
    }
  }
}

function keyOf({ merchantId, livemode, currency, country }: Wanted): string {
  return `${merchantId} ${livemode} ${currency} ${country}`;
}
