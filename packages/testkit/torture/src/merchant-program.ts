/**
 * A merchant's program: it writes to the API with Idempotency-Keys while everything dies, insists with the same key until it is
 * answered for good, then asks once more, and remembers what it was told.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import type { History } from './history.ts';
import { codeMark, type Answer, type Merchant } from './shop.ts';

export interface Upload {
  readonly productId: string;
  readonly codes: readonly string[];
  /** What it was told; undefined = it was never answered. */
  added: number | undefined;
}

export interface Memory {
  readonly uploads: readonly Upload[];
  /** By its name, which no other has. */
  readonly products: readonly { readonly name: string; id: string | undefined }[];
  readonly resends: readonly { readonly orderId: number; isAnswered: boolean }[];
  /** The same request, answered in two ways. */
  readonly contradictions: readonly string[];
}

// Between two requests, and between two tries of one.
const [restMs, insistMs] = [700, 400];
// In peace somebody answers within this.
const patienceMs = 120_000;

export class MerchantProgram {
  readonly #uploads: Upload[] = [];
  readonly #products: { name: string; id: string | undefined }[] = [];
  readonly #resends: { orderId: number; isAnswered: boolean }[] = [];
  readonly #contradictions: string[] = [];
  readonly #merchant: Merchant;
  readonly #productIds: readonly string[];
  readonly #history: History;
  readonly #random: () => number;
  readonly #wait: (ms: number) => Promise<void>;
  #patientUntil = Infinity;

  constructor(
    shop: { readonly merchant: Merchant; readonly productIds: readonly string[] },
    around: {
      readonly history: History;
      readonly random: () => number;
      readonly wait: (ms: number) => Promise<void>;
    },
  ) {
    this.#merchant = shop.merchant;
    this.#productIds = shop.productIds;
    this.#history = around.history;
    this.#random = around.random;
    this.#wait = around.wait;
  }

  get memory(): Memory {
    return {
      uploads: this.#uploads,
      products: this.#products,
      resends: this.#resends,
      contradictions: this.#contradictions,
    };
  }

  /** One request after the other until then. `paidOrders` are those that customers know to be paid. */
  async work(endAt: number, paidOrders: () => readonly number[]): Promise<void> {
    while (Date.now() < endAt) {
      const chance = this.#random();
      if (chance < 0.5) await this.#upload();
      else if (chance < 0.75) await this.#create();
      else await this.#resend(paidOrders());
      await this.#wait(restMs);
    }
  }

  /** The faults are over: nobody has a reason to wait long any more. */
  peace(): void {
    this.#patientUntil = Date.now() + patienceMs;
  }

  async #upload(): Promise<void> {
    const productId = this.#productIds[Math.floor(this.#random() * this.#productIds.length)] ?? '';
    const count = 1 + Math.floor(this.#random() * 20);
    const codes = Array.from({ length: count }, () => `${codeMark}${randomBytes(12).toString('hex')}`);
    const upload: Upload = { productId, codes, added: undefined };
    this.#uploads.push(upload);
    const answer = await this.#insist<{ added: number }>(`/v1/products/${productId}/licence_codes`, { codes });
    upload.added = answer?.body.added;
  }

