/** The merchant's side: what is sold, over the public API, with Idempotency-Keys, and insisting until it is answered. */
import { randomBytes, randomUUID } from 'node:crypto';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { makeClient, openChannel } from '@tillstream/rpc/client';
import { Agent, request } from 'undici';
import { troubleOf, Trouble, type History } from './history.ts';
import type { World } from './world.ts';

export interface Answer<T> {
  readonly status: number;
  readonly text: string;
  readonly body: T;
}

const requestMs = 20_000;
// Long enough for an outage of the database and the start after it.
const patienceMs = 120_000;
const agent = new Agent({ connections: 32, headersTimeout: requestMs, bodyTimeout: requestMs });

/** A merchant with an account of its own. */
export class Merchant {
  readonly #gateway: string;
  readonly #history: History;
  readonly key: string;

  constructor(gateway: string, key: string, history: History) {
    this.#gateway = gateway;
    this.#history = history;
    this.key = key;
  }

  /** Once. Throws Trouble when it was not answered, or with a 5xx. */
  async ask<T>(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    body?: object,
    key?: string,
    withinMs = requestMs,
  ): Promise<Answer<T>> {
    const what = `api ${method} ${path.replaceAll(/\/[a-z]*_?[0-9][^/?]*/g, '/…').replace(/\?.*/, '')}`;
    try {
      const response = await request(`${this.#gateway}${path}`, {
        method,
        dispatcher: agent,
        headersTimeout: withinMs,
        headers: {
          authorization: `Bearer ${this.key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.body.text();
      if (response.statusCode >= 500) throw new Trouble('info', `${response.statusCode} ${text.slice(0, 200)}`);
      this.#history.note(what, 'ok', { status: response.statusCode });
      const parsed: T = text.startsWith('{') ? JSON.parse(text) : undefined;
      return { status: response.statusCode, text, body: parsed };
    } catch (error) {
      const trouble = troubleOf(error);
      this.#history.note(what, trouble.outcome, { why: trouble.message.slice(0, 120) });
      throw trouble;
    }
  }

  /** The same request with the same key until it is answered for good. */
  async must<T>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<T> {
    const key = method === 'POST' ? randomUUID() : undefined;
    const endAt = Date.now() + patienceMs;
    for (;;) {
      const answer = await this.ask<T>(method, path, body, key).catch(troubleOf);
      if (!(answer instanceof Trouble) && answer.status < 300) return answer.body;
      const isPassing = answer instanceof Trouble || answer.status === 409 || answer.status === 429;
      const said = answer instanceof Trouble ? answer.message : `${answer.status} ${answer.text.slice(0, 300)}`;
      if (!isPassing || Date.now() > endAt) throw new Error(`${method} ${path}: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

export interface Shop {
  readonly merchant: Merchant;
  /** Checkout links: an ordinary product, and one that renews. */
  readonly links: readonly string[];
  readonly renewing: string;
  readonly productIds: readonly string[];
  /** Codes that each product began with. */
  readonly codesEach: number;
  readonly endpoints: readonly { readonly id: string; readonly url: string; readonly secret: string }[];
}

/** Codes begin with this: it may be seen by the buyer and the receivers, and nowhere else. */
export const codeMark = 'TORTURE-CANARY-';

/** `receivers` are the URLs that hear its webhooks. */
export async function openShop(
  world: World,
  history: History,
  options: { readonly name: string; readonly receivers: readonly string[]; readonly codesEach: number },
): Promise<Shop> {
  const channel = openChannel({ address: `127.0.0.1:${world.ports.merchant}` });
  const account = await makeClient(MerchantApiService, channel, { deadlineMs: 20_000 }).createAccount({
    accountName: options.name,
    shopName: options.name,
    supportEmail: 'merchant@example.com',
  });
  channel.close();
  const merchant = new Merchant(world.places.gateway, account.testApiKey, history);
  const endpoints = [];
  for (const url of options.receivers) {
    const made = await merchant.must<{ id: string; secrets: { standard: string } }>('POST', '/v1/webhook_endpoints', {
      url,
    });
    endpoints.push({ id: made.id, url, secret: made.secrets.standard });
  }
  const sell = async (name: string, more: object): Promise<{ id: string; link: string }> => {
    const made = await merchant.must<{ id: string; checkout_url: string }>('POST', '/v1/products', {
      name,
      prices: [{ amount: 10_000, currency: 'EUR' }],
      delivery: { method: 'pool', one_code_per: 'unit' },
      ...more,
    });
    for (let left = options.codesEach; left > 0; left -= 5_000) {
      const codes = Array.from(
        { length: Math.min(left, 5_000) },
        () => `${codeMark}${randomBytes(12).toString('hex')}`,
      );
      await merchant.must('POST', `/v1/products/${made.id}/licence_codes`, { codes });
    }
    return { id: made.id, link: `${made.checkout_url}?currency=EUR` };
  };
  const plain = [await sell('Editor', {}), await sell('Compiler', {}), await sell('Debugger', {})];
  const renewing = await sell('Monthly', { subscription: { type: 'AR', period: 'P1M' } });
  return {
    merchant,
    links: plain.map(({ link }) => link),
    renewing: renewing.link,
    productIds: [...plain, renewing].map(({ id }) => id),
    codesEach: options.codesEach,
    endpoints,
  };
}
