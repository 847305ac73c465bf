/** A merchant's program at the public API: it sends what it sends until it is answered, with one key. */
import type { Door, HttpAnswer } from '../door.ts';
import type { Shop } from '../shop.ts';
import type { Step } from '../story.ts';
import { pause } from './customer.ts';

/** What a program has heard in the end. */
export interface Posted {
  readonly merchantId: string;
  readonly what: PostStep['what'];
  /** Whose licences; undefined where it is about no order. */
  readonly orderId: bigint | undefined;
  readonly key: string;
  /** In which words what was made is found again; '' where it has no words. */
  readonly name: string;
  /** The same key, with something else in it. */
  readonly isOther: boolean;
  /** 0 = nobody ever answered. */
  readonly status: number;
  readonly body: string;
}

type PostStep = Extract<Step, { do: 'merchant posts' }>;

// Longer than the gateway keeps a key for a process that is dead.
const [tries, pauseMs] = [50, 2_500];
const silence: HttpAnswer = { status: 0, body: '' };
const notNow = /idempotency_key_in_flight|rate_limited/;

export class Program {
  readonly #door: Door;
  readonly #shop: Shop;
  readonly #number: number;
  readonly #heard: Posted[];
  #sent = 0;

  constructor(parts: { door: Door; shop: Shop; number: number; heard: Posted[] }) {
    [this.#door, this.#shop, this.#number, this.#heard] = [parts.door, parts.shop, parts.number, parts.heard];
  }

  /** Several times at once, and then once more with another content. */
  async take({ what, times, isChanged }: PostStep, orderId: bigint | undefined): Promise<void> {
    if (what === 'licences' && orderId === undefined) return;
    const nth = (this.#sent += 1);
    const name = `thing ${this.#number}.${nth}`;
    const key = `key-${this.#number}-${nth}`;
    const send = async (words: string, isOther: boolean): Promise<boolean> => {
      const answer = await this.#insist({ url: this.#urlOf(what, orderId), key, body: this.#bodyOf(what, words) });
      this.#heard.push({
        merchantId: this.#shop.merchantId,
        what,
        orderId,
        key,
        name,
        isOther,
        ...(answer ?? silence),
      });
      return answer !== undefined;
    };
    const heard = await Promise.all(Array.from({ length: times }, () => send(name, false)));
    // Of a key that nobody has answered for nobody can say what it was for.
    // It has nothing in it that could be another.
    if (isChanged && what !== 'licences' && heard.includes(true)) await send(`${name} changed`, true);
    if (heard.includes(true)) await send(name, false);
  }

  async #insist(asked: { url: string; key: string; body: object }): Promise<HttpAnswer | undefined> {
    for (let nth = 0; nth < tries; nth += 1) {
      const answer = await this.#door
        .send({
          method: 'POST',
          url: asked.url,
          headers: {
            authorization: `Bearer ${this.#shop.apiKey}`,
            'idempotency-key': asked.key,
            'content-type': 'application/json',
          },
          payload: JSON.stringify(asked.body),
        })
        .catch(() => undefined);
      if (answer !== undefined && answer.status < 500 && !notNow.test(answer.body)) return answer;
      await pause(pauseMs);
    }
    return undefined;
  }

  #urlOf(what: PostStep['what'], orderId: bigint | undefined): string {
    if (what === 'licences') return `/v1/orders/${orderId}/resend_licences`;
    if (what === 'codes') return `/v1/products/${this.#shop.products.single}/licence_codes`;
    return what === 'product' ? '/v1/products' : '/v1/api_keys';
  }

  #bodyOf(what: PostStep['what'], name: string): object {
    if (what === 'licences') return {};
    if (what === 'codes') {
      const code = `CANARY-${this.#shop.name}posted-`.toUpperCase();
      return { codes: [`${code}${name.replaceAll(/\D/g, '')}`, ...(name.endsWith('changed') ? [`${code}9`] : [])] };
    }
    return what === 'api key' ? { name } : { name, prices: [{ currency: 'EUR', amount: 1_000 }] };
  }
}
