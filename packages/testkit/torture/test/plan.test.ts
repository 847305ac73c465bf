import { seeded } from '@tillstream/testkit/fault-proxy';
import { expect, test } from 'vitest';
import { planOf, type FaultKind } from '../src/plan.ts';

const count = (minutes: number, kind: FaultKind) =>
  planOf(minutes, seeded(7)).filter((fault) => fault.kind === kind).length;

test('a seed makes one plan', () => {
  expect(planOf(5, seeded(7))).toEqual(planOf(5, seeded(7)));
  expect(planOf(5, seeded(7))).not.toEqual(planOf(5, seeded(8)));
});

test('half an hour has what was promised: 150 kills, 15 broker and 8 database crashes, a poison for each topic', () => {
  expect(count(30, 'kill') + count(30, 'crash point')).toBeGreaterThanOrEqual(150);
  expect(count(30, 'broker crash')).toBeGreaterThanOrEqual(15);
  expect(count(30, 'database crash')).toBeGreaterThanOrEqual(8);
  expect(count(30, 'poison')).toBe(4);
});

test('even a minute has one of each, and nothing comes before there is load or after its end', () => {
  const plan = planOf(1, seeded(1));
  expect(new Set(plan.map(({ kind }) => kind)).size).toBe(12);
  for (const { atMs } of plan) {
    expect(atMs).toBeGreaterThanOrEqual(8_000);
    expect(atMs).toBeLessThanOrEqual(48_000);
  }
});
