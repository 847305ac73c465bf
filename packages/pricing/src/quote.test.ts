import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  quote,
  standardTax,
  unknownBuyer,
  untaxed,
  type Adjustment,
  type Question,
  type QuoteLine,
  type TaxRule,
} from './quote.ts';

const at = new Date('2026-11-20T08:00:00Z');
const line = (id: string, unitPriceMinor: bigint, quantity = 1): QuoteLine => ({
  id,
  unitPriceMinor,
  quantity,
  taxClass: standardTax,
});
const percent = (basisPoints: number, lineIds?: readonly string[]): Adjustment => ({
  code: `percent ${basisPoints}`,
  off: { type: 'percent', basisPoints },
  lineIds,
});
const sumOff = (minor: bigint, lineIds?: readonly string[]): Adjustment => ({
  code: `sum ${minor}`,
  off: { type: 'sum', minor },
  lineIds,
});
const rule = (basisPoints: number, isIncluded: boolean, more: Partial<TaxRule> = {}): TaxRule => ({
  code: `${isIncluded ? 'in' : 'on'} ${basisPoints}`,
  basisPoints,
  isIncluded,
  taxClass: standardTax,
  isReverseCharged: false,
  from: undefined,
  until: undefined,
  ...more,
});
const ask = (lines: readonly QuoteLine[], more: Partial<Question> = {}) =>
  quote({ lines, buyer: unknownBuyer, place: untaxed('DE'), adjustments: [], at, ...more });
const taxed = (...taxRules: TaxRule[]) => ({ place: { country: 'DE', taxRules } });

