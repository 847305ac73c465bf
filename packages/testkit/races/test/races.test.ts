/** Each race a few times, with every change; 200 times in .ci/nightly, and as often as wanted by `npm run races`. */
import { expect, test } from 'vitest';
import { runRace } from '../src/race.ts';
import { races } from '../src/races.ts';

test.each(races.map((race) => [race.name, race] as const))('%s', { timeout: 120_000 }, async (_name, race) => {
  const { anomalies, rounds } = await runRace(race, { rounds: 5, contenders: 16, seed: 1 });
  expect(anomalies, race.holds).toEqual([]);
  expect(rounds).toBe(5);
});
