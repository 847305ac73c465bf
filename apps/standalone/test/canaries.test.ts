/**
 * Canaries: codes, keys, secrets, addresses, names and card numbers that stand nowhere but here go through a whole story,
 * most of all through what fails. Then everything that is written down is searched for them: the log, spans and metrics,
 * topics, outboxes, parked messages, errors, the provider's books, and every table that is not their home.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { makeClient } from '@tillstream/rpc/client';
import { startTelemetry, type RunningTelemetry } from '@tillstream/telemetry/start';
import { eventually } from '@tillstream/testkit/eventually';
import { startMailbox, type Mailbox } from '@tillstream/testkit/mailbox';
import { startOtlpReceiver, type OtlpReceiver } from '@tillstream/testkit/otlp-receiver';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { customer, fillCart, openShop, pay, placeOrder, startRunning, type Running } from './running.ts';

const canaries = {
  email: 'canary.7734@nest.example',
  failing: 'canary.fault@nest.example',
  firstName: 'Canarina',
  lastName: 'Quillfeather',
  code: 'CANARY-CODE-0001-XYZZY',
  spareCode: 'CANARY-CODE-0002-XYZZY',
  seedSecret: 'canary-secret-of-the-seed',
  card: '4242424242424242',
  cardAsTyped: '4242 4242 4242 4242',
  declinedCard: '4000000000000002',
};
/** Where each may stand, by table: its home. Nowhere else, and never outside the database. */
const homes: Readonly<Record<string, readonly string[]>> = {
  email: ['order.purchase_order'],
  failing: ['order.purchase_order'],
  firstName: ['order.purchase_order'],
  lastName: ['order.purchase_order'],
  // Payment keeps the address to which the provider sends the customer back.
  token: ['order.purchase_order', 'order.cart', 'payment.payment'],
};

// Of a machine that does much else.
const patienceMs = 60_000;

let running: Running;
let otlp: OtlpReceiver;
let telemetry: RunningTelemetry;
let mailbox: Mailbox;
let receiver: HostileReceiver;
/** With what became known on the way: the API key, the tokens of orders. */
let secrets: Readonly<Record<string, string>>;
const errors: string[] = [];

beforeAll(async () => {
  otlp = await startOtlpReceiver();
  telemetry = await startTelemetry({ service: 'canaries', otlpEndpoint: otlp.endpoint, exportEveryMs: 100 });
  mailbox = await startMailbox();
  receiver = await hostileReceiver();
  running = await startRunning({
    SMTP_URL: mailbox.url,
    MAIL_RETRY_FIRST_MS: '200',
    RETRY_DELAYS_MS: '100,200,300,400,500',
  });
  const { product, places, database } = running;
  const { codes, ...given } = { ...canaries, codes: [canaries.code, canaries.spareCode] };
  const shop = await openShop(product, 'Canary', receiver, { codes, seedSecret: canaries.seedSecret });
  // The receiver says back what it was sent; the mail server refuses for a while.
  receiver.behave((asked, n) => ({
    type: 'answer',
    status: n <= 4 ? 500 : 200,
    body: asked.body.toString().slice(0, 2_000),
  }));
  mailbox.refuse(true);
  const who = { ...customer, email: given.email, firstName: given.firstName, lastName: given.lastName };
  const sale = await placeOrder(product, shop, who);
  await pay(product, sale, given.declinedCard);
  // The next click would lead to the same page until the order has heard.
  const orders = makeClient(OrderApiService, product.channel('order'));
  const whose = { merchantId: shop.merchantId, orderId: sale.orderId };
  await eventually(async () => (await orders.getOrder(whose)).order?.payment?.status === 'failed', patienceMs);
  await pay(product, sale, given.cardAsTyped);
  await eventually(() => mailbox.offered() >= 3, patienceMs);
  mailbox.refuse(false);
  await mailbox.waitFor((mail) => mail.text?.includes(canaries.code) === true, patienceMs);
  await eventually(() => receiver.requests.some(({ body }) => body.includes(canaries.code)), patienceMs);

  // An order that its own database refuses to change: the message is parked, and Postgres quotes the row.
  const faulty = await placeOrder(product, shop, { ...who, email: canaries.failing });
  await database.admin.query(
    `alter table "order".purchase_order add constraint fault check (status <> 'paid' or customer_email not like 'canary.fault%') not valid`,
  );
  await pay(product, faulty);
  await eventually(
    async () => (await database.admin.query('select from "order".parked_message')).rows.length > 0,
    40_000,
  );
  // One that cannot even be made, at the page.
  await database.admin.query(
    `alter table "order".purchase_order add constraint no_more check (customer_email not like 'canary%') not valid`,
  );
  const cart = await fillCart(product, shop);
  const form = {
    action: 'place',
    cart_version: String(cart.version),
    total_minor: String(cart.totalMinor),
    locale: 'en',
    email: canaries.email,
    first_name: canaries.firstName,
    last_name: canaries.lastName,
    country: 'FR',
    payment_method: 'CreditCard',
    terms_accepted: 'yes',
    privacy_accepted: 'yes',
  };
  const refused = await post(`${places.checkout}/checkout/${cart.id}`, form, {});
  expect(refused.status).toBe(500);

  // At the API: what is refused must be as quiet as what is done.
  const bearer = { authorization: `Bearer ${shop.apiKey}`, 'content-type': 'application/json' };
  for (const [path, body] of [
    ['/v1/products', { name: canaries.email, prices: [{ amount: 0, currency: canaries.card }] }],
    ['/v1/products', { name: 'x', prices: [{ amount: 1, currency: 'EUR' }], metadata: { note: canaries.cardAsTyped } }],
    [`/v1/products/${shop.productId}/licence_codes`, { codes: [canaries.spareCode, `${canaries.code}\0`] }],
    ['/v1/webhook_endpoints', { url: `https://${canaries.email}/`, secrets: { seed: `${canaries.seedSecret}\0` } }],
  ] as const)
    await ask(`${places.gateway}${path}`, 'POST', bearer, JSON.stringify(body));
  await ask(`${places.gateway}/v1/orders?customer_email=${canaries.email}&limit=0`, 'GET', bearer);
  await ask(`${places.gateway}/v1/orders?api_key=${shop.apiKey}`, 'GET', {});
  await ask(`${places.gateway}/v1/orders`, 'GET', { authorization: `Bearer ${shop.apiKey}x` });
  await ask(`${places.checkout}/order/status/${sale.orderId}/${sale.token.replace(/^./, 'g')}`, 'GET', {});
  secrets = { ...given, apiKey: shop.apiKey, token: sale.token };
  await new Promise((resolve) => setTimeout(resolve, 500));
}, 240_000);

