import {
  MerchantApiService,
  type CreateProductRequest,
  type UpdateMerchantRequest,
  type UpdateProductRequest,
} from '@tillstream/proto/merchant/v1/merchant_api';
import type { Client } from '@tillstream/rpc/client';
import { startApp, type StartedApp } from '@tillstream/testkit/app';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { turnableClock } from '@tillstream/testkit/clock';
import { quietLog } from '@tillstream/testkit/log';
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
    merchantApp({
      database: database.open<MerchantTables>(),
      clock,
      log: quietLog(),
      config: { KEY_PEPPER: 'p'.repeat(32) },
      travellers: {},
    }),
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
    subscription: undefined,
    ...more,
  };
}

const untouched = { prices: [], delivery: undefined, metadata: undefined, subscription: undefined };

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

test('a plan is kept, changed, taken away, and left alone by other changes', async () => {
  const { testMerchantId: merchantId } = await openShop();
  const plan = { type: 'AR_TRIAL', period: 'P1M', trialPeriod: 'P14D', renewalPrice: '' };
  const { product } = await api.createProduct(goods(merchantId, { subscription: plan }));
  const kept = { ...plan, renewalPrice: 'snapshot' };
  expect(product?.subscription).toEqual(kept);
  const productId = product?.id ?? '';
  const change = (more: Partial<UpdateProductRequest>) =>
    api.updateProduct({ merchantId, productId, ...untouched, ...more });
  expect((await change({ name: 'Renamed' })).product).toMatchObject({ name: 'Renamed', subscription: kept });
  const other = { type: 'PMR', period: 'P1Y', trialPeriod: '', renewalPrice: 'current' };
  expect((await change({ subscription: { plan: other } })).product?.subscription).toEqual(other);
  await expect(change({ subscription: { plan: { ...other, period: 'P5D' } } })).rejects.toMatchObject({
    code: 'period_not_allowed',
    param: 'subscription.period',
  });
  expect((await api.findProduct({ productId })).product?.subscription).toEqual(other);
  await change({ subscription: { plan: undefined } });
  expect((await api.getProducts({ merchantId, productIds: [productId] })).products[0]?.subscription).toBeUndefined();
});

test('everything that is wrong with a plan is named beside what else is wrong', async () => {
  const { testMerchantId: merchantId } = await openShop();
  const subscription = { type: '', period: 'P1Y2M', trialPeriod: 'P14D', renewalPrice: 'x' };
  await expect(api.createProduct(goods(merchantId, { name: '', subscription }))).rejects.toMatchObject({
    fields: [
      { param: 'name', code: 'required' },
      { param: 'subscription.type', code: 'required' },
      { param: 'subscription.period', code: 'period_not_allowed' },
      { param: 'subscription.trial_period', code: 'invalid_field' },
      { param: 'subscription.renewal_price', code: 'invalid_field' },
    ],
  });
});

test('policies of renewals and reminders: off at first, kept, refused when they make no sense', async () => {
  const { testMerchantId: merchantId, liveMerchantId } = await openShop();
  const policiesOf = async (id: string) => (await api.getMerchants({ merchantIds: [id] })).merchants[0]?.policies;
  const atFirst = {
    commissionBp: 0,
    renewalConsent: 'switch',
    renewalConsentDefault: false,
    unpaidOrderReminders: [],
    paymentExpiryMinutes: 30,
  };
  expect(await policiesOf(merchantId)).toEqual(atFirst);
  const change = (more: Partial<UpdateMerchantRequest>) =>
    api.updateMerchant({ merchantId, currencies: [], unpaidOrderReminders: undefined, ...more });
  await change({
    renewalConsent: 'implicit',
    renewalConsentDefault: true,
    unpaidOrderReminders: { after: ['PT12H', 'P3D'] },
    paymentExpiryMinutes: 60,
  });
  await change({ commissionBp: 500 });
  expect(await policiesOf(merchantId)).toEqual({
    commissionBp: 500,
    renewalConsent: 'implicit',
    renewalConsentDefault: true,
    unpaidOrderReminders: ['PT12H', 'P3D'],
    paymentExpiryMinutes: 60,
  });
  expect(await policiesOf(liveMerchantId)).toEqual(atFirst);
  await expect(change({ renewalConsent: 'never' })).rejects.toMatchObject({ param: 'policies.renewal_consent' });
  for (const paymentExpiryMinutes of [0, 4, 1_441, -30])
    await expect(change({ paymentExpiryMinutes })).rejects.toMatchObject({
      code: 'invalid_field',
      param: 'policies.payment_expiry_minutes',
    });
  for (const after of [['P3D', 'P1D'], ['P90D'], ['P1M'], ['soon'], ['P1D', 'P2D', 'P3D', 'P4D', 'P5D', 'P6D']])
    await expect(change({ unpaidOrderReminders: { after } })).rejects.toMatchObject({
      code: 'invalid_field',
      param: 'policies.unpaid_order_reminders',
    });
  await change({ unpaidOrderReminders: { after: [] } });
  expect((await policiesOf(merchantId))?.unpaidOrderReminders).toEqual([]);
});

test('another merchant sees, finds and changes nothing', async () => {
  const mine = await openShop();
  const theirs = await openShop();
  const { product } = await api.createProduct(goods(mine.testMerchantId));
  const productId = product?.id ?? '';
  for (const merchantId of [theirs.testMerchantId, mine.liveMerchantId]) {
    expect((await api.getProducts({ merchantId, productIds: [productId] })).products).toEqual([]);
    await expect(api.updateProduct({ merchantId, productId, name: 'x', ...untouched })).rejects.toMatchObject({
      code: 'product_not_found',
    });
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
