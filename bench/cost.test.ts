import { expect, test } from 'vitest';
import { countPurchases, dearerStatements, recordedCost } from './cost.ts';

// Counts, unlike times, say the same on every machine; so they may fail a build. What polls by the clock leaves a little
// noise, which the two hundredths cover.
test('a purchase asks the database no more than recorded', async () => {
  const recorded = recordedCost();
  const found = await countPurchases();
  expect(found.verdict).toBe('15 orders, all right');

  const show = (what: 'statements' | 'transactions') =>
    `${what} a purchase: ${recorded[what].toFixed(1)} recorded, ${found[what].toFixed(1)} now`;
  const kinds = ['statements', 'transactions'] as const;
  const dearer = kinds.filter((what) => found[what] > recorded[what] * 1.02 + 0.3).map(show);
  const cheaper = kinds.filter((what) => found[what] < recorded[what] * 0.95 - 0.3).map(show);
  if (cheaper.length > 0) console.warn(`${cheaper.join('; ')}. Keep it so: node bench/cost.ts --record`);
  expect([...dearer, ...(dearer.length > 0 ? dearerStatements(found, recorded) : [])]).toEqual([]);
}, 180_000);
