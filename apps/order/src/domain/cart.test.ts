import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addLine,
  changeLine,
  chooseCurrency,
  consentFor,
  draftItemOf,
  hasTrial,
  highestQuantity,
  isOnSale,
  mostLines,
  type CartLine,
  type Goods,
  type Plan,
} from './cart.ts';
import { readLocale } from './locale.ts';

function goods(more: Partial<Goods> = {}): Goods {
  return {
    id: '1',
    snapshot: {
      name: 'Demo',
      familyName: '',
      vendorCode: '',
      sku: '',
      businessSegment: 'b2c',
      deliveryMethod: 'pool',
      oneCodePer: 'unit',
      sendMail: true,
      showOnOrderPage: true,
    },
    description: '',
    imageUrl: '',
    minQuantity: 1,
    isForSale: true,
    prices: new Map([['EUR', 10_000n]]),
    plan: undefined,
    ...more,
  };
}

describe('quantities', () => {
  test('are the product’s minimum by default, and add up', () => {
    const once = addLine([], goods({ minQuantity: 3 }), 0);
    expect(once).toEqual([{ productId: '1', quantity: 3 }]);
    expect(addLine(once as CartLine[], goods({ minQuantity: 3 }), 1)).toEqual([{ productId: '1', quantity: 4 }]);
  });

  test.each([
    ['below the minimum', goods({ minQuantity: 3 }), 2],
    ['negative', goods(), -1],
    ['above the highest', goods(), highestQuantity + 1],
    ['a thousand million', goods(), 1_000_000_000],
  ])('%s are out of range', (_, product, quantity) => {
    expect(addLine([], product, quantity)).toBe('quantity_out_of_range');
    expect(changeLine([{ productId: '1', quantity: 5 }], '1', quantity, product.minQuantity)).toBe(
      'quantity_out_of_range',
    );
  });

  test('never leave the range, whatever is added in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.integer()), { maxLength: 150 }), (asked) => {
        let lines: readonly CartLine[] = [];
        for (const [id, quantity] of asked) {
          const added = addLine(lines, goods({ id: String(id), minQuantity: 2 }), quantity);
          if (typeof added !== 'string') lines = added;
        }
        expect(lines.length).toBeLessThanOrEqual(mostLines);
        expect(new Set(lines.map((line) => line.productId)).size).toBe(lines.length);
        for (const line of lines) expect(line.quantity >= 2 && line.quantity <= highestQuantity).toBe(true);
      }),
    );
  });

  test('of nothing remove the line; a line that is not there stays so', () => {
    expect(changeLine([{ productId: '1', quantity: 5 }], '1', 0, 3)).toEqual([]);
    expect(changeLine([], '1', 4, 1)).toEqual([]);
  });
});

describe('currencies', () => {
  const both = goods({
    prices: new Map([
      ['EUR', 1n],
      ['USD', 2n],
    ]),
  });
  test('are the asked one, else the cart’s, else the shop’s first that fits, else the product’s first', () => {
    expect(chooseCurrency('USD', 'EUR', ['EUR'], [both])).toBe('USD');
    expect(chooseCurrency('', 'EUR', ['USD'], [both])).toBe('EUR');
    expect(chooseCurrency('', '', ['JPY', 'USD'], [both])).toBe('USD');
    expect(chooseCurrency('', '', [], [both])).toBe('EUR');
  });
  test('must be a price’s of every line', () => {
    expect(chooseCurrency('USD', '', [], [both, goods({ id: '2' })])).toBe('currency_not_supported');
    expect(isOnSale(both, 'USD')).toBe(true);
    expect([
      isOnSale(goods(), 'USD'),
      isOnSale(goods({ isForSale: false }), 'EUR'),
      isOnSale(undefined, 'EUR'),
    ]).toEqual([false, false, false]);
  });
});

test('a line is an item as the catalogue has it now, unless it is not for sale in that currency', () => {
  expect(draftItemOf(goods(), 3, 'EUR')).toEqual({
    ...goods().snapshot,
    productId: '1',
    quantity: 3,
    priceMinor: 10_000n,
    terms: undefined,
  });
  expect(draftItemOf(goods(), 3, 'USD')).toBeUndefined();
  expect(draftItemOf(goods({ isForSale: false }), 3, 'EUR')).toBeUndefined();
  expect(draftItemOf(undefined, 3, 'EUR')).toBeUndefined();
});

test('language tags are canonical or nothing', () => {
  expect(['de-at', 'EN', '', 'en_EN', 'x'.repeat(10_000), '<script>'].map(readLocale)).toEqual([
    'de-AT',
    'en',
    '',
    '',
    '',
    '',
  ]);
});

describe('what renews', () => {
  const plan = (type: Plan['type'], more: Partial<Plan> = {}): Plan => ({
    type,
    period: 'P1Y',
    trialPeriod: '',
    renewalPrice: 'snapshot',
    ...more,
  });

  test('keeps today’s price for its terms; the first term of a trial is free, and as long as the others unless it says', () => {
    expect(draftItemOf(goods({ plan: plan('AR') }), 2, 'EUR')).toMatchObject({
      priceMinor: 10_000n,
      terms: { type: 'AR', period: 'P1Y', trialPeriod: '', renewalPriceMinor: 10_000n, renewalPrice: 'snapshot' },
    });
    expect(draftItemOf(goods({ plan: plan('AR_TRIAL') }), 2, 'EUR')).toMatchObject({
      priceMinor: 0n,
      terms: { trialPeriod: 'P1Y', renewalPriceMinor: 10_000n },
    });
    expect(draftItemOf(goods({ plan: plan('AR_TRIAL', { trialPeriod: 'P14D' }) }), 1, 'EUR')).toMatchObject({
      priceMinor: 0n,
      terms: { trialPeriod: 'P14D' },
    });
  });

  test('is agreed to as the shop wants, unless nothing renews by itself', () => {
    const shop = { renewalConsent: 'implicit', renewalConsentDefault: false } as const;
    const carts: readonly (readonly Goods[])[] = [
      [],
      [goods()],
      [goods({ plan: plan('PMR') })],
      [goods(), goods({ plan: plan('AR') })],
      [goods({ plan: plan('AR_TRIAL') })],
    ];
    expect(carts.map((each) => consentFor(each, shop))).toEqual(['', '', '', 'implicit', 'implicit']);
    expect(carts.map(hasTrial)).toEqual([false, false, false, false, true]);
  });
});
