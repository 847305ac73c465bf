/** The demo shop: a product of each kind that works, made through the public API like any merchant would. */
import { randomBytes } from 'node:crypto';
import { request } from 'undici';

export interface DemoProduct {
  readonly name: string;
  readonly checkout_url: string;
}

const products = [
  {
    key: 'demo-editor-1',
    codes: 200,
    body: {
      name: 'Quill Editor',
      family_name: 'Quill',
      description: 'A writing tool that stays out of the way. One licence, one computer, for ever.',
      vendor_code: 'QUILL-1',
      sku: 'QUILL-1',
      prices: [
        { amount: 10_000, currency: 'EUR' },
        { amount: 10_900, currency: 'USD' },
      ],
      delivery: { method: 'pool', one_code_per: 'unit', low_water_mark: 10 },
    },
  },
  {
    key: 'demo-fonts-1',
    codes: 50,
    body: {
      name: 'Forty Typefaces',
      family_name: 'Foundry',
      description: 'The whole library under one licence code, however many seats you buy.',
      vendor_code: 'FONTS-40',
      sku: 'FONTS-40',
      prices: [
        { amount: 2_490, currency: 'EUR' },
        { amount: 2_690, currency: 'USD' },
        { amount: 4_200, currency: 'JPY' },
      ],
      delivery: { method: 'pool', one_code_per: 'product', low_water_mark: 5 },
    },
  },
  {
    key: 'demo-cloud-1',
    codes: 200,
    body: {
      name: 'Quill Cloud, monthly',
      family_name: 'Quill',
      description: 'Your texts on all your computers. Renews every month until you cancel.',
      vendor_code: 'CLOUD-M',
      sku: 'CLOUD-M',
      prices: [
        { amount: 900, currency: 'EUR' },
        { amount: 990, currency: 'USD' },
      ],
      delivery: { method: 'pool', one_code_per: 'unit', low_water_mark: 10 },
      subscription: { type: 'AR', period: 'P1M' },
    },
  },
  {
    key: 'demo-cloud-2',
    codes: 200,
    body: {
      name: 'Quill Cloud, yearly',
      family_name: 'Quill',
      description: 'Your texts on all your computers. Two weeks for nothing, then every year until you cancel.',
      vendor_code: 'CLOUD-Y',
      sku: 'CLOUD-Y',
      prices: [
        { amount: 8_900, currency: 'EUR' },
        { amount: 9_900, currency: 'USD' },
      ],
      delivery: { method: 'pool', one_code_per: 'unit', low_water_mark: 10 },
      subscription: { type: 'AR_TRIAL', period: 'P1Y', trial_period: 'P14D' },
    },
  },
  {
    key: 'demo-support-1',
    codes: 50,
    body: {
      name: 'Quill Support, half a year',
      family_name: 'Quill',
      description: 'Somebody who answers. You get an order before it ends, and pay it if you want to go on.',
      vendor_code: 'SUPPORT-6',
      sku: 'SUPPORT-6',
      prices: [
        { amount: 4_900, currency: 'EUR' },
        { amount: 5_400, currency: 'USD' },
      ],
      delivery: { method: 'pool', one_code_per: 'unit', low_water_mark: 5 },
      subscription: { type: 'PMR', period: 'P6M' },
    },
  },
] as const;

/** Makes what is not there yet: the idempotency keys make a second call harmless. */
export async function openDemoShop(gateway: string, apiKey: string): Promise<readonly DemoProduct[]> {
  const have = await call<{ data: { name: string; vendor_code: string; checkout_url: string }[] }>(
    gateway,
    apiKey,
    'GET',
    '/v1/products?limit=100',
  );
  const shown: DemoProduct[] = [];
  for (const { key, codes, body } of products) {
    const found = have.data.find((product) => product.vendor_code === body.vendor_code);
    if (found !== undefined) {
      shown.push({ name: found.name, checkout_url: found.checkout_url });
      continue;
    }
    const made = await call<{ id: string; name: string; checkout_url: string }>(
      gateway,
      apiKey,
      'POST',
      '/v1/products',
      body,
      key,
    );
    const fresh = Array.from({ length: codes }, () => demoCode(body.vendor_code));
    await call(gateway, apiKey, 'POST', `/v1/products/${made.id}/licence_codes`, { codes: fresh });
    shown.push({ name: made.name, checkout_url: made.checkout_url });
  }
  return shown;
}

function demoCode(prefix: string): string {
  const groups = randomBytes(10).toString('hex').toUpperCase().match(/.{5}/g) ?? [];
  return [prefix.replaceAll('-', ''), ...groups].join('-');
}

async function call<T>(
  gateway: string,
  apiKey: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  key?: string,
): Promise<T> {
  const response = await request(`${gateway}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  if (response.statusCode >= 300)
    throw new Error(`the demo shop could not be opened: ${method} ${path} answered ${response.statusCode} ${text}`);
  const answer: T = JSON.parse(text);
  return answer;
}