  async #create(): Promise<void> {
    const product = { name: `Made ${this.#products.length + 1}`, id: undefined as string | undefined };
    this.#products.push(product);
    const answer = await this.#insist<{ id: string }>('/v1/products', {
      name: product.name,
      prices: [{ amount: 100, currency: 'EUR' }],
      delivery: { method: 'pool' },
    });
    product.id = answer?.body.id;
  }

  async #resend(orders: readonly number[]): Promise<void> {
    const orderId = orders[Math.floor(this.#random() * orders.length)];
    if (orderId === undefined) return;
    const resend = { orderId, isAnswered: false };
    this.#resends.push(resend);
    resend.isAnswered = (await this.#insist(`/v1/orders/${orderId}/resend_licences`, {})) !== undefined;
  }

  /** Undefined when nobody ever answered. */
  async #insist<T>(path: string, body: object): Promise<Answer<T> | undefined> {
    const key = randomUUID();
    const first = await this.#until<T>(path, body, key);
    if (first === undefined) return undefined;
    const again = await this.#until<T>(path, body, key);
    if (again !== undefined && (again.status !== first.status || !isSame(again, first)))
      this.#contradictions.push(
        `POST ${path} was answered ${first.status} ${first.text.slice(0, 200)}, then ${again.status} ${again.text.slice(0, 200)}`,
      );
    return first;
  }

  async #until<T>(path: string, body: object, key: string): Promise<Answer<T> | undefined> {
    while (Date.now() < this.#patientUntil) {
      const answer = await this.#merchant.ask<T>('POST', path, body, key).catch(() => undefined);
      const isPassing =
        answer === undefined || answer.status === 429 || answer.text.includes('idempotency_key_in_flight');
      if (!isPassing) {
        // An order that has not heard of its money yet refuses, for good.
        if (answer.status >= 300) this.#history.note('program', 'fail', { why: `${answer.status} ${path}` });
        return answer;
      }
      await this.#wait(insistMs);
    }
    return undefined;
  }
}

// An order goes on living between two answers about it.
function isSame(one: Answer<unknown>, other: Answer<unknown>): boolean {
  return one.text === other.text || (one.text.includes('"object":"order"') && other.text.includes('"object":"order"'));
}

/**
 * What the program was told is true, and nothing that it asked for once was done twice. `codesBefore`: how many each
 * product had before its uploads.
 */
export async function checkProgram(
  client: Client,
  { memory, codesBefore }: { readonly memory: Memory; readonly codesBefore: number },
  say: (what: string) => void,
): Promise<void> {
  for (const contradiction of memory.contradictions) say(contradiction);
  for (const { productId, codes, added } of memory.uploads) {
    if (added === undefined) say(`an upload of ${codes.length} codes to ${productId} was never answered`);
    else if (added !== codes.length)
      say(`an upload of ${codes.length} new codes to ${productId} was told that ${added} were added`);
  }
  const { rows: pools } = await client.query<{ product_id: string; codes: string }>(
    'select product_id, count(*)::text as codes from fulfillment.pool_code group by product_id',
  );
  const inPool = new Map(pools.map(({ product_id: id, codes }) => [id, Number(codes)]));
  for (const [productId, some] of Map.groupBy(memory.uploads, (upload) => upload.productId)) {
    const wanted = codesBefore + some.reduce((sum, { codes }) => sum + codes.length, 0);
    if (inPool.get(productId) !== wanted)
      say(`product ${productId} was given ${wanted} codes and has ${inPool.get(productId) ?? 0}`);
  }
  const { rows: named } = await client.query<{ name: string; ids: string[] }>(
    `select name, array_agg(product_id::text) as ids from merchant.product where name like 'Made %' group by name`,
  );
  const products = new Map(named.map(({ name, ids }) => [name, ids]));
  for (const { name, id } of memory.products) {
    const ids = products.get(name) ?? [];
    if (ids.length > 1) say(`product ${name} was made ${ids.length} times: ${ids.join(', ')}`);
    if (id === undefined) say(`product ${name} was never answered`);
    else if (!ids.includes(id)) say(`product ${name} was acknowledged as ${id} and is not there`);
  }
  const { rows: asked } = await client.query<{ order_id: string; times: string }>(
    `select order_id::text, count(*)::text as times from "order".order_history where type = 'orderLicencesAsked' group by order_id`,
  );
  const times = new Map(asked.map((row) => [Number(row.order_id), Number(row.times)]));
  for (const [orderId, some] of Map.groupBy(memory.resends, (resend) => resend.orderId)) {
    const done = times.get(orderId) ?? 0;
    if (done > some.length)
      say(`the licences of ${orderId} were asked for ${some.length} times and sent ${done} times`);
    for (const { isAnswered } of some) if (!isAnswered) say(`licences of ${orderId} sent again: never answered`);
  }
}
