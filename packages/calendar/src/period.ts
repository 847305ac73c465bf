/** Periods of subscriptions: ISO 8601 durations of one unit. P1Y, P6M, P2W, P30D; never P1Y2M, which has two anchors. */
export interface Period {
  readonly unit: 'years' | 'months' | 'weeks' | 'days';
  readonly count: number;
}

const units = { Y: 'years', M: 'months', W: 'weeks', D: 'days' } as const;
const fewestDays = 6;
const mostYears = 10;

/** Undefined when the text is not a positive duration of one unit. */
export function readPeriod(text: string): Period | undefined {
  const match = /^P([1-9][0-9]{0,3})([YMWD])$/.exec(text);
  const letter = match?.[2];
  if (letter !== 'Y' && letter !== 'M' && letter !== 'W' && letter !== 'D') return undefined;
  return { unit: units[letter], count: Number(match?.[1]) };
}

export type PeriodComplaint = 'not_a_period' | 'too_short' | 'too_long';

/**
 * What is wrong with it as the term of a subscription: 6 days is the shortest, for its charges begin two days before its
 * end (R85); 10 years the longest that anybody can mean. Undefined when it is fine.
 */
export function complainAboutPeriod(text: string): PeriodComplaint | undefined {
  const period = readPeriod(text);
  if (period === undefined) return 'not_a_period';
  if (leastDays(period) < fewestDays) return 'too_short';
  const years = { years: 1, months: 1 / 12, weeks: 7 / 365, days: 1 / 365 }[period.unit] * period.count;
  return years > mostYears ? 'too_long' : undefined;
}

/** Six months or more: charges and notices come earlier (R85). Weeks and days count from 183 days on. */
export function isLong(period: Period): boolean {
  return leastDays(period) >= (period.unit === 'weeks' || period.unit === 'days' ? 183 : 6 * 28);
}

function leastDays({ unit, count }: Period): number {
  return { years: 365, months: 28, weeks: 7, days: 1 }[unit] * count;
}
