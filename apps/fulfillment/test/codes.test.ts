import { randomUUID } from 'node:crypto';
import { makeVault } from '@tillstream/vault/vault';
import { eventually } from '@tillstream/testkit/eventually';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resealCodes } from '../src/outbound/codes.ts';
import { readLicences } from '../src/outbound/fulfillment-queries.ts';
import { newKey, nextNumber, oldKey, openShop, type Shop } from './shop.ts';

let shop: Shop;
let admin: Shop['place']['admin'];
beforeAll(async () => {
  shop = await openShop();
  ({ admin } = shop.place);
});
afterAll(() => shop.stop());

const product = () => String(nextNumber());
const add = (
  productId: string,
  codes: string[],
  more: { merchantId?: string; lowWaterMark?: number; requestId?: string } = {},
) =>
  shop.api.addLicenceCodes({ merchantId: shop.merchantId, productId, codes, lowWaterMark: 0, requestId: '', ...more });
const refusal = (adding: Promise<unknown>) =>
  adding.then(
    () => undefined,
    (error: unknown) => error,
  );

async function sell(productId: string, quantity = 1): Promise<bigint> {
  const { orderId } = shop.order([{ productId, quantity }]);
  await shop.pay(orderId);
  await eventually(async () => (await shop.codes(orderId)).length === quantity);
  return orderId;
}

describe('an upload', () => {
  test('counts what the product had before and what comes twice, and adds neither', async () => {
    const productId = product();
    expect(await add(productId, ['A', 'B', ' B', 'C'])).toEqual({ added: 3, duplicates: 1 });
    expect(await add(productId, ['C', 'D', 'A'])).toEqual({ added: 1, duplicates: 2 });
    // Also what is sold: it must never be sold again.
    await sell(productId, 4);
    expect(await add(productId, ['A', 'B', 'C', 'D'])).toEqual({ added: 0, duplicates: 4 });
    expect((await shop.api.getPoolSummaries({ merchantId: shop.merchantId, productIds: [productId] })).pools).toEqual([
      { productId, available: 0, issued: 4, lowWaterMark: 0 },
    ]);
    // Another product, and another merchant, may have the same code.
    expect(await add(product(), ['A'])).toEqual({ added: 1, duplicates: 0 });
    expect(await add(productId, ['A'], { merchantId: randomUUID() })).toEqual({ added: 1, duplicates: 0 });
  });

  test('that comes again under its request id is told what it added, and adds nothing, also at the same time', async () => {
    const productId = product();
    const again = { requestId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 4 }, () => add(productId, ['A', 'B', 'A'], again)));
    for (const answer of answers) expect(answer).toEqual({ added: 2, duplicates: 1 });
    await sell(productId, 2);
    expect(await add(productId, ['A', 'B', 'A'], again)).toEqual({ added: 2, duplicates: 1 });
    expect((await shop.api.getPoolSummaries({ merchantId: shop.merchantId, productIds: [productId] })).pools).toEqual([
      { productId, available: 0, issued: 2, lowWaterMark: 0 },
    ]);
    // Another merchant's request is another one, whatever its id.
    const foreign = { ...again, merchantId: randomUUID() };
    expect(await add(productId, ['A', 'C'], foreign)).toEqual({ added: 2, duplicates: 0 });
  });

  test('takes ten thousand codes at once, and no more', async () => {
    const productId = product();
    const codes = Array.from({ length: 10_000 }, (_, at) => `CODE-${at}-${'y'.repeat(40)}`);
    expect(await add(productId, codes)).toEqual({ added: 10_000, duplicates: 0 });
    expect(await refusal(add(productId, [...codes, 'one more']))).toMatchObject({ code: 'too_many_codes' });
    const orderId = await sell(productId, 3);
    expect(await shop.codes(orderId)).toEqual(codes.slice(0, 3));
  });

  test('of the same codes by five at once adds each once', async () => {
    const productId = product();
    const codes = Array.from({ length: 300 }, (_, at) => `race ${at}`);
    const answers = await Promise.all(
      [codes, codes.toReversed(), codes, codes.toReversed(), codes].map((each) => add(productId, each)),
    );
    expect(answers.reduce((sum, answer) => sum + answer.added, 0)).toBe(300);
    expect(
      (await shop.api.getPoolSummaries({ merchantId: shop.merchantId, productIds: [productId] })).pools[0]?.available,
    ).toBe(300);
  });

  test('is refused with the place of what is wrong, and adds nothing', async () => {
    const productId = product();
    expect(await refusal(add(productId, []))).toMatchObject({ code: 'required', param: 'codes' });
    expect(await refusal(add(productId, ['A', '  ', 'x'.repeat(501)]))).toMatchObject({
      code: 'required',
      param: 'codes[1]',
      fields: [{ param: 'codes[1]' }, { param: 'codes[2]', code: 'too_long' }],
    });
    expect(await refusal(add('12 or 1=1', ['A']))).toMatchObject({ code: 'product_not_found' });
    expect(await refusal(add(productId, ['A'], { lowWaterMark: -1 }))).toMatchObject({
      code: 'invalid_field',
      param: 'low_water_mark',
    });
    expect(
      (await shop.api.getPoolSummaries({ merchantId: shop.merchantId, productIds: [productId] })).pools[0]?.available,
    ).toBe(0);
  });
});

