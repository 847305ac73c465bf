/** The merchant's side: products with codes to sell, and a receiver of webhooks that remembers when what came. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { request } from 'undici';
import type { Form } from './form.ts';

export interface Shop {
  /** Checkout links, one a product. */
  readonly links: readonly string[];
  readonly heard: ReadonlyMap<number, readonly Heard[]>;
  close(): Promise<void>;
}

export interface Heard {
  readonly at: number;
  readonly event: string;
  readonly codes: readonly string[];
}

interface Body {
  readonly event: string;
  readonly order_id: number;
  readonly product: { readonly activation_codes?: readonly string[] };
}

/** One product would measure how fast one row of the pool can be locked, so there are several, as in a shop. */
const productCount = 5;
const codesAtOnce = 10_000;

export async function openShop(form: Form, codesEach: number): Promise<Shop> {
  const heard = new Map<number, Heard[]>();
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const body: Body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const known = heard.get(body.order_id) ?? [];
      known.push({ at: Date.now(), event: body.event, codes: body.product.activation_codes ?? [] });
      heard.set(body.order_id, known);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await call(form, '/v1/webhook_endpoints', { url: `http://127.0.0.1:${port}/hooks` });
  const links: string[] = [];
  for (let nth = 1; nth <= productCount; nth += 1) {
    const made = await call<{ id: string; checkout_url: string }>(form, '/v1/products', {
      name: `Program ${nth}`,
      prices: [{ amount: 10_000, currency: 'EUR' }],
      delivery: { method: 'pool', one_code_per: 'unit' },
    });
    for (let left = codesEach; left > 0; left -= codesAtOnce) {
      const codes = Array.from({ length: Math.min(left, codesAtOnce) }, () => randomUUID());
      await call(form, `/v1/products/${made.id}/licence_codes`, { codes });
    }
    links.push(`${made.checkout_url}?quantity=1&currency=EUR`);
  }
  return {
    links,
    heard,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function call<T>(form: Form, path: string, body: object): Promise<T> {
  const answer = await request(`${form.gateway}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${form.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 500)}`);
  const parsed: T = JSON.parse(text);
  return parsed;
}
