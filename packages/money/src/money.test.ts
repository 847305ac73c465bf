import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponents } from './currencies.ts';
import {
  allocate,
  allocateByWeight,
  decimalOf,
  divideRounded,
  exponentOf,
  formatMinor,
  includedShareOf,
  isCurrency,
  shareOf,
} from './money.ts';

const amount = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const currency = fc.constantFrom(...exponents.keys());
const sum = (parts: readonly bigint[]) => parts.reduce((total, part) => total + part, 0n);

describe('currencies', () => {
  it('have the digits of ISO 4217, not those of cash', () => {
    const digits = Object.fromEntries(
      ['EUR', 'HUF', 'IDR', 'JPY', 'KRW', 'ISK', 'UGX', 'KWD', 'TND', 'CLF', 'UYW', 'MGA', 'MRU'].map((each) => [
        each,
        exponentOf(each),
      ]),
    );
    expect(digits).toEqual({
      EUR: 2,
      HUF: 2,
      IDR: 2,
      JPY: 0,
      KRW: 0,
      ISK: 0,
      UGX: 0,
      KWD: 3,
      TND: 3,
      CLF: 4,
      UYW: 4,
      MGA: 2,
      MRU: 2,
    });
  });

  it('are every current code once, with the funds codes, without metals and tests', () => {
    expect(exponents.size).toBe(new Set(exponents.keys()).size);
    expect([...exponents.keys()].filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([]);
    expect(exponents.size).toBe(165);
  });

  it('are not what only looks like one', () => {
    expect(['eur', 'EU', '', 'DEM', 'BGN', 'HRK', 'XAU', 'XTS', 'toString'].filter(isCurrency)).toEqual([]);
    expect(() => exponentOf('DEM')).toThrow(RangeError);
  });
});

describe('a decimal', () => {
  it('has all digits of the currency', () => {
    expect(decimalOf(10_000n, 'EUR')).toBe('100.00');
    expect(decimalOf(5n, 'EUR')).toBe('0.05');
    expect(decimalOf(-5n, 'EUR')).toBe('-0.05');
    expect(decimalOf(100n, 'JPY')).toBe('100');
    expect(decimalOf(1_234n, 'KWD')).toBe('1.234');
    expect(decimalOf(0n, 'CLF')).toBe('0.0000');
  });

  it('loses nothing', () => {
    fc.assert(
      fc.property(amount, currency, (minor, code) => {
        const text = decimalOf(minor, code);
        expect(text.split('.')[1]?.length ?? 0).toBe(exponentOf(code));
        expect(BigInt(text.replace('.', ''))).toBe(minor);
      }),
    );
  });
});

describe('a formatted sum', () => {
  it('follows the locale and the standard', () => {
    expect(formatMinor(123_456n, 'EUR', 'en')).toBe('€1,234.56');
    expect(formatMinor(123_456n, 'EUR', 'de')).toBe('1.234,56\u00a0€');
    expect(formatMinor(123_456n, 'JPY', 'en')).toBe('¥123,456');
    expect(formatMinor(123_456n, 'HUF', 'en')).toContain('1,234.56');
    expect(formatMinor(1_234n, 'KWD', 'en')).toContain('1.234');
  });

  it('takes any locale a browser may send', () => {
    expect(formatMinor(100n, 'EUR', 'no such locale')).toBe('€1.00');
    expect(formatMinor(100n, 'EUR', '')).toBe('€1.00');
  });

  it('keeps every digit of a huge amount', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), currency, (minor, code) => {
        expect(formatMinor(minor, code, 'en').replaceAll(/[^0-9]/g, '')).toBe(decimalOf(minor, code).replace('.', ''));
      }),
    );
  });
});

describe('allocate', () => {
  it('puts the remainder in the first parts', () => {
    expect(allocate(10_000n, 3)).toEqual([3_334n, 3_333n, 3_333n]);
    expect(allocate(-5n, 3)).toEqual([-2n, -2n, -1n]);
    expect(allocate(2n, 3)).toEqual([1n, 1n, 0n]);
  });

  it('keeps the sum, and no two parts differ by more than one', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 1, max: 200 }), (total, parts) => {
        const split = allocate(total, parts);
        expect(split).toHaveLength(parts);
        expect(sum(split)).toBe(total);
        const [least, most] = [split.reduce((a, b) => (a < b ? a : b)), split.reduce((a, b) => (a > b ? a : b))];
        expect(most - least <= 1n).toBe(true);
      }),
    );
  });

  it('refuses parts that are none', () => {
    for (const parts of [0, -1, 1.5, Number.NaN]) expect(() => allocate(10n, parts)).toThrow(RangeError);
  });
});

