/** A part of `npm run fuzz` with every change: no fault, no time-out, nothing undocumented, nothing left half done. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Product } from '../../product.ts';
import { startShops } from '../shops.ts';
import { fuzz } from './campaign.ts';

let product: Product;

beforeAll(async () => {
  product = await startShops();
});

afterAll(async () => {
  await product.stop();
  product.forget();
});

test('2,000 requests of every kind to every route find nothing', { timeout: 240_000 }, async () => {
  // One and the same here, so that main stays green; CI runs the long form with a new one each time.
  const seed = 1;
  const { complaints, requests, operations } = await fuzz(product, { requests: 2_000, seed });
  expect(complaints, `npm run fuzz -- --requests 2000 --seed ${seed}`).toEqual([]);
  expect(requests).toBe(2_000);
  expect(operations).toBeGreaterThanOrEqual(40);
});
