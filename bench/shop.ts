/** The merchant's side: products with codes to sell, and a receiver of webhooks that remembers when what came. */
import { createServer } from 'node:http';
import { post, sell } from './api.ts';
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
  await post(form, '/v1/webhook_endpoints', { url: `http://127.0.0.1:${port}/hooks` });
  const links: string[] = [];
  for (let nth = 1; nth <= productCount; nth += 1) {
    const link = await sell(form, { name: `Program ${nth}`, codes: codesEach });
    links.push(`${link}?quantity=1&currency=EUR`);
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
