import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { chargeAfter, chargesOf, firstTerm, nextTerm, noticeOf, termOf, type Calendar, type Term } from './term.ts';

const calendar = (period: string, timeZone = 'UTC'): Calendar => ({ period, timeZone });
const at = (text: string) => new Date(text);
const dates = (terms: readonly Term[]) => terms.map((term) => term.expiresAt.toISOString().slice(0, 10));

/** Each renewal is paid a minute before the term is over. */
function renewals(of: Calendar, paidAt: Date, count: number): Term[] {
  const terms = [firstTerm(of, paidAt)];
  for (let renewed = 0; renewed < count; renewed += 1) {
    const last = terms.at(-1);
    if (last !== undefined) terms.push(nextTerm(of, last, new Date(last.expiresAt.getTime() - 60_000)));
  }
  return terms;
}

const zones = ['UTC', '+03:00', '-09:30', 'Europe/Prague', 'America/Sao_Paulo', 'Pacific/Apia', 'Asia/Kathmandu'];
const shops = fc.record({
  period: fc.oneof(
    fc.integer({ min: 1, max: 10 }).map((count) => `P${count}Y`),
    fc.integer({ min: 1, max: 24 }).map((count) => `P${count}M`),
    fc.integer({ min: 1, max: 60 }).map((count) => `P${count}W`),
    fc.integer({ min: 6, max: 400 }).map((count) => `P${count}D`),
  ),
  timeZone: fc.constantFrom(...zones),
});
const moments = fc.date({ min: at('2000-01-01'), max: at('2040-01-01'), noInvalidDate: true });

describe('the seed', () => {
  test('a yearly subscription paid 2021-08-13T09:20:05+03:00 lasts to 2022-08-13T23:59:00 and is charged 2022-07-24', () => {
    const term = firstTerm(calendar('P1Y', '+03:00'), at('2021-08-13T09:20:05+03:00'));
    expect(term).toEqual({
      anchorOn: '2021-08-13',
      periods: 1,
      expiresAt: at('2022-08-13T23:59:00+03:00'),
      nextChargeAt: at('2022-07-24T23:59:00+03:00'),
    });
    expect(chargesOf(calendar('P1Y', '+03:00'), term.expiresAt)).toEqual(
      ['2022-07-24', '2022-08-03', '2022-08-13'].map((day) => at(`${day}T23:59:00+03:00`)),
    );
    expect(noticeOf(calendar('P1Y', '+03:00'), term.expiresAt)).toEqual(at('2022-07-14T23:59:00+03:00'));
  });
});

describe('every plan, shop and moment', () => {
  test('renewals one after the other end where direct computation from the anchor ends', () => {
    fc.assert(
      fc.property(shops, moments, fc.integer({ min: 0, max: 30 }), (shop, paidAt, count) => {
        const terms = renewals(shop, paidAt, count);
        const first = terms[0];
        expect(terms.at(-1)).toEqual(termOf(shop, first?.anchorOn ?? '', count + 1));
      }),
    );
  });

  test('terms follow one another without gap or overlap: each is the next number of periods from one anchor', () => {
    fc.assert(
      fc.property(shops, moments, (shop, paidAt) => {
        const terms = renewals(shop, paidAt, 6);
        expect(terms[0]?.expiresAt.getTime()).toBeGreaterThan(paidAt.getTime());
        terms.slice(1).forEach((term, index) => {
          const before = terms[index];
          expect(term.anchorOn).toBe(before?.anchorOn);
          expect(term.periods).toBe((before?.periods ?? 0) + 1);
          expect(term.expiresAt.getTime()).toBeGreaterThan(before?.expiresAt.getTime() ?? 0);
        });
      }),
    );
  });

  test('everything is planned for 23:59:00 in the shop, charges ascend to the end, and none lies before the term', () => {
    fc.assert(
      fc.property(shops, moments, (shop, paidAt) => {
        const [first, second] = renewals(shop, paidAt, 1);
        if (first === undefined || second === undefined) throw new Error('two terms');
        const charges = chargesOf(shop, second.expiresAt);
        expect(charges.map((each) => each.getTime())).toEqual(
          charges.map((each) => each.getTime()).toSorted((a, b) => a - b),
        );
        expect(charges.at(-1)).toEqual(second.expiresAt);
        expect(charges[0]).toEqual(second.nextChargeAt);
        expect(second.nextChargeAt.getTime()).toBeGreaterThan(first.expiresAt.getTime());
        for (const each of [...charges, noticeOf(shop, second.expiresAt)])
          expect(
            Temporal.Instant.fromEpochMilliseconds(each.getTime()).toZonedDateTimeISO(shop.timeZone).toPlainTime(),
          ).toEqual(Temporal.PlainTime.from('23:59'));
      }),
    );
  });

  test('a payment always begins a term that ends later, however late it comes', () => {
    fc.assert(
      fc.property(shops, moments, fc.integer({ min: 0, max: 20_000 }), (shop, paidAt, daysLate) => {
        const first = firstTerm(shop, paidAt);
        const late = new Date(first.expiresAt.getTime() + daysLate * 86_400_000);
        expect(nextTerm(shop, first, late).expiresAt.getTime()).toBeGreaterThan(late.getTime());
      }),
    );
  });
});

