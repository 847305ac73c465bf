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
  const count = BigInt(parts);
  const rest = total % count;
  const step = rest < 0n ? -1n : 1n;
  return Array.from({ length: parts }, (_, at) => total / count + (BigInt(at) < rest * step ? step : 0n));
}

/** This many basis points (hundredths of a percent) of an amount, rounded once, half away from zero. */
export function shareOf(minor: bigint, basisPoints: number): bigint {
  if (!Number.isInteger(basisPoints)) throw new RangeError(`basis points are whole: ${basisPoints}`);
  const product = minor * BigInt(basisPoints);
  const half = product < 0n ? -5_000n : 5_000n;
  return (product + half) / 10_000n;
}
