import { expect, test } from 'vitest';
import { longestWaitMs, messageIdOf, waitAfter } from './mail.ts';

const dayMs = 24 * 3_600_000;

test('a mail that is refused for now is tried for at least three of its five days, at most hourly', () => {
  for (const random of [0, 0.999]) {
    let [ageMs, tries] = [0, 1];
    for (; ageMs < 5 * dayMs; tries += 1) {
      const waitMs = waitAfter(tries, 15_000, random);
      expect(waitMs).toBeGreaterThan(10_000);
      expect(waitMs).toBeLessThanOrEqual(longestWaitMs);
      ageMs += waitMs;
    }
    expect(tries).toBeGreaterThan(90);
    expect(tries).toBeLessThan(250);
  }
});

test('waits double from the first', () => {
  expect([1, 2, 3].map((tries) => waitAfter(tries, 15_000, 0.5))).toEqual([15_000, 30_000, 60_000]);
});

test('the Message-ID names the order and the item, and never changes', () => {
  expect(messageIdOf('licence', '12345678.2', 'shop.example')).toBe('<licence.12345678.2@shop.example>');
});
