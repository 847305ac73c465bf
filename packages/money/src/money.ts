/**
 * Amounts of money are bigint minor units (cents) next to an ISO 4217 code. Nothing here is a fraction but for the moment
 * of rounding, and every function that splits keeps the sum.
 */
import { exponents } from './currencies.ts';

/** Whether it is a code of ISO 4217 in use, in capitals. */
export function isCurrency(text: string): boolean {
  return exponents.has(text);
}

/** How many digits stand behind the point: EUR 2, JPY 0, KWD 3. Throws RangeError for what is no currency. */
export function exponentOf(currency: string): number {
  const exponent = exponents.get(currency);
  if (exponent === undefined) throw new RangeError(`not an ISO 4217 currency: ${currency}`);
  return exponent;
}

/** As machines read it, with a point and all of the currency's digits: "100.00" EUR, "100" JPY, "-0.05" EUR. */
export function decimalOf(minor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  const sign = minor < 0n ? '-' : '';
  return exponent === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

const formats = new Map<string, Intl.NumberFormat>();

/** As people of this locale (BCP 47) read it, exact for any amount. An unknown locale falls back to English. */
export function formatMinor(minor: bigint, currency: string, locale: string): string {
  const key = `${locale} ${currency}`;
  let format = formats.get(key);
  if (format === undefined) {
    const digits = exponentOf(currency);
    format = new Intl.NumberFormat(knownLocale(locale), {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    // Locales come from browsers: the store of formats must not grow with what they think of.
    if (formats.size < 500) formats.set(key, format);
  }
  // A decimal string keeps digits that a number would lose.
  return format.format(decimalOf(minor, currency) as Intl.StringNumericLiteral);
}

function knownLocale(locale: string): string {
  try {
    return Intl.NumberFormat.supportedLocalesOf(locale)[0] ?? 'en';
  } catch {
    return 'en';
  }
}

/**
 * Splits a total in parts of equal size that sum to it exactly; what cannot be divided goes to the first parts, one minor
 * unit each. Throws RangeError unless parts is a whole number of at least 1.
 */
export function allocate(total: bigint, parts: number): readonly bigint[] {
  if (!Number.isInteger(parts) || parts < 1) throw new RangeError(`cannot split in ${parts} parts`);
  return allocateByWeight(
    total,
    Array.from({ length: parts }, () => 1n),
  );
}

/**
 * Splits a total in proportion to weights of at least 0, by largest remainder: each part is its exact share, rounded down
 * or up by less than one minor unit, and the parts sum to the total. The minor units that are left over go to the largest
 * fractions; among equal fractions to the first. A weight of 0 gets nothing, unless all weights are 0: then they count as
 * equal. No part has another sign than the total, and none exceeds its weight while the total does not exceed their sum.
 * Throws RangeError for a negative weight, or when there is something to split and no weight.
 */
export function allocateByWeight(total: bigint, weights: readonly bigint[]): readonly bigint[] {
  if (weights.some((weight) => weight < 0n)) throw new RangeError('a weight is never negative');
  if (weights.length === 0) {
    if (total !== 0n) throw new RangeError('there is nothing to split the total among');
    return [];
  }
  const sum = weights.reduce((all, weight) => all + weight, 0n);
  if (sum === 0n)
    return allocateByWeight(
      total,
      weights.map(() => 1n),
    );
  const sign = total < 0n ? -1n : 1n;
  const size = total * sign;
  const parts = weights.map((weight) => (size * weight) / sum);
  let left = size - parts.reduce((all, part) => all + part, 0n);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (size * weight) % sum }))
    // The sort is stable: equal remainders stay in the order of the weights.
    .toSorted((a, b) => (a.remainder === b.remainder ? 0 : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder) {
    if (left === 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return parts.map((part) => part * sign);
}

/** A quotient in whole minor units, rounded once, half away from zero. Throws RangeError unless the divisor is positive. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  if (divisor <= 0n) throw new RangeError(`cannot divide by ${divisor}`);
  const sign = dividend < 0n ? -1n : 1n;
  return (sign * (dividend * sign * 2n + divisor)) / (divisor * 2n);
}

const wholeBasisPoints = 10_000n;

/** This many basis points (hundredths of a percent) of an amount, rounded once, half away from zero. */
export function shareOf(minor: bigint, basisPoints: number): bigint {
  return divideRounded(minor * pointsOf(basisPoints), wholeBasisPoints);
}

/**
 * The part of an amount that a rate of so many basis points has been added to it with: of 119.00 at 19 %, 19.00. Rounded
 * once, half away from zero. Throws RangeError for a negative rate.
 */
export function includedShareOf(minor: bigint, basisPoints: number): bigint {
  const points = pointsOf(basisPoints);
  if (points < 0n) throw new RangeError(`a rate that is included is never negative: ${basisPoints}`);
  return divideRounded(minor * points, wholeBasisPoints + points);
}

function pointsOf(basisPoints: number): bigint {
  if (!Number.isInteger(basisPoints)) throw new RangeError(`basis points are whole: ${basisPoints}`);
  return BigInt(basisPoints);
}
