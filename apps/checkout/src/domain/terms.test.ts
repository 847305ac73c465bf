import { describe, expect, test } from 'vitest';
import { daysFromChargeToEnd, extendedTo, renewsByItself } from './terms.ts';

describe('when it is charged again', () => {
  test.each([
    ['AR', 'P1M', '', 2],
    ['AR', 'P1Y', '', 20],
    ['AR', 'P6D', '', 2],
    ['AR', 'P183D', '', 20],
    // A trial is short, whatever follows it.
    ['AR_TRIAL', 'P1Y', 'P14D', 2],
    ['AR_TRIAL', 'P1Y', 'P1Y', 2],
  ])('%s of %s (%s free): %i days before the end', (type, period, trialPeriod, days) => {
    expect(daysFromChargeToEnd({ type, period, trialPeriod })).toBe(days);
  });

  test('a period that is none is a fault, not a page', () => {
    expect(() => daysFromChargeToEnd({ type: 'AR', period: 'P1Y2M', trialPeriod: '' })).toThrow('P1Y2M');
  });
});

test('only what is paid by hand waits for the customer', () => {
  expect(['AR', 'AR_TRIAL', 'PMR'].map((type) => renewsByItself({ type }))).toEqual([true, true, false]);
  expect(renewsByItself(undefined)).toBe(false);
});

test('a renewal goes on where the last term ended, and from today when that is long over', () => {
  const calendar = { period: 'P1M', timeZone: 'Europe/Berlin' };
  const running = { anchorOn: '2026-01-31', periods: 1 };
  const to = (paidAt: string) => extendedTo(calendar, running, new Date(paidAt)).toISOString();
  expect(to('2026-02-26T12:00:00Z')).toBe('2026-03-31T21:59:00.000Z');
  expect(to('2026-06-10T12:00:00Z')).toBe('2026-07-10T21:59:00.000Z');
});
