import { expect, test } from 'vitest';
import { complainAboutPeriod, isLong, readPeriod } from './period.ts';

test.each(['P1Y', 'P10Y', 'P1M', 'P120M', 'P1W', 'P521W', 'P6D', 'P3650D'])('%s can be a term', (text) => {
  expect(complainAboutPeriod(text)).toBeUndefined();
});

test.each([
  ['', 'not_a_period'],
  ['P0D', 'not_a_period'],
  ['P-1M', 'not_a_period'],
  ['P1Y2M', 'not_a_period'],
  ['PT24H', 'not_a_period'],
  ['P1.5M', 'not_a_period'],
  ['p1m', 'not_a_period'],
  ['P01M', 'not_a_period'],
  ['P99999D', 'not_a_period'],
  [' P1M', 'not_a_period'],
  ['P1M\n', 'not_a_period'],
  ['P5D', 'too_short'],
  ['P11Y', 'too_long'],
  ['P100Y', 'too_long'],
  ['P121M', 'too_long'],
  ['P522W', 'too_long'],
  ['P3651D', 'too_long'],
])('%j is %s', (text, complaint) => {
  expect(complainAboutPeriod(text)).toBe(complaint);
});

test('half a year and more is long: six months, or 183 days', () => {
  const long = (text: string) => {
    const period = readPeriod(text);
    return period !== undefined && isLong(period);
  };
  expect(['P1Y', 'P6M', 'P183D', 'P27W'].filter(long)).toHaveLength(4);
  expect(['P5M', 'P182D', 'P26W', 'P1M', 'P6D'].filter(long)).toEqual([]);
});
