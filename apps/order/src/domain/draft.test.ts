import { untaxed, type TaxRule } from '@tillstream/pricing/quote';
import { describe, expect, test } from 'vitest';
import { placeDraft, type OrderDraft } from './draft.ts';
import type { DraftItem } from './item.ts';

const at = new Date('2026-11-20T08:00:00Z');
const item = (productId: string, priceMinor: bigint, quantity = 1): DraftItem => ({
  productId,
  name: 'Demo',
  familyName: '',
  vendorCode: '',
  sku: '',
  businessSegment: 'b2c',
  deliveryMethod: 'pool',
  oneCodePer: 'unit',
  sendMail: true,
  showOnOrderPage: true,
  quantity,
  priceMinor,
  terms: undefined,
});
const draft: OrderDraft = {
  source: { kind: 'cart', cartId: 'c', cartVersion: 3 },
  livemode: false,
  currency: 'EUR',
  locale: 'en',
  shopName: 'Shop',
  supportEmail: '',
  timeZone: 'UTC',
  commissionBp: 1_000,
  customer: {
    country: 'FR',
    type: 'physical',
    email: 'a@b.example',
    firstName: 'A',
    lastName: 'B',
    phone: '',
    vatNumber: '',
    companyName: '',
    companyBillingAddress: '',
    companyDeliveryAddress: '',
  },
  items: [item('1', 3_333n, 3), item('2', 10_000n)],
  place: untaxed('FR'),
  adjustments: [],
  paymentMethod: 'CreditCard',
  paymentSystemName: 'Bank Card',
  autoRenew: false,
  externalId: 'TEST12025',
  additionalData: [{ name: 'referer2', value: 'test' }],
  metadata: { team: 'blue' },
  consent: { wording: '', termsUrl: '', privacyUrl: '', at },
  reminders: ['P1D'],
};
const numbers = { orderId: 7n, itemIds: [71n, 72n], token: 't', createdAt: at };
const vat: TaxRule = {
  code: 'vat',
  basisPoints: 2_000,
  isIncluded: true,
  taxClass: 'standard',
  isReverseCharged: false,
  from: undefined,
  until: undefined,
};

describe('an order', () => {
  test('is its draft with numbers; the margin is rounded once and the amounts add up', () => {
    const placed = placeDraft(draft, numbers);
    expect(placed).toMatchObject({
      orderId: 7n,
      source: 'cart',
      cartId: 'c',
      cartVersion: 3,
      externalId: 'TEST12025',
      additionalData: draft.additionalData,
      metadata: { team: 'blue' },
      reminders: ['P1D'],
      totalMinor: 19_999n,
      renewal: undefined,
    });
    expect(placed.items).toEqual([
      { ...draft.items[0], id: 71n, discountMinor: 0n, vatMinor: 0n, amountMinor: 9_999n, marginMinor: 8_999n },
      { ...draft.items[1], id: 72n, discountMinor: 0n, vatMinor: 0n, amountMinor: 10_000n, marginMinor: 9_000n },
    ]);
    for (const key of ['place', 'adjustments', 'commissionBp']) expect(placed).not.toHaveProperty(key);
  });

  test('has the discounts and taxes of the quote in its items and in its total', () => {
    const off = { code: 'TEN', off: { type: 'percent', basisPoints: 1_000 }, lineIds: undefined } as const;
    const placed = placeDraft(
      { ...draft, adjustments: [off], place: { country: 'FR', taxRules: [{ ...vat, isIncluded: false }] } },
      numbers,
    );
    expect(
      placed.items.map(({ discountMinor, vatMinor, amountMinor }) => [discountMinor, vatMinor, amountMinor]),
    ).toEqual([
      [1_000n, 1_800n, 10_799n],
      [1_000n, 1_800n, 10_800n],
    ]);
    expect(placed.totalMinor).toBe(21_599n);
  });

  test('earns no margin on VAT that its price contains', () => {
    const placed = placeDraft({ ...draft, place: { country: 'FR', taxRules: [vat] } }, numbers);
    expect(placed.items[1]).toMatchObject({ vatMinor: 1_667n, amountMinor: 10_000n, marginMinor: 7_333n });
  });

  test('of a session or a link consumes no cart', () => {
    for (const kind of ['session', 'link', 'one_time_link'] as const) {
      const placed = placeDraft({ ...draft, source: { kind } }, numbers);
      expect([placed.source, placed.cartId, placed.cartVersion]).toEqual([kind, '', 0]);
    }
  });

  test('needs a number for every item', () => {
    expect(() => placeDraft(draft, { ...numbers, itemIds: [71n] })).toThrow(/no number/);
  });
});
