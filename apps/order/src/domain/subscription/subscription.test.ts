import { evolveAll } from '@tillstream/machine/machine';
import { describe, expect, test } from 'vitest';
import { order, type Order, type OrderCommand, type OrderState } from '../order.ts';
import { placeDraft } from '../draft.ts';
import type { Item, SubscriptionTerms } from '../item.ts';
import type { PaymentShown, Placed } from '../placed.ts';
import { remindersOf } from '../reminders.ts';
import { draftChild, methodOf, savedOf, type ChildTerms } from './child.ts';
import type { Renewal } from './renewal.ts';

// Seed 003's own moments.
const createdAt = new Date('2021-08-13T09:16:35+03:00');
const paidAt = new Date('2021-08-13T09:20:05+03:00');
const ends = new Date('2022-08-13T23:59:00+03:00');
const charged = new Date('2022-07-24T23:59:00+03:00');

const yearly: SubscriptionTerms = {
  type: 'AR',
  period: 'P1Y',
  trialPeriod: '',
  renewalPriceMinor: 10_000n,
  renewalPrice: 'snapshot',
};
const item: Item = {
  id: 456_660n,
  productId: '111222',
  name: 'Demo',
  familyName: '',
  vendorCode: '002',
  sku: '002',
  businessSegment: 'b2c',
  priceMinor: 10_000n,
  quantity: 2,
  discountMinor: 0n,
  vatMinor: 0n,
  amountMinor: 20_000n,
  marginMinor: 20_000n,
  deliveryMethod: 'pool',
  oneCodePer: 'unit',
  sendMail: true,
  showOnOrderPage: true,
  terms: yearly,
};
const placed: Placed = {
  orderId: 5_555_555n,
  source: 'cart',
  cartId: 'c',
  cartVersion: 1,
  livemode: false,
  createdAt,
  currency: 'EUR',
  locale: 'en',
  token: '1a97507',
  shopName: 'Shop',
  supportEmail: '',
  timeZone: 'Europe/Moscow',
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
  items: [item],
  totalMinor: 20_000n,
  paymentMethod: 'CreditCard',
  paymentSystemName: 'Bank Card',
  autoRenew: true,
  externalId: 'TEST12025',
  additionalData: [{ name: 'referer2', value: 'test' }],
  metadata: { a: 'b' },
  consent: { wording: '', termsUrl: '', privacyUrl: '', at: createdAt },
  reminders: ['P1D'],
  renewal: undefined,
};
const visa = {
  systemName: 'Bank Card',
  instrument: { kind: 'card', details: { brand: 'Visa', last4: '1234', expiration: '12/2026' } },
} as const;
const byCard = { paymentMethod: 'CreditCard', paymentSystemName: 'Bank Card' };
const payment = (paymentId: string, more: Partial<PaymentShown> = {}): PaymentShown => ({
  paymentId,
  status: 'booked',
  method: 'CreditCard',
  ...visa,
  reason: '',
  errorCode: '',
  errorDescription: '',
  instrumentId: 'i',
  ...more,
});
const renewal: Renewal = {
  subscriptionId: '5555555_456660',
  term: 2,
  parentOrderId: 5_555_555n,
  parentItemId: 456_660n,
  parentToken: '1a97507',
  previousOrderId: 5_555_555n,
  previousItemId: 456_660n,
  type: 'AR',
  period: 'P1Y',
  isConversionFromTrial: false,
  expiresAt: ends,
  nextChargeAt: charged,
  anchorOn: '2021-08-13',
  periods: 1,
  instrumentId: 'i',
  saved: visa,
};
const draft = {
  parent: placed,
  method: byCard,
  renewal,
  priceMinor: 10_000n,
  shopName: 'Shop, renamed',
  supportEmail: 'help@shop.example',
  commissionBp: 500,
};
const placeChild = (terms: ChildTerms): Placed => {
  const drafted = draftChild(terms);
  if (drafted === undefined) throw new Error('no child');
  return placeDraft(drafted, { orderId: 6_666_666n, itemIds: [12_345n], token: 'x', createdAt: charged });
};
const child = placeChild(draft);