describe('allocateByWeight', () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 100 });

  it('gives what is left over to the largest fractions, among equal ones to the first', () => {
    expect(allocateByWeight(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
    expect(allocateByWeight(10n, [1n, 2n, 3n])).toEqual([2n, 3n, 5n]);
    expect(allocateByWeight(5n, [3n, 1n])).toEqual([4n, 1n]);
    expect(allocateByWeight(-100n, [1n, 1n, 1n])).toEqual([-34n, -33n, -33n]);
  });

  it('gives nothing to a weight of zero, and equal parts when all are zero', () => {
    expect(allocateByWeight(7n, [0n, 2n, 0n, 1n])).toEqual([0n, 5n, 0n, 2n]);
    expect(allocateByWeight(7n, [0n, 0n])).toEqual([4n, 3n]);
    expect(allocateByWeight(0n, [0n, 5n])).toEqual([0n, 0n]);
    expect(allocateByWeight(0n, [])).toEqual([]);
  });

  it('sums exactly, and every part is less than one minor unit from its exact share', () => {
    fc.assert(
      fc.property(amount, weights, (total, given) => {
        const parts = allocateByWeight(total, given);
        expect(parts).toHaveLength(given.length);
        expect(sum(parts)).toBe(total);
        const all = sum(given);
        for (const [index, part] of parts.entries()) {
          if (all === 0n) continue;
          const error = part * all - total * (given[index] ?? 0n);
          expect((error < 0n ? -error : error) < all).toBe(true);
        }
      }),
    );
  });

  it('never has a part of the other sign, nor one above its weight while the total is within their sum', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 0, max: 10_000 }), (given, points) => {
        const total = shareOf(sum(given), points);
        for (const [index, part] of allocateByWeight(total, given).entries()) {
          expect(part >= 0n).toBe(true);
          expect(part <= (given[index] ?? 0n)).toBe(true);
        }
      }),
    );
  });

  it('answers the same for the negative total, negated', () => {
    fc.assert(
      fc.property(amount, weights, (total, given) => {
        expect(allocateByWeight(-total, given)).toEqual(allocateByWeight(total, given).map((part) => -part));
      }),
    );
  });

  it('refuses negative weights, and a sum that nothing takes', () => {
    expect(() => allocateByWeight(1n, [1n, -1n])).toThrow(RangeError);
    expect(() => allocateByWeight(1n, [])).toThrow(RangeError);
  });
});

describe('a quotient', () => {
  it('is rounded half away from zero', () => {
    expect([5n, 4n, -5n, -4n, 15n, -15n, 0n].map((each) => divideRounded(each, 10n))).toEqual([
      1n,
      0n,
      -1n,
      0n,
      2n,
      -2n,
      0n,
    ]);
    expect(() => divideRounded(1n, 0n)).toThrow(RangeError);
  });
});

describe('a share', () => {
  it('is rounded half away from zero, once', () => {
    expect(shareOf(100n, 1_950)).toBe(20n);
    expect(shareOf(50n, 100)).toBe(1n);
    expect(shareOf(-50n, 100)).toBe(-1n);
    expect(shareOf(49n, 100)).toBe(0n);
  });

  it('is within half a minor unit of the exact one', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 0, max: 10_000 }), (minor, points) => {
        const error = shareOf(minor, points) * 10_000n - minor * BigInt(points);
        expect((error < 0n ? -error : error) <= 5_000n).toBe(true);
        expect(shareOf(-minor, points)).toBe(-shareOf(minor, points));
      }),
    );
  });

  it('is all of it at 100 percent, and nothing at none', () => {
    fc.assert(fc.property(amount, (minor) => shareOf(minor, 10_000) === minor && shareOf(minor, 0) === 0n));
  });
});

describe('an included share', () => {
  it('is what the rate has added', () => {
    expect(includedShareOf(11_900n, 1_900)).toBe(1_900n);
    expect(includedShareOf(10_000n, 1_900)).toBe(1_597n);
    expect(includedShareOf(-11_900n, 1_900)).toBe(-1_900n);
    expect(includedShareOf(100n, 0)).toBe(0n);
    expect(() => includedShareOf(100n, -1)).toThrow(RangeError);
  });

  it('added to a net amount is found again in the gross one', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.integer({ min: 0, max: 10_000 }), (net, points) => {
        const gross = net + shareOf(net, points);
        const error = includedShareOf(gross, points) - shareOf(net, points);
        expect(error >= -1n && error <= 1n).toBe(true);
      }),
    );
  });
});