describe('the ends of months', () => {
  it('31 January by month is the end of February, then 31 March again', () => {
    const common = renewals(calendar('P1M'), at('2023-01-31T10:00:00Z'), 4);
    expect(dates(common)).toEqual(['2023-02-28', '2023-03-31', '2023-04-30', '2023-05-31', '2023-06-30']);
    expect(dates(renewals(calendar('P1M'), at('2024-01-31T10:00:00Z'), 1))).toEqual(['2024-02-29', '2024-03-31']);
  });

  it('29 February by year is 28 February, and 29 again in a leap year', () => {
    const yearly = renewals(calendar('P1Y'), at('2024-02-29T10:00:00Z'), 3);
    expect(dates(yearly)).toEqual(['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']);
  });

  it('twelve months and a year are the same', () => {
    fc.assert(
      fc.property(moments, fc.constantFrom(...zones), (paidAt, timeZone) => {
        const [year, months] = [
          firstTerm(calendar('P1Y', timeZone), paidAt),
          firstTerm(calendar('P12M', timeZone), paidAt),
        ];
        expect(months).toEqual(year);
      }),
    );
  });
});

describe('where clocks change', () => {
  it('a term over the spring change in Prague ends at 23:59 of summer time', () => {
    const [march, april] = renewals(calendar('P1M', 'Europe/Prague'), at('2026-02-28T12:00:00+01:00'), 1);
    expect(march?.expiresAt).toEqual(at('2026-03-28T23:59:00+01:00'));
    expect(april?.expiresAt).toEqual(at('2026-04-28T23:59:00+02:00'));
    expect(firstTerm(calendar('P1M', 'Europe/Prague'), at('2026-09-25T12:00:00+02:00')).expiresAt).toEqual(
      at('2026-10-25T23:59:00+01:00'),
    );
  });

  it('at the autumn change of São Paulo 23:59 comes twice and the earlier counts', () => {
    // 2018-02-17, 24:00 became 23:00 once more.
    const term = firstTerm(calendar('P1M', 'America/Sao_Paulo'), at('2018-01-17T12:00:00-02:00'));
    expect(term.expiresAt).toEqual(at('2018-02-17T23:59:00-02:00'));
    expect(nextTerm(calendar('P1M', 'America/Sao_Paulo'), term, at('2018-02-17T23:58:30-02:00')).expiresAt).toEqual(
      at('2018-03-17T23:59:00-03:00'),
    );
  });

  it('at the spring change of São Paulo midnight does not exist, and 23:59 is not touched', () => {
    // 2018-11-04 began at 01:00.
    const term = firstTerm(calendar('P1M', 'America/Sao_Paulo'), at('2018-10-04T12:00:00-03:00'));
    expect(term.expiresAt).toEqual(at('2018-11-04T23:59:00-02:00'));
    expect(firstTerm(calendar('P1M', 'America/Sao_Paulo'), at('2018-10-03T12:00:00-03:00')).expiresAt).toEqual(
      at('2018-11-03T23:59:00-03:00'),
    );
  });

  it('takes the day of the payment from the shop, not from Greenwich', () => {
    expect(firstTerm(calendar('P1M', '+03:00'), at('2026-01-30T21:30:00Z')).anchorOn).toBe('2026-01-31');
    expect(firstTerm(calendar('P1M', 'America/Sao_Paulo'), at('2026-02-01T01:30:00Z')).anchorOn).toBe('2026-01-31');
  });

  it('a day that a country skipped is a day of the calendar all the same', () => {
    // Samoa had no 30 December 2011.
    const term = firstTerm(calendar('P6D', 'Pacific/Apia'), at('2011-12-24T12:00:00-10:00'));
    expect(term.expiresAt.getTime()).toBeGreaterThan(at('2011-12-29T12:00:00-10:00').getTime());
  });
});

