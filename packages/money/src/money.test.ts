import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponents } from './currencies.ts';
import { allocate, decimalOf, exponentOf, formatMinor, isCurrency, shareOf } from './money.ts';

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