describe('a quote', () => {
  it('without discounts and taxes is price by quantity', () => {
    const { lines, totals, discounts, taxes } = ask([line('a', 10_000n, 2), line('b', 4_999n)]);
    expect(lines.map((each) => each.amountMinor)).toEqual([20_000n, 4_999n]);
    expect(totals).toEqual({ subtotalMinor: 24_999n, discountMinor: 0n, taxMinor: 0n, amountMinor: 24_999n });
    expect([discounts, taxes]).toEqual([[], []]);
    expect(ask([]).totals.amountMinor).toBe(0n);
  });

  it('spreads a percentage of the order over its lines by what they cost', () => {
    const { lines, discounts, totals } = ask([line('a', 333n), line('b', 333n), line('c', 334n)], {
      adjustments: [percent(1_000)],
    });
    expect(lines.map((each) => each.discountMinor)).toEqual([33n, 33n, 34n]);
    expect(discounts).toEqual([{ code: 'percent 1000', minor: 100n }]);
    expect(totals).toEqual({ subtotalMinor: 1_000n, discountMinor: 100n, taxMinor: 0n, amountMinor: 900n });
  });

  it('takes a sum off the line that it names, and no more than the line costs', () => {
    const lines = [line('a', 1_000n), line('b', 300n)];
    expect(ask(lines, { adjustments: [sumOff(250n, ['a'])] }).lines.map((each) => each.amountMinor)).toEqual([
      750n,
      300n,
    ]);
    const all = ask(lines, { adjustments: [sumOff(9_999n, ['b'])] });
    expect(all.lines.map((each) => each.amountMinor)).toEqual([1_000n, 0n]);
    expect(all.discounts).toEqual([{ code: 'sum 9999', minor: 300n }]);
  });

  it('lets each adjustment work on what the ones before it have left', () => {
    const { lines } = ask([line('a', 1_000n), line('b', 1_000n)], {
      adjustments: [sumOff(500n, ['a']), percent(1_000)],
    });
    expect(lines.map((each) => each.discounts)).toEqual([
      [
        { code: 'sum 500', minor: 500n },
        { code: 'percent 1000', minor: 50n },
      ],
      [{ code: 'percent 1000', minor: 100n }],
    ]);
    expect(ask([line('a', 0n)], { adjustments: [sumOff(5n)] }).totals.discountMinor).toBe(0n);
  });

  it('finds a tax that the price contains, and leaves the amount', () => {
    const { lines, totals } = ask([line('a', 11_900n), line('b', 1_000n)], taxed(rule(1_900, true)));
    expect(lines.map((each) => [each.taxMinor, each.amountMinor])).toEqual([
      [1_900n, 11_900n],
      [160n, 1_000n],
    ]);
    expect(totals.taxMinor).toBe(2_060n);
  });

  it('adds a tax that comes on top, after the discount', () => {
    const { lines, taxes, totals } = ask([line('a', 10_000n)], {
      adjustments: [percent(1_000)],
      ...taxed(rule(2_100, false)),
    });
    expect(lines[0]).toMatchObject({ discountMinor: 1_000n, taxMinor: 1_890n, amountMinor: 10_890n });
    expect(taxes).toEqual([{ code: 'on 2100', minor: 1_890n }]);
    expect(totals).toEqual({ subtotalMinor: 10_000n, discountMinor: 1_000n, taxMinor: 1_890n, amountMinor: 10_890n });
  });

  it('rounds the rates of one kind together, once, and divides what they make', () => {
    // 5 % and 9.975 % of 10.05: 0.5025 and 1.00249, together 1.50499.
    const { lines } = ask([line('a', 1_005n)], taxed(rule(500, false), rule(998, false)));
    expect(lines[0]).toMatchObject({ taxMinor: 151n, amountMinor: 1_156n });
    expect(lines[0]?.taxes).toEqual([
      { code: 'on 500', minor: 50n },
      { code: 'on 998', minor: 101n },
    ]);
  });

  it('knows lines of different tax classes, some with the tax in the price and some without', () => {
    const book = { ...line('book', 1_000n), taxClass: 'reduced' };
    const rules = [rule(1_900, false), rule(700, true, { taxClass: 'reduced' })];
    const { lines } = ask([line('a', 1_000n), book], taxed(...rules));
    expect(lines.map((each) => [each.taxMinor, each.amountMinor])).toEqual([
      [190n, 1_190n],
      [65n, 1_000n],
    ]);
  });

  it('taxes by the rule of the moment', () => {
    const change = new Date('2027-01-01T00:00:00Z');
    const rules = [rule(1_900, false, { until: change }), rule(2_000, false, { from: change })];
    const taxAt = (moment: Date) => ask([line('a', 1_000n)], { ...taxed(...rules), at: moment }).totals.taxMinor;
    expect([taxAt(at), taxAt(new Date(change.getTime() - 1)), taxAt(change)]).toEqual([190n, 190n, 200n]);
  });

  it('leaves a tax on top to a company that accounts for it itself', () => {
    const rules = taxed(rule(1_900, false, { isReverseCharged: true }));
    const taxOf = (type: string, vatNumber: string) =>
      ask([line('a', 1_000n)], { ...rules, buyer: { type, vatNumber } }).totals.taxMinor;
    expect([taxOf('legal', 'DE1'), taxOf('legal', ''), taxOf('physical', 'DE1'), taxOf('', '')]).toEqual([
      0n,
      190n,
      190n,
      190n,
    ]);
  });

  it('is in the minor units of currencies with no decimals and with three', () => {
    // 10 % off 3 × ¥333, tax of 10 % in the price; 15 % off 1.234 KWD with 5 % on top.
    const yen = ask([line('a', 333n, 3)], { adjustments: [percent(1_000)], ...taxed(rule(1_000, true)) });
    expect(yen.totals).toEqual({ subtotalMinor: 999n, discountMinor: 100n, taxMinor: 82n, amountMinor: 899n });
    const dinar = ask([line('a', 1_234n)], { adjustments: [percent(1_500)], ...taxed(rule(500, false)) });
    expect(dinar.totals).toEqual({ subtotalMinor: 1_234n, discountMinor: 185n, taxMinor: 52n, amountMinor: 1_101n });
  });

  it('refuses what is no price', () => {
    expect(() => ask([line('a', -1n)])).toThrow(RangeError);
    expect(() => ask([line('a', 1n, 1.5)])).toThrow(RangeError);
    expect(() => ask([line('a', 1n)], { adjustments: [sumOff(-1n)] })).toThrow(RangeError);
    expect(() => ask([line('a', 1n)], taxed(rule(-1, false)))).toThrow(RangeError);
  });
});