afterAll(async () => {
  await running.stop();
  await telemetry.stop();
  await otlp.stop();
  await mailbox.stop();
  await receiver.stop();
});

/** Names of the canaries in it; as they are, and as their bytes in hex. */
const found = (text: string): string[] => {
  const lower = text.toLowerCase();
  return Object.entries(secrets)
    .filter(([, word]) => text.includes(word) || lower.includes(Buffer.from(word).toString('hex')))
    .map(([name]) => name);
};

describe('a canary is not in', () => {
  test('the log, in which everybody wrote', () => {
    const log = running.readLog();
    for (const word of ['"msg":"performed"', '"msg":"parked"', '"service":"notification"', '"level":"error"'])
      expect(log).toContain(word);
    expect(log.split('\n').flatMap((line) => found(line).map((name) => `${name}: ${line.slice(0, 300)}`))).toEqual([]);
  });

  test('spans and metrics', async () => {
    await eventually(() => otlp.spans().some(({ name }) => name === 'POST webhook'));
    expect(otlp.spans().length).toBeGreaterThan(50);
    const seen = [...otlp.spans(), ...otlp.metrics()].map((each) => JSON.stringify(each));
    expect(seen.flatMap((text) => found(text).map((name) => `${name}: ${text.slice(0, 300)}`))).toEqual([]);
  });

  test('topics, outboxes, parked messages, and every table that is not its home', async () => {
    const { admin } = running.database;
    const { rows: tables } = await admin.query(
      `select n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)' order by 1`,
    );
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'carrier.log',
        'order.outbox',
        'order.parked_message',
        'payment.callback',
        'gateway.answer',
      ]),
    );
    const places: string[] = [];
    const seen = new Set<string>();
    for (const { name, quoted } of tables) {
      const { rows } = await admin.query(`select to_jsonb(t)::text as line from ${quoted} t`);
      for (const canary of new Set(rows.flatMap(({ line }) => found(line)))) {
        if (homes[canary]?.includes(name) === true) seen.add(canary);
        else places.push(`${canary} in ${name}`);
      }
    }
    expect(places).toEqual([]);
    // The search sees what is there.
    expect([...seen].toSorted()).toEqual(Object.keys(homes).toSorted());
    const { rows: parked } = await admin.query('select error from "order".parked_message');
    expect(parked.length).toBeGreaterThan(0);
  });

  test('answers to those who ask in vain, and the provider’s books', () => {
    expect(errors.length).toBeGreaterThanOrEqual(8);
    // Who sends an address may read in the answer what is wrong with it, but never a card or a secret.
    const told = errors.flatMap(found).filter((name) => !['email', 'firstName', 'lastName'].includes(name));
    expect(told).toEqual([]);
    const books = readFileSync(join(running.data, 'sandbox.jsonl'), 'utf8');
    expect(books).toContain('4242');
    expect(found(books).filter((name) => name !== 'token')).toEqual([]);
  });
});

async function ask(url: string, method: 'GET' | 'POST', headers: Record<string, string>, body?: string): Promise<void> {
  const answer = await request(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await answer.body.text();
  if (answer.statusCode < 400) throw new Error(`${method} ${url} was to be refused: ${answer.statusCode} ${text}`);
  errors.push(text);
}

async function post(
  url: string,
  form: Record<string, string>,
  headers: Record<string, string>,
): Promise<{ status: number }> {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(url).origin, ...headers },
    body: new URLSearchParams(form).toString(),
  });
  errors.push(await answer.body.text());
  return { status: answer.statusCode };
}
