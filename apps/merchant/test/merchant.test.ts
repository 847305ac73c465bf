import { MerchantApiService, type CreateProductRequest } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Client } from '@tillstream/rpc/client';
import { startApp, type StartedApp } from '@tillstream/testkit/app';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { turnableClock } from '@tillstream/testkit/clock';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { home, merchantApp, type MerchantTables } from '../src/app.ts';

let database: TestDatabase;
let app: StartedApp;
let api: Client<typeof MerchantApiService>;
const clock = turnableClock();

beforeAll(async () => {
  database = await testDatabase(home);
  app = await startApp(
    merchantApp({ database: database.open<MerchantTables>(), clock, config: { KEY_PEPPER: 'p'.repeat(32) } }),
  );
  api = app.client(MerchantApiService);
});

afterAll(async () => {
  await app.stop();
  await database.drop();
});

let shops = 0;
const openShop = () =>
  api.createAccount({ accountName: `shop ${(shops += 1)}`, shopName: 'Shop', supportEmail: 'help@example.com' });

function goods(merchantId: string, more: Partial<CreateProductRequest> = {}): CreateProductRequest {
  return {
    merchantId,
    name: 'Demo',
    familyName: '',
    description: '',
    imageUrl: '',
    vendorCode: '',
    sku: '',
    businessSegment: '',
    prices: [{ currency: 'EUR', amountMinor: 10_000n }],
    minQuantity: 0,
    published: true,
    delivery: undefined,
    metadata: {},
    requestId: '',
    ...more,
  };
}

test('an account has a test tenant, a live tenant and one key that is shown once', async () => {
  const account = await openShop();
  const again = await api.createAccount({ accountName: `shop ${shops}`, shopName: 'Other', supportEmail: '' });
  expect(again).toMatchObject({
    testMerchantId: account.testMerchantId,
    liveMerchantId: account.liveMerchantId,
    testApiKey: '',
  });
  const who = await api.authenticate({ apiKey: account.testApiKey });
  expect(who).toMatchObject({ merchantId: account.testMerchantId, livemode: false, scopes: ['read', 'write'] });
});

test('twenty openings of one account at once make one', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, () => api.createAccount({ accountName: 'race', shopName: '', supportEmail: '' })),
  );
  expect(new Set(all.map((each) => each.testMerchantId)).size).toBe(1);
  expect(all.filter((each) => each.testApiKey !== '')).toHaveLength(1);
});

test('a wrong key, a mistyped key and the other mode are refused alike; a revoked one says so', async () => {
  const { testMerchantId, testApiKey } = await openShop();
  for (const apiKey of [
    '',
    'till_test_x',
    testApiKey.slice(0, -1),
    `${testApiKey.slice(0, 30)}${testApiKey[30] === 'a' ? 'b' : 'a'}${testApiKey.slice(31)}`,
    testApiKey.replace('test', 'live'),
  ]) {
    await expect(api.authenticate({ apiKey })).rejects.toMatchObject({ code: 'invalid_api_key' });
  }
  const { secret, apiKey } = await api.createApiKey({
    merchantId: testMerchantId,
    name: 'second',
    scopes: ['read'],
    requestId: '',
  });
  expect((await api.authenticate({ apiKey: secret })).scopes).toEqual(['read']);
  await api.revokeApiKey({ merchantId: testMerchantId, apiKeyId: apiKey?.id ?? '' });
  await expect(api.authenticate({ apiKey: secret })).rejects.toMatchObject({ code: 'revoked_api_key' });
  const { apiKeys } = await api.listApiKeys({ merchantId: testMerchantId, page: undefined });
  expect(apiKeys.map((each) => each.revokedAt !== undefined)).toEqual([true, false]);
});

test('a repeated creation with the same request id makes one product and shows the same key', async () => {
  const { testMerchantId: merchantId } = await openShop();
  const requestId = '018f0000-0000-7000-8000-000000000001';
  const [first, second] = await Promise.all([
    api.createProduct(goods(merchantId, { requestId })),
    api.createProduct(goods(merchantId, { requestId })),
  ]);
  expect(second.product?.id).toBe(first.product?.id);
  const key = { merchantId, name: 'k', scopes: ['read'], requestId };
  expect((await api.createApiKey(key)).secret).toBe((await api.createApiKey(key)).secret);
});

test('products: what is wrong is named, all at once', async () => {
  const { testMerchantId: merchantId } = await openShop();
  const bad = goods(merchantId, {
    name: ' ',
    prices: [{ currency: 'eur', amountMinor: 0n }],
    minQuantity: 20_000,
    imageUrl: 'http://x',
  });
  await expect(api.createProduct(bad)).rejects.toMatchObject({
    fields: expect.arrayContaining(
      ['name', 'prices[0].currency', 'prices[0].amount', 'min_quantity', 'image_url'].map((param) =>
        expect.objectContaining({ param }),
      ),
    ),
  });
  await expect(api.createProduct(goods(merchantId, { name: 'n'.repeat(256) }))).rejects.toMatchObject({
    code: 'too_long',
    param: 'name',
  });
});

test('another merchant sees, finds and changes nothing', async () => {
  const mine = await openShop();
  const theirs = await openShop();
  const { product } = await api.createProduct(goods(mine.testMerchantId));
  const productId = product?.id ?? '';
  for (const merchantId of [theirs.testMerchantId, mine.liveMerchantId]) {
    expect((await api.getProducts({ merchantId, productIds: [productId] })).products).toEqual([]);
    await expect(
      api.updateProduct({ merchantId, productId, name: 'x', prices: [], delivery: undefined, metadata: undefined }),
    ).rejects.toMatchObject({ code: 'product_not_found' });
  }
  expect((await api.findProduct({ productId })).product?.merchantId).toBe(mine.testMerchantId);
});

test('lists are paged by id, newest first, in both directions', async () => {
  const { testMerchantId: merchantId } = await openShop();
  const ids: string[] = [];
  for (let at = 0; at < 5; at += 1) ids.unshift((await api.createProduct(goods(merchantId))).product?.id ?? '');
  const page = (startingAfter: string, endingBefore: string) =>
    api.listProducts({ merchantId, page: { limit: 2, startingAfter, endingBefore }, withArchived: false });
  const first = await page('', '');
  expect([first.products.map((each) => each.id), first.hasMore]).toEqual([ids.slice(0, 2), true]);
  const last = await page(ids[3] ?? '', '');
  expect([last.products.map((each) => each.id), last.hasMore]).toEqual([ids.slice(4), false]);
  const back = await page('', ids[4] ?? '');
  expect([back.products.map((each) => each.id), back.hasMore]).toEqual([ids.slice(2, 4), true]);
});

test('no table of merchants can be read without naming the merchant', async () => {
  await openShop();
  await expectTenantIsolation(database.open());
});