const pay = (of: Placed, at: Date, more: Partial<PaymentShown> = {}): OrderCommand => ({
  type: 'recordPayment',
  payment: payment('p', more),
  amountMinor: of.totalMinor,
  currency: 'EUR',
  at,
});
const tell = (change: 'cancelled' | 'restored', status: 'not paid' | 'active' | 'cancelled'): OrderCommand => ({
  type: 'recordSubscription',
  news: {
    subscriptionId: '5555555_456660',
    change,
    status,
    expiresAt: new Date('2030-01-01T20:59:00Z'),
    nextChargeAt: new Date('2029-12-12T20:59:00Z'),
  },
});
const fail = (at: Date): OrderCommand => ({
  type: 'recordPaymentFailed',
  payment: payment('f', { status: 'failed' }),
  at,
});

function story(of: Placed, ...sent: readonly OrderCommand[]): Order {
  const state = [{ type: 'place', placed: of } as const, ...sent].reduce<OrderState>((before, command) => {
    const decision = order.decide(before, command);
    if (decision.answer === 'refused') throw new Error(decision.reason);
    return decision.answer === 'accepted' ? evolveAll(order, before, decision.events) : before;
  }, order.absent);
  if (state.status === 'absent') throw new Error('absent');
  return state;
}
const shown = (state: Order) => [...state.subscriptions.values()][0];

describe('a parent', () => {
  test('has a subscription from its payment on, with the dates of the seed (R82, R84)', () => {
    expect(shown(story(placed))).toBeUndefined();
    expect(shown(story(placed, fail(paidAt)))).toBeUndefined();
    expect(shown(story(placed, pay(placed, paidAt)))).toEqual({
      id: '5555555_456660',
      parentOrderId: 5_555_555n,
      parentItemId: 456_660n,
      previousOrderId: 0n,
      previousItemId: 0n,
      type: 'AR',
      isConversionFromTrial: false,
      status: 'active',
      period: 'P1Y',
      expiresAt: ends,
      nextChargeAt: charged,
      anchorOn: '2021-08-13',
      periods: 1,
      term: 1,
      instrumentId: 'i',
    });
    expect(shown(story({ ...placed, timeZone: '+03:00' }, pay(placed, paidAt)))?.expiresAt).toEqual(ends);
  });

  test('has none without consent, or when nothing was kept that can be charged (R83)', () => {
    expect(story({ ...placed, autoRenew: false }, pay(placed, paidAt)).subscriptions.size).toBe(0);
    expect(story(placed, pay(placed, paidAt, { instrumentId: '' })).subscriptions.size).toBe(0);
  });

  test('that is renewed by hand needs neither', () => {
    const byHand = { ...placed, autoRenew: false, items: [{ ...item, terms: { ...yearly, type: 'PMR' as const } }] };
    expect(shown(story(byHand, pay(byHand, paidAt, { instrumentId: '' })))).toMatchObject({
      type: 'PMR',
      status: 'active',
      instrumentId: '',
      expiresAt: ends,
    });
  });

  test('with a free first term counts the terms from its end', () => {
    const terms: SubscriptionTerms = { ...yearly, type: 'AR_TRIAL', trialPeriod: 'P14D' };
    const trial = { ...placed, items: [{ ...item, priceMinor: 0n, amountMinor: 0n, terms }], totalMinor: 0n };
    expect(shown(story(trial, pay(trial, paidAt)))).toMatchObject({
      type: 'AR_TRIAL',
      period: 'P1Y',
      anchorOn: '2021-08-27',
      periods: 0,
      expiresAt: new Date('2021-08-27T23:59:00+03:00'),
    });
  });

  test('shows what became of it, once per change', () => {
    const cancelled = story(placed, pay(placed, paidAt), tell('cancelled', 'cancelled'));
    expect(shown(cancelled)).toMatchObject({ status: 'cancelled', expiresAt: new Date('2030-01-01T20:59:00Z') });
    expect(order.decide(cancelled, tell('cancelled', 'cancelled')).answer).toBe('ignored');
    const restored = story(placed, pay(placed, paidAt), tell('cancelled', 'cancelled'), tell('restored', 'not paid'));
    expect(shown(restored)?.status).toBe('not paid');
    expect(order.decide(restored, tell('restored', 'active')).answer).toBe('ignored');
    expect(
      order.decide(story(placed, pay(placed, paidAt, { instrumentId: '' })), tell('cancelled', 'cancelled')),
    ).toEqual({
      answer: 'refused',
      reason: 'subscription_not_found',
    });
  });
});

