import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayReport, ownAccountId, sharedAccountId, sharedAddress } from './provider-account.ts';
import { route, type Candidate, type Wanted } from './routing.ts';

const wanted: Wanted = { method: 'CreditCard', currency: 'EUR', country: 'DE', amountMinor: 10_000n, save: false };
const able = { state: 'active', canOpenPage: true, canCharge: true } as const;
const all: Candidate = { ...able, offers: [{ method: 'CreditCard' }, { method: 'BankTransfer' }] };

describe('routing', () => {
  test('takes the first account, in the merchant’s order, that offers what is wanted', () => {
    const transfers: Candidate = { ...able, offers: [{ method: 'BankTransfer' }] };
    const yen: Candidate = { ...able, offers: [{ method: 'CreditCard', currencies: ['JPY'] }] };
    expect(route([transfers, yen, all], wanted)).toBe(all);
    expect(route([transfers, yen, all], { ...wanted, method: 'BankTransfer' })).toBe(transfers);
    expect(route([transfers, yen, all], { ...wanted, currency: 'JPY' })).toBe(yen);
    expect(route([], wanted)).toBeUndefined();
  });

  test.each<[string, Partial<Candidate>, Partial<Wanted>]>([
    ['that is disabled', { state: 'disabled' }, {}],
    ['that cannot open a page', { canOpenPage: false }, {}],
    ['that cannot charge again what is to be kept', { canCharge: false }, { save: true }],
    ['without the method', { offers: [{ method: 'BankTransfer' }] }, {}],
    ['without the currency', { offers: [{ method: 'CreditCard', currencies: ['USD'] }] }, {}],
    ['without the country', { offers: [{ method: 'CreditCard', countries: ['FR'] }] }, {}],
    ['above its limit', { offers: [{ method: 'CreditCard', limits: { EUR: { maxMinor: 9_999n } } }] }, {}],
    ['below its limit', { offers: [{ method: 'CreditCard', limits: { EUR: { minMinor: 10_001n } } }] }, {}],
  ])('passes over an account %s', (_, account, more) => {
    expect(route([{ ...all, ...account }], { ...wanted, ...more })).toBeUndefined();
    expect(route([{ ...all, ...account }, all], { ...wanted, ...more })).toBe(all);
  });

  test('limits are of one currency, are included, and do not hold for nothing; what is not known is no obstacle', () => {
    const limited: Candidate = {
      ...able,
      offers: [{ method: 'CreditCard', countries: ['DE'], limits: { EUR: { minMinor: 10_000n, maxMinor: 10_000n } } }],
    };
    expect(route([limited], wanted)).toBe(limited);
    expect(route([limited], { ...wanted, currency: 'USD', amountMinor: 1n })).toBe(limited);
    expect(route([limited], { ...wanted, amountMinor: 0n, save: true })).toBe(limited);
    expect(route([limited], { ...wanted, amountMinor: undefined, country: '', currency: '' })).toBe(limited);
  });
});

describe('ids of accounts that the installation gives', () => {
  const v7 = fc.uuid({ version: 7 });

  test('follow from the merchant’s and differ between merchants and accounts', () => {
    fc.assert(
      fc.property(v7, v7, (one, other) => {
        fc.pre(one !== other);
        const ids = [one, other].flatMap((each) => [ownAccountId(each), sharedAccountId(each)]);
        expect(new Set([...ids, sharedAddress]).size).toBe(5);
        expect(ownAccountId(one)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
      }),
    );
  });

  test('a callback may report about payments of its account only; the shared address about what was begun before', () => {
    const [merchantId, other] = ['01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000002'];
    const own = { accountId: ownAccountId(merchantId), merchantId };
    const old = { accountId: sharedAccountId(merchantId), merchantId };
    expect(mayReport({ accountId: own.accountId }, own)).toBe(true);
    expect(mayReport({ accountId: own.accountId }, old)).toBe(false);
    expect(mayReport({ accountId: ownAccountId(other) }, own)).toBe(false);
    expect(mayReport({ accountId: sharedAddress }, old)).toBe(true);
    expect(mayReport({ accountId: sharedAddress }, own)).toBe(false);
  });
});
