/** The catalogue of payment methods, and what customers may pay with, as the payment service says. */
import type { Method, PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import type { Client } from '@tillstream/rpc/client';
import type { Log } from '@tillstream/messaging/log';

export interface PaymentMethod {
  readonly code: string;
  readonly systemName: string;
  readonly kind: string;
  readonly textKey: string;
  readonly canRenew: boolean;
}

interface Catalogue {
  readonly offered: readonly PaymentMethod[];
  readonly all: readonly PaymentMethod[];
}

interface Known extends Catalogue {
  readonly untilMs: number;
}

const ageMs = 1_000;
// A page must not wait long for what it can do without.
const deadlineMs = 2_000;
const nothing: Catalogue = { offered: [], all: [] };

export class Methods {
  readonly #payment: Client<typeof PaymentApiService>;
  readonly #log: Log;
  readonly #known = new Map<boolean, Known>();

  constructor(payment: Client<typeof PaymentApiService>, log: Log) {
    this.#payment = payment;
    this.#log = log;
  }

  /**
   * As they were at most a second ago, the default first. While the payment service does not answer: as they were last known, and
   * none in a process that never got an answer.
   */
  async list(livemode: boolean): Promise<readonly PaymentMethod[]> {
    return (await this.#current(livemode)).offered;
  }

  /** Also one that is not offered. Undefined when the catalogue does not have it, or is not known. */
  async find(code: string, livemode: boolean): Promise<PaymentMethod | undefined> {
    return (await this.#current(livemode)).all.find((method) => method.code === code);
  }

  async #current(livemode: boolean): Promise<Catalogue> {
    const known = this.#known.get(livemode);
    if (known !== undefined && known.untilMs > performance.now()) return known;
    const current = await this.#ask(livemode, known ?? nothing);
    this.#known.set(livemode, { ...current, untilMs: performance.now() + ageMs });
    return current;
  }

  async #ask(livemode: boolean, before: Catalogue): Promise<Catalogue> {
    try {
      const { methods, catalogue } = await this.#payment.listMethods({ livemode }, { deadlineMs });
      // A payment service of before says only what it offers.
      return { offered: methods.map(toMethod), all: (catalogue.length === 0 ? methods : catalogue).map(toMethod) };
    } catch (error) {
      this.#log.warn({ err: error }, 'the payment methods are those that were last known');
      return before;
    }
  }
}

function toMethod({ code, systemName, kind, textKey, canRenew }: Method): PaymentMethod {
  return { code, systemName, kind, textKey, canRenew };
}