describe('secrecy', () => {
  test('no code is readable at rest, in messages or in the log', async () => {
    const productId = product();
    const secret = `TOP-SECRET-${randomUUID()}`;
    await add(productId, [secret]);
    await sell(productId);
    for (const table of ['pool_code', 'licence', 'delivery', 'pool', 'outbox', 'inbox', 'timer']) {
      const { rows } = await admin.query<{ text: string }>(
        `select row_to_json(t)::text as text from fulfillment.${table} t`,
      );
      const text = rows.map((row) => row.text).join('\n');
      expect(text).not.toContain(secret);
      // Bytes, such as those of a message on its way, are written in hex.
      expect(text).not.toContain(Buffer.from(secret).toString('hex'));
    }
    expect(shop.log.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(shop.log.lines)).not.toContain(secret);
  });

  test("another merchant's id opens nothing", async () => {
    const productId = product();
    await add(productId, ['mine'], { lowWaterMark: 1 });
    const orderId = await sell(productId);
    const other = randomUUID();
    expect(await shop.codes(orderId, other)).toEqual([]);
    expect((await shop.api.getPoolSummaries({ merchantId: other, productIds: [productId] })).pools).toEqual([
      { productId, available: 0, issued: 0, lowWaterMark: 0 },
    ]);
    expect(await shop.timeline.readTimeline({ merchantId: other, orderId })).toEqual({ entries: [], awaited: [] });
    // One call for several merchants gives each its own.
    const { licences } = await shop.api.getLicences({
      orders: [
        { merchantId: other, orderId },
        { merchantId: shop.merchantId, orderId },
      ],
    });
    expect(licences).toHaveLength(1);
  });

  test('every table that names a merchant is under row-level security', () => expectTenantIsolation(shop.database));

  test('a sealed code that was moved to another row does not open', async () => {
    const productId = product();
    await add(productId, ['one', 'two']);
    const orderId = await sell(productId, 2);
    await admin.query(
      `update fulfillment.pool_code set sealed = (select sealed from fulfillment.pool_code where product_id = $1 order by pool_code_id limit 1) where product_id = $1`,
      [productId],
    );
    expect(await refusal(shop.codes(orderId))).toMatchObject({ code: 'internal' });
  });
});

describe('a new key', () => {
  test('seals every code anew, after which the old one opens none and is needed for none', async () => {
    await admin.query('truncate fulfillment.licence, fulfillment.delivery, fulfillment.pool_code, fulfillment.pool');
    const productId = product();
    await add(
      productId,
      Array.from({ length: 1_200 }, (_, at) => `old ${at}`),
    );
    const orderId = await sell(productId, 2);
    const { database, log } = shop;
    const both = makeVault(`${newKey},${oldKey}`);
    expect(await resealCodes({ database, vault: both, log })).toEqual({ resealed: 1_200, unreadable: 0 });
    expect(await resealCodes({ database, vault: both, log })).toEqual({ resealed: 0, unreadable: 0 });
    const orders = [{ merchantId: shop.merchantId, orderId }];
    expect((await readLicences(database, makeVault(newKey), orders)).map((licence) => licence.code)).toEqual([
      'old 0',
      'old 1',
    ]);
    await expect(readLicences(database, makeVault(oldKey), orders)).rejects.toThrow('not among VAULT_KEYS');
    // The fingerprints stay, so duplicates are still known.
    expect(await add(productId, ['old 7', 'fresh'])).toEqual({ added: 1, duplicates: 1 });
  });

  test('leaves what it cannot open as it is, and says how many', async () => {
    await admin.query(
      `update fulfillment.pool_code set sealed = overlay(sealed placing '\\x00'::bytea from 40) where pool_code_id = (select min(pool_code_id) from fulfillment.pool_code)`,
    );
    const vault = makeVault(`k3:${Buffer.alloc(32, 3).toString('base64')},${newKey},${oldKey}`);
    expect(await resealCodes({ database: shop.database, vault, log: shop.log })).toMatchObject({ unreadable: 1 });
  });
});
