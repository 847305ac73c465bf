/**
 * Hostile words and requests at the public surfaces: names that are programs, forms from elsewhere, addresses that lead
 * away, answers that are sent back as questions. Nothing runs, nothing is believed, every page says how it may be used.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buy, customer, placeOrder, type Sale } from '../purchase.ts';
import { startProduct, type Product } from '../product.ts';
import { Shop, type Answer } from '../shop.ts';
import { until } from '../until.ts';
import { Visitor } from '../visitor.ts';
import { Dice } from './dice.ts';
import { fillPath, readOperations, type Operation } from './document.ts';
import { sample } from './sample.ts';

const script = '<script>alert(1)</script>';
const hostileName = `${script}<img src=x onerror=alert(2)>{{7*191}}\${7*191}<%=7*191%>"'><!--\u202elive\u202c\u001b[31m`;
const split = 'Quill\r\nBcc: victim@example.com\r\nX-Injected: yes';
const elsewhere = 'https://evil.example';

interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly [field: string]: unknown;
}

let product: Product;
let shop: Shop;
let operations: readonly Operation[];
let sale: Sale;
let open: Sale;
let cart: string;
let pages: readonly string[];

beforeAll(async () => {
  product = await startProduct('standalone', { env: { LOG_LEVEL: 'debug' } });
  shop = new Shop(product.gateway, product.api_key);
  operations = await readOperations(product.gateway);
  const made = await shop.createProduct(hostileName.slice(0, 200), {
    description: `${hostileName} javascript:alert(3)`,
    family_name: split,
    metadata: { [script.slice(0, 30)]: hostileName },
    subscription: { type: 'AR', period: 'P1Y' },
  });
  await shop.addCodes(made.id, 5);
  const broken = await shop.createProduct(split);
  await shop.addCodes(broken.id, 5);
  const who = { ...customer, 'given-name': script, 'family-name': '{{7*191}}' };
  open = await placeOrder(new Visitor(), made.checkout_url, who);
  sale = await buy(made.checkout_url, undefined, undefined, { auto_renew: '1' });
  await buy(broken.checkout_url);
  const filled = await new Visitor().open(made.checkout_url);
  cart = filled.url;
  await until('the delivery', async () => (await shop.order(sale.orderId)).fulfilment_status === 'delivered');
  const { data } = await shop.must<{ data: readonly { id: string }[] }>(
    'GET',
    `/v1/subscriptions?order=${sale.orderId}`,
  );
  const subscription = data[0]?.id.replace(/^sub_/, '') ?? '';
  const of = (one: Sale) => `${one.orderId}/${one.token}`;
  pages = [
    cart,
    ...['/nothing', '/checkout/0', '/robots.txt', '/livez', `/basket/add/${made.id}?quantity=0`].map(
      (path) => product.checkout + path,
    ),
    `${product.checkout}/pay/${of(open)}`,
    `${product.checkout}/pay/${of(sale)}`,
    `${product.checkout}/pay/${of(sale)}/go`,
    `${product.checkout}/thanks/${of(sale)}`,
    `${product.checkout}/thanks/${of(sale)}/status`,
    `${product.checkout}/order/status/${of(sale)}`,
    `${product.checkout}/order/status/${of(open)}`,
    `${product.checkout}/order/status/${of(sale)}/cancel/${subscription}`,
    `${product.checkout}/order/status/${of(sale)}/subscription`,
    `${product.checkout}/order/status/${sale.orderId}/${'0'.repeat(32)}`,
  ];
}, 240_000);

afterAll(async () => {
  await product.stop();
  product.forget();
});

/** As often as it takes: a key may write a hundred times a second. */
async function tell(method: Operation['method'], path: string, body: unknown): Promise<Answer<{ param?: string }>> {
  for (;;) {
    const answer = await shop.call<{ param?: string }>(method as 'POST', path, body);
    if (answer.status !== 429) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const look = async (
  url: string,
  method: 'GET' | 'POST' | 'PUT' = 'GET',
  headers: Record<string, string> = {},
  body?: string,
) => {
  const answer = await request(url, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
};

describe('pages', () => {
  test('the list has a page of every route', () => {
    const source = readFileSync(join(import.meta.dirname, '../../apps/checkout/src/inbound/http.ts'), 'utf8');
    const routes = [...source.matchAll(/\['GET', '(\/[^']+)'/g)].map(([, path = '']) => path);
    expect(routes.length).toBeGreaterThan(8);
    for (const route of routes) {
      const form = new RegExp(`^${route.replaceAll(/:\w+/g, '[^/?]+')}(\\?.*)?$`);
      const found = pages.some((page) => form.test(page.slice(product.checkout.length)));
      expect(found, `no page of ${route}: add one to the list`).toBe(true);
    }
  });

  test('every answer says that nobody may frame it, run in it, keep it or hear where it was', async () => {
    for (const page of pages) {
      for (const method of ['GET', 'PUT'] as const) {
        const { headers, status } = await look(page, method);
        const policy = String(headers['content-security-policy']);
        expect(policy, `${method} ${page} ${status}`).toContain("default-src 'none'");
        expect(policy).toContain("frame-ancestors 'none'");
        expect(policy).toContain("base-uri 'none'");
        expect(policy).toMatch(/form-action 'self'/);
        expect(policy).not.toMatch(/unsafe|\*/);
        expect(headers, page).toMatchObject({
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
          'cross-origin-opener-policy': 'same-origin',
          'cache-control': 'no-store',
        });
        expect(headers['x-powered-by'] ?? headers['server'], page).toBeUndefined();
      }
    }
  });

  test('names are text: no markup and no template gets out of them', async () => {
    let named = 0;
    for (const page of pages) {
      const { text, headers } = await look(page, 'GET', { 'accept-language': 'en' });
      if (!String(headers['content-type']).includes('html')) continue;
      expect(text, page).not.toContain(script);
      expect(text, page).not.toMatch(/<img[^>]*onerror/i);
      expect(text, page).not.toContain(String(7 * 191));
      if (text.includes('&lt;script&gt;')) named += 1;
    }
    expect(named).toBeGreaterThanOrEqual(5);
  });

  test('no query leads a customer away', async () => {
    const query = [
      'next',
      'return',
      'return_url',
      'redirect',
      'redirect_url',
      'url',
      'to',
      'continue',
      'locale',
      'currency',
    ]
      .map((name) => `${name}=${encodeURIComponent(elsewhere)}`)
      .join('&');
    for (const page of pages) {
      for (const place of [
        `${page}${page.includes('?') ? '&' : '?'}${query}`,
        page.replace(product.checkout, `${product.checkout}//evil.example`),
      ]) {
        const { headers, text } = await look(place, 'GET', {
          host: new URL(page).host,
          'x-forwarded-host': 'evil.example',
        });
        expect(String(headers['location'] ?? ''), place).not.toContain('evil.example');
        expect(text, place).not.toMatch(/(href|action|src)="([a-z]+:)?[/\\]{2}[^"]*evil\.example/);
      }
    }
  });

  test('forms from elsewhere change nothing', async () => {
    const before = await shop.order(open.orderId);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const from of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: elsewhere }]) {
      for (const page of [
        cart,
        `${product.checkout}/pay/${open.orderId}/${open.token}`,
        `${product.checkout}/order/status/${sale.orderId}/${sale.token}/subscription`,
      ]) {
        const answer = await look(page, 'POST', { ...form, ...from }, 'action=cancel&payment_method=CreditCard');
        expect(answer.status, page).toBe(403);
      }
    }
    expect(await shop.order(open.orderId)).toEqual(before);
  });
});

