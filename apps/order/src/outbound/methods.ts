/** The catalogue of payment methods, and what customers may pay with, as the payment service says. */
import type { Method, PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import type { Client } from '@tillstream/rpc/client';
import type { Log } from '@tillstream/messaging/log';
import type { MethodReader, MethodsWanted, PaymentMethod } from '../ports.ts';

interface Catalogue {
  readonly offered: readonly PaymentMethod[];
  readonly all: readonly PaymentMethod[];
}

interface Known extends Catalogue {
  readonly untilMs: number;
}

const ageMs = 1_000;
// Of merchants, currencies and countries together; some hundred bytes each. Beyond it all are asked for anew.
const maxKnown = 5_000;
// A page must not wait long for what it can do without.
const deadlineMs = 2_000;
const nothing: Catalogue = { offered: [], all: [] };

export class Methods implements MethodReader {
  readonly #payment: Client<typeof PaymentApiService>;
  readonly #log: Log;
  readonly #known = new Map<string, Known>();

  constructor(payment: Client<typeof PaymentApiService>, log: Log) {
    this.#payment = payment;
    this.#log = log;
  }

  /**
   * As they were at most a second ago, the default first. While the payment service does not answer: as they were last known, and
   * none in a process that never got an answer.
   */
  async list(wanted: MethodsWanted): Promise<readonly PaymentMethod[]> {
    return (await this.#current(wanted)).offered;
  }

  /** Also one that is not offered. Undefined when the catalogue does not have it, or is not known. */
  async find(code: string, wanted: MethodsWanted): Promise<PaymentMethod | undefined> {
    return (await this.#current(wanted)).all.find((method) => method.code === code);
  }

  async #current(wanted: MethodsWanted): Promise<Catalogue> {
    const { merchantId, livemode, currency, country } = wanted;
    const key = keyOf(wanted);
    const known = this.#known.get(key);
    if (known !== undefined && known.untilMs > performance.now()) return known;
    // Those for any country are nearer to the truth than none.
    const before = known ?? this.#known.get(keyOf({ ...wanted, country: '' })) ?? nothing;
    const current = await this.#ask({ merchantId, livemode, currency, country }, before);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(key, { ...current, untilMs: performance.now() + ageMs });
    return current;
  }

  async #ask(wanted: MethodsWanted, before: Catalogue): Promise<Catalogue> {
    try {
      const { methods, catalogue } = await this.#payment.listMethods(wanted, { deadlineMs });
      // A payment service of before says only what it offers.
      return { offered: methods.map(toMethod), all: (catalogue.length === 0 ? methods : catalogue).map(toMethod) };
    } catch (error) {
      this.#log.warn({ err: error }, 'the payment methods are those that were last known');
      return before;
    }
  }
}

function keyOf({ merchantId, livemode, currency, country }: MethodsWanted): string {
  return `${merchantId} ${livemode} ${currency} ${country}`;
}

function toMethod({ code, systemName, kind, textKey, canRenew }: Method): PaymentMethod {
  return { code, systemName, kind, textKey, canRenew };
}