const lines = fc
  .array(
    fc.record({
      unitPriceMinor: fc.bigInt({ min: 0n, max: 10n ** 12n }),
      quantity: fc.integer({ min: 1, max: 10_000 }),
      taxClass: fc.constantFrom(standardTax, 'reduced'),
    }),
    { maxLength: 30 },
  )
  .map((all) => all.map((each, index) => ({ ...each, id: String(index) })));
const adjustments = fc.array(
  fc.record({
    code: fc.constantFrom('one', 'two'),
    off: fc.oneof(
      fc.record({ type: fc.constant('percent' as const), basisPoints: fc.integer({ min: 0, max: 12_000 }) }),
      fc.record({ type: fc.constant('sum' as const), minor: fc.bigInt({ min: 0n, max: 10n ** 13n }) }),
    ),
    lineIds: fc.option(fc.array(fc.integer({ min: 0, max: 29 }).map(String)), { nil: undefined }),
  }),
  { maxLength: 4 },
);
const taxRules = fc.array(
  fc.record({
    code: fc.constantFrom('vat', 'city', 'state'),
    basisPoints: fc.integer({ min: 0, max: 3_000 }),
    isIncluded: fc.boolean(),
    taxClass: fc.constantFrom(standardTax, 'reduced'),
    isReverseCharged: fc.boolean(),
    from: fc.constant(undefined),
    until: fc.constant(undefined),
  }),
  { maxLength: 4 },
);

describe('any quote', () => {
  it('adds up: every total is the sum of its lines, and every line of its parts', () => {
    fc.assert(
      fc.property(lines, adjustments, taxRules, (given, adjusted, rules) => {
        const quoted = ask(given, { adjustments: adjusted, place: { country: 'DE', taxRules: rules } });
        const sum = (all: readonly bigint[]) => all.reduce((total, each) => total + each, 0n);
        const { totals } = quoted;
        expect(sum(quoted.lines.map((each) => each.subtotalMinor))).toBe(totals.subtotalMinor);
        expect(sum(quoted.lines.map((each) => each.discountMinor))).toBe(totals.discountMinor);
        expect(sum(quoted.lines.map((each) => each.taxMinor))).toBe(totals.taxMinor);
        expect(sum(quoted.lines.map((each) => each.amountMinor))).toBe(totals.amountMinor);
        expect(sum(quoted.discounts.map((each) => each.minor))).toBe(totals.discountMinor);
        expect(sum(quoted.taxes.map((each) => each.minor))).toBe(totals.taxMinor);
        for (const each of quoted.lines) {
          expect(sum(each.discounts.map((part) => part.minor))).toBe(each.discountMinor);
          expect(sum(each.taxes.map((part) => part.minor))).toBe(each.taxMinor);
          expect(each.discountMinor >= 0n && each.discountMinor <= each.subtotalMinor).toBe(true);
          expect(each.taxMinor >= 0n && each.amountMinor >= 0n).toBe(true);
          expect(each.amountMinor >= each.subtotalMinor - each.discountMinor).toBe(true);
        }
      }),
    );
  });

  it('is the same when it is asked again', () => {
    fc.assert(
      fc.property(lines, adjustments, taxRules, (given, adjusted, rules) => {
        const asked = { adjustments: adjusted, place: { country: 'DE', taxRules: rules } };
        expect(ask(given, asked)).toEqual(ask(given, asked));
      }),
    );
  });
});
