/** What must be read nowhere: after a purchase and after refused attempts, neither the log nor the data have it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProduct, type Product } from './product.ts';
import { buy, customer, placeOrder } from './purchase.ts';
import { Shop } from './shop.ts';
import { until } from './until.ts';
import { Visitor } from './visitor.ts';
import { Receiver } from './webhooks.ts';

const who = { ...customer, email: 'canary.4711@example.com', 'given-name': 'Canarina', 'family-name': 'Quillfeather' };
const seedSecret = 'canary-secret-of-the-seed';
const strayCode = 'CODE-WITH-A-FAULT-\u0000';
let product: Product;
let sold: { code: string; spare: string; token: string; standard: string; readerKey: string };
const receiver = new Receiver();

beforeAll(async () => {
  product = await startProduct('standalone', { env: { LOG_LEVEL: 'debug' } });
  const shop = new Shop(product.gateway, product.api_key);
  await receiver.listen();
  const { secrets } = await shop.addEndpoint(receiver.url, { secrets: { seed: seedSecret } });
  const made = await shop.createProduct('Quiet');
  const [code = '', spare = ''] = await shop.addCodes(made.id, 2);
  const reader = await shop.must<{ secret: string }>('POST', '/v1/api_keys', { name: 'reader', scopes: ['read'] });

  const visitor = new Visitor();
  const sale = await placeOrder(visitor, made.checkout_url, who);
  const paid = await buy(made.checkout_url, undefined, new Visitor());
  await until('three webhooks', async () => receiver.ofOrder(paid.orderId).length === 3);
  await until('the licence mail', async () => {
    const mails = await request(`${product.mail}/api/messages`);
    return (await mails.body.text()).includes('CODE-');
  });
  // What is refused must be as quiet as what is done.
  await new Shop(product.gateway, `${product.api_key}x`).call('GET', `/v1/orders?customer_email=${who.email}`);
  await shop.call('GET', `/v1/orders?customer_email=${who.email}`);
  await shop.call('POST', `/v1/products/${made.id}/licence_codes`, { codes: [strayCode] });
  await shop.call('POST', '/v1/products', `{"name": "${who.email}", `);
  await shop.call('POST', '/v1/products', { name: 'X', metadata: { note: '4242 4242 4242 4242' } });
  await placeOrder(new Visitor(), made.checkout_url, { ...who, 'family-name': '4242424242424242' }).catch(() => null);
  await visitor.open(`${product.checkout}/order/status/${sale.orderId}/${sale.token.replace(/^./, 'f')}`);
  sold = {
    code: receiver.ofOrder(paid.orderId)[2]?.body.product.activation_codes?.[0] ?? '',
    spare,
    token: sale.token,
    standard: secrets.standard,
    readerKey: reader.secret,
  };
  expect([code, spare]).toContain(sold.code);
  await product.stop();
});

afterAll(async () => {
  await receiver.goDown();
  product.forget();
});

const cardNumbers = ['4242424242424242', '4242 4242 4242 4242'];

describe('what must not be read is not in', () => {
  test('the log: addresses, names, codes, tokens, keys, cards, secrets', () => {
    const log = readFileSync(join(product.data, 'tillstream.log'), 'utf8');
    // All who had a part in it wrote there.
    for (const service of ['gateway', 'order', 'payment', 'fulfillment', 'notification'])
      expect(log).toContain(`"service":"${service}"`);
    expect(log).toContain('"msg":"performed"');
    const words = [
      who.email,
      'canary.4711',
      who['given-name'],
      who['family-name'],
      customer.email,
      'CODE-WITH-A-FAULT',
    ];
    for (const word of [...words, seedSecret, product.api_key, ...Object.values(sold), ...cardNumbers])
      expect(log.includes(word), word).toBe(false);
    expect(product.output()).not.toContain(sold.code);
  });

  test('the files of the database: codes, keys, cards, secrets', () => {
    const files = globSync('postgres/**/*', { cwd: product.data, withFileTypes: true }).filter((file) => file.isFile());
    const found = new Set<string>();
    let seesTheOrder = false;
    for (const file of files) {
      const bytes = readFileSync(join(file.parentPath, file.name));
      seesTheOrder ||= bytes.includes(who['family-name']);
      for (const word of [
        sold.code,
        sold.spare,
        sold.standard,
        sold.readerKey,
        product.api_key,
        seedSecret,
        ...cardNumbers,
      ])
        if (bytes.includes(word) || bytes.includes(Buffer.from(word).toString('hex')))
          found.add(`${word} in ${file.name}`);
    }
    // It looked in the right place: the order is there, in plain text.
    expect(seesTheOrder).toBe(true);
    expect([...found]).toEqual([]);
  });

  test('the provider’s books: card numbers', () => {
    const books = readFileSync(join(product.data, 'sandbox.jsonl'), 'utf8');
    expect(books).toContain('4242');
    for (const word of cardNumbers) expect(books).not.toContain(word);
  });
});