describe('a child', () => {
  test('is the parent with one item, at the term’s price', () => {
    expect(child).toMatchObject({
      orderId: 6_666_666n,
      source: 'renewal',
      cartId: '',
      customer: placed.customer,
      externalId: 'TEST12025',
      additionalData: placed.additionalData,
      metadata: placed.metadata,
      timeZone: 'Europe/Moscow',
      shopName: 'Shop, renamed',
      totalMinor: 20_000n,
      reminders: [],
      items: [{ id: 12_345n, productId: '111222', quantity: 2, amountMinor: 20_000n, marginMinor: 19_000n }],
    });
    expect(draftChild({ ...draft, renewal: { ...renewal, parentItemId: 1n } })).toBeUndefined();
  });

  test('is not paid, with the dates of the term that runs, until it is paid: then they are extended (R86, R87)', () => {
    expect(shown(story(child))).toMatchObject({ status: 'not paid', expiresAt: ends, nextChargeAt: charged, term: 2 });
    expect(shown(story(child, pay(child, charged)))).toMatchObject({
      status: 'active',
      expiresAt: new Date('2023-08-13T23:59:00+03:00'),
      nextChargeAt: new Date('2023-07-24T23:59:00+03:00'),
      anchorOn: '2021-08-13',
      periods: 2,
      previousOrderId: 5_555_555n,
    });
  });

  test('that fails names the next planned charge, and after the last one that (R88, R89)', () => {
    const next = (at: string) => shown(story(child, fail(new Date(at))))?.nextChargeAt;
    expect(next('2022-07-24T23:59:00+03:00')).toEqual(new Date('2022-08-03T23:59:00+03:00'));
    expect(next('2022-08-03T23:59:00+03:00')).toEqual(ends);
    expect(next('2022-08-13T23:59:00+03:00')).toEqual(ends);
    expect(shown(story(child, fail(charged)))).toMatchObject({ status: 'not paid', expiresAt: ends });
  });

  test('of a conversion is tried by the short plan: two days, one day and none before the trial’s end', () => {
    const trialEnds = new Date('2021-08-27T23:59:00+03:00');
    const conversion: Renewal = {
      ...renewal,
      type: 'AR_TRIAL',
      isConversionFromTrial: true,
      anchorOn: '2021-08-27',
      periods: 0,
      expiresAt: trialEnds,
      nextChargeAt: new Date('2021-08-25T23:59:00+03:00'),
    };
    const first = placeChild({ ...draft, renewal: conversion });
    const failed = story(first, fail(conversion.nextChargeAt));
    expect(shown(failed)).toMatchObject({
      isConversionFromTrial: true,
      nextChargeAt: new Date('2021-08-26T23:59:00+03:00'),
    });
    expect(shown(story(first, pay(first, conversion.nextChargeAt)))).toMatchObject({
      isConversionFromTrial: true,
      periods: 1,
      expiresAt: new Date('2022-08-27T23:59:00+03:00'),
      nextChargeAt: new Date('2022-08-07T23:59:00+03:00'),
    });
  });

  test('paid by hand with another card is charged to that one from then on', () => {
    const late = new Date('2022-09-20T12:00:00+03:00');
    expect(shown(story(child, pay(child, late, { instrumentId: 'other' })))).toMatchObject({
      status: 'active',
      instrumentId: 'other',
      expiresAt: new Date('2023-08-13T23:59:00+03:00'),
    });
    expect(shown(story(child, pay(child, late, { instrumentId: '' })))?.instrumentId).toBe('i');
    // Paid when even its own term would be over: it begins with the payment.
    expect(shown(story(child, pay(child, new Date('2024-02-29T12:00:00+03:00'))))).toMatchObject({
      anchorOn: '2024-02-29',
      periods: 1,
      expiresAt: new Date('2025-02-28T23:59:00+03:00'),
    });
  });

  test('whose subscription is cancelled says so, also when a charge that was under way pays it', () => {
    const cancelled = story(child, tell('cancelled', 'cancelled'));
    expect(shown(cancelled)).toMatchObject({ status: 'cancelled', expiresAt: new Date('2030-01-01T20:59:00Z') });
    const extended = new Date('2023-08-13T23:59:00+03:00');
    for (const state of [
      story(child, tell('cancelled', 'cancelled'), pay(child, charged)),
      story(child, pay(child, charged), tell('cancelled', 'cancelled')),
    ])
      expect(shown(state)).toMatchObject({ status: 'cancelled', expiresAt: extended, periods: 2 });
    expect(shown(story(child, tell('cancelled', 'cancelled'), tell('restored', 'not paid')))?.status).toBe('not paid');
  });

  test('shows the card that is charged, whatever paid last', () => {
    const parts = { parent: placed, previous: { ...byCard, renewal: undefined } };
    expect(savedOf({ ...parts, lastPayment: payment('p') }, 'i')).toEqual(visa);
    const account = { kind: 'bank_account', details: { bankName: '', country: 'DE', last4: '3000' } } as const;
    const byTransfer = { method: 'BankTransfer', systemName: 'Bank Transfer', instrument: account };
    const transfer = payment('p', { ...byTransfer, instrumentId: '' });
    const later = { ...parts, lastPayment: transfer, previous: { ...byCard, renewal } };
    expect([savedOf(later, 'i'), methodOf(later, 'i')]).toEqual([visa, byCard]);
    expect(savedOf({ ...parts, lastPayment: undefined }, 'i').instrument).toBeUndefined();
    expect(savedOf(later, 'other').instrument).toBeUndefined();
    expect(methodOf(later, '')).toEqual({ paymentMethod: 'BankTransfer', paymentSystemName: 'Bank Transfer' });
    const kept = { ...parts, lastPayment: payment('p', { ...byTransfer, instrumentId: 'a' }) };
    expect(savedOf(kept, 'a')).toEqual({ systemName: 'Bank Transfer', instrument: account });
  });
});

