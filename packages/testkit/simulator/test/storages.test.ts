/** The storage in memory and a real server tell the same histories; `npm run simulate -- --compare` tells more of them, and .ci/nightly does. */
import { expect, it } from 'vitest';
import { compareStorages } from '../compare.ts';

it('both storages tell the same history of the same seed, and are left with the same rows', async () => {
  const agreed: number[] = [];
  expect(await compareStorages([4], (_, operations) => agreed.push(operations))).toBeUndefined();
  // Whole histories, not empty ones.
  expect(Math.min(...agreed)).toBeGreaterThan(300);
}, 240_000);