describe('plans', () => {
  test.each([
    ['P1Y', 20],
    ['P6M', 20],
    ['P183D', 20],
    ['P27W', 20],
    ['P5M', 2],
    ['P182D', 2],
    ['P26W', 2],
    ['P6D', 2],
  ])('%s is charged first %i days before its end', (period, days) => {
    const { expiresAt, nextChargeAt } = firstTerm(calendar(period), at('2025-03-10T10:00:00Z'));
    expect((expiresAt.getTime() - nextChargeAt.getTime()) / 86_400_000).toBe(days);
  });

  test('a fortnight of trial before a year is charged two days before its end, not six before its beginning', () => {
    const yearly = calendar('P1Y');
    const trial = firstTerm(yearly, at('2026-01-10T10:00:00Z'), 'P14D');
    expect(trial).toEqual({
      anchorOn: '2026-01-24',
      periods: 0,
      expiresAt: at('2026-01-24T23:59:00Z'),
      nextChargeAt: at('2026-01-22T23:59:00Z'),
    });
    expect(noticeOf(yearly, trial.expiresAt, 0)).toEqual(at('2026-01-15T23:59:00Z'));
    expect(chargeAfter(yearly, trial.expiresAt, at('2026-01-23T00:00:00Z'), 0)).toEqual(at('2026-01-23T23:59:00Z'));
    const paid = nextTerm(yearly, trial, trial.nextChargeAt);
    expect(paid).toMatchObject({ anchorOn: '2026-01-24', periods: 1, expiresAt: at('2027-01-24T23:59:00Z') });
    expect(paid.nextChargeAt).toEqual(at('2027-01-04T23:59:00Z'));
  });

  test('a term that is paid late keeps its anchor while something of it is left, else begins with the payment', () => {
    const monthly = calendar('P1M');
    const first = firstTerm(monthly, at('2026-01-31T10:00:00Z'));
    expect(nextTerm(monthly, first, at('2026-03-31T23:58:00Z'))).toMatchObject({ anchorOn: '2026-01-31', periods: 2 });
    expect(nextTerm(monthly, first, at('2026-03-31T23:59:00Z'))).toMatchObject({
      anchorOn: '2026-03-31',
      periods: 1,
      expiresAt: at('2026-04-30T23:59:00Z'),
    });
  });

  test('the next charge is the first that is still to come, else the last', () => {
    const monthly = calendar('P1M');
    const expiresAt = at('2026-02-28T23:59:00Z');
    const next = (now: string) => chargeAfter(monthly, expiresAt, at(now)).toISOString().slice(0, 10);
    expect(next('2026-02-01T00:00:00Z')).toBe('2026-02-26');
    expect(next('2026-02-26T23:59:00Z')).toBe('2026-02-27');
    expect(next('2026-02-28T00:00:00Z')).toBe('2026-02-28');
    expect(next('2026-05-01T00:00:00Z')).toBe('2026-02-28');
  });

  it('throws on what is not a period: it was to be refused where it came in', () => {
    expect(() => firstTerm(calendar('P1Y2M'), at('2026-01-01T00:00:00Z'))).toThrow('P1Y2M is not a period');
  });
});