describe('reminders', () => {
  const remind = (dueAt: Date, at: Date, isWanted = true): OrderCommand => ({
    type: 'remind',
    number: 1,
    dueAt,
    at,
    isWanted,
  });
  const due = new Date('2021-08-14T09:16:35+03:00');

  test('are counted from the order’s creation, by the shop’s calendar', () => {
    expect(remindersOf(placed)).toEqual([due]);
    const inPrague = { ...placed, timeZone: 'Europe/Prague', createdAt: new Date('2021-10-30T10:00:00+02:00') };
    expect(remindersOf({ ...inPrague, reminders: ['P1D', 'PT24H', 'P1M2D'] })).toEqual([
      new Date('2021-10-31T10:00:00+01:00'),
      new Date('2021-10-31T09:00:00+01:00'),
      new Date('2021-12-02T10:00:00+01:00'),
    ]);
  });

  test('come once, while they are wanted, and not more than a day late', () => {
    const answers = (command: OrderCommand, ...before: readonly OrderCommand[]) =>
      order.decide(story(placed, ...before), command).answer;
    expect(answers(remind(due, due))).toBe('accepted');
    expect(answers(remind(due, due), remind(due, due))).toBe('ignored');
    expect(answers(remind(due, due, false))).toBe('ignored');
    expect(answers(remind(due, new Date(due.getTime() + 86_400_000)))).toBe('accepted');
    expect(answers(remind(due, new Date(due.getTime() + 86_400_001)))).toBe('ignored');
    expect(answers(remind(due, due), pay(placed, paidAt))).toBe('ignored');
  });
});