describe('mails and the log', () => {
  test('a name makes no header, no markup and no template of a mail', async () => {
    const letters = await until('the mails', async () => {
      const { text } = await look(`${product.mail}/api/messages`);
      const all: Letter[] = JSON.parse(text);
      return all.length >= 4 && all;
    });
    const all = JSON.stringify(letters);
    for (const letter of letters) {
      expect(letter.subject).not.toMatch(/[\r\n]/);
      expect(JSON.stringify([letter['to'], letter['from']])).not.toContain('victim@');
      expect(letter.html ?? '', 'markup').not.toContain(script);
    }
    expect(all).not.toMatch(/^x-injected/im);
    expect(all).not.toContain(String(7 * 191));
    expect(all).toContain('7*191');
  });

  test('a name makes no line of the log', () => {
    const lines = readFileSync(join(product.data, 'tillstream.log'), 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      expect(() => void JSON.parse(line), line.slice(0, 200)).not.toThrow();
      expect(line.includes('\u001b'), line.slice(0, 200)).toBe(false);
    }
  });
});

describe('at the API', () => {
  test('what is answered is not taken back: no operation assigns a field that is not in its body', async () => {
    let tried = 0;
    for (const operation of operations.filter(({ body }) => body !== undefined)) {
      const known = Object.keys(operation.body?.properties ?? {});
      const fields = [
        'id',
        'merchant_id',
        'livemode',
        'status',
        'created_at',
        'paid_at',
        'amount',
        'object',
        'is_admin',
        'scopes_all',
      ];
      for (const field of fields.filter((each) => !known.includes(each))) {
        const body = { ...(sample(operation.body ?? {}, new Dice(5)) as object), [field]: 'x' };
        const answer = await tell(operation.method, fillPath(operation.path, { id: '1' }), body);
        expect([answer.status, answer.body.param], `${operation.id} with ${field}`).toEqual([422, field]);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(80);
  });

  test('numbers are numbers, once, and within reach; depth, size and paging have ends', async () => {
    const priced = (amount: string) => `{"name":"X","prices":[{"amount":${amount},"currency":"EUR"}]}`;
    for (const amount of [
      '"100"',
      '100.5',
      '-1',
      '0',
      '-0',
      '1e400',
      '9007199254740993',
      '1e13',
      'null',
      'true',
      '[1]',
      '0x10',
      'NaN',
      '01',
    ])
      expect([400, 422], amount).toContain((await tell('POST', '/v1/products', priced(amount))).status);
    // A hundred, however it is written.
    expect((await tell('POST', '/v1/products', priced('1e2'))).text).toContain('"amount":100,');
    for (const body of [
      '{"__proto__":{"admin":true},"name":"X"}',
      '{"constructor":{"prototype":{}},"name":"X"}',
      `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
    ])
      expect([400, 422], body.slice(0, 60)).toContain((await tell('POST', '/v1/products', body)).status);
    expect((await shop.call('POST', '/v1/products', { name: 'x'.repeat(300_000) })).status).toBe(413);
    for (const query of [
      'limit=1000000000',
      'limit=-1',
      'limit=1.5',
      'limit=1&limit=2',
      'page=1000000000',
      'a=b&'.repeat(900),
    ])
      expect([400, 422], query.slice(0, 40)).toContain((await shop.call('GET', `/v1/products?${query}`)).status);
  });
});
