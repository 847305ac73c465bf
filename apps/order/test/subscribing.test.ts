/** What is said and agreed on before anything renews. */
import type { Merchant, Product, SubscriptionPlan } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Cart } from '@tillstream/proto/order/v1/order_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bankTransfer } from './neighbours.ts';
import { bookedMessage, openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => world.neighbours.away.clear());
afterAll(() => world.close());

const plan = (type: string, more: Partial<SubscriptionPlan> = {}): SubscriptionPlan => ({
  type,
  period: 'P1Y',
  trialPeriod: '',
  renewalPrice: 'snapshot',
  ...more,
});
const aProduct = (type: string, policies: Partial<NonNullable<Merchant['policies']>> = {}): Product => {
  const merchant = world.neighbours.addMerchant({
    policies: {
      commissionBp: 1_000,
      renewalConsent: 'switch',
      renewalConsentDefault: false,
      unpaidOrderReminders: [],
      paymentExpiryMinutes: 30,
      ...policies,
    },
  });
  return world.neighbours.addProduct(merchant, { subscription: type === '' ? undefined : plan(type) });
};
const lastCreated = () =>
  world.neighbours.asked.filter((question) => question.what === 'createPayment').at(-1)?.request;
const codesOf = (methods: readonly { code: string }[] | undefined) => methods?.map((method) => method.code);
const pathOf = (order: { orderId: bigint; token: string }) => ({ orderId: order.orderId, token: order.token });

describe('a cart', () => {
  test('says what renews, how it is agreed to, and with what it can be paid', async () => {
    const cart = await world.cartOf(aProduct('AR', { renewalConsentDefault: true }), { quantity: 2 });
    expect(cart).toMatchObject({ renewalConsent: 'switch', renewalConsentDefault: true, totalMinor: 20_000n });
    expect(cart.lines[0]?.subscription).toEqual({
      type: 'AR',
      period: 'P1Y',
      trialPeriod: '',
      renewalPriceMinor: 10_000n,
      renewalAmountMinor: 20_000n,
      renewalPrice: 'snapshot',
    });
    expect(cart.paymentMethods).toEqual([
      { code: 'CreditCard', systemName: 'Bank Card', kind: 'card', textKey: 'card', canRenew: true },
      { code: 'BankTransfer', systemName: 'Bank Transfer', kind: 'transfer', textKey: 'transfer', canRenew: false },
    ]);
  });

  test('of what nobody is charged for by itself asks nothing', async () => {
    const consents = async (type: string) => (await world.cartOf(aProduct(type))).renewalConsent;
    expect([await consents(''), await consents('PMR')]).toEqual(['', '']);
    expect((await world.cartOf(aProduct('AR', { renewalConsent: 'implicit' }))).renewalConsent).toBe('implicit');
  });

  test('with a free first term costs nothing, and is paid only by what can be charged later', async () => {
    const product = aProduct('AR_TRIAL');
    const cart = await world.cartOf(product, { quantity: 3 });
    expect(cart).toMatchObject({ totalMinor: 0n, lines: [{ priceMinor: 0n, amountMinor: 0n }] });
    expect(cart.lines[0]?.subscription).toMatchObject({ trialPeriod: 'P1Y', renewalPriceMinor: 10_000n });
    expect(codesOf(cart.paymentMethods)).toEqual(['CreditCard']);
    const other = world.neighbours.addProduct(
      world.neighbours.merchants.get(product.merchantId) ?? world.neighbours.addMerchant(),
    );
    expect((await world.cartOf(other, { cartId: cart.id })).totalMinor).toBe(10_000n);
  });
});

describe('an order of what renews', () => {
  const place = async (type: string, more: object = {}, policies: Partial<NonNullable<Merchant['policies']>> = {}) => {
    const product = aProduct(type, policies);
    const { orderId } = await world.place(await world.cartOf(product), more);
    return world.get(product.merchantId, orderId);
  };
  const begin = async (order: { orderId: bigint; token: string }, paymentMethod = '') => {
    await world.api.beginPayment({ ...pathOf(order), paymentMethod });
    return lastCreated();
  };

  test('keeps the terms, whatever the product becomes, and saves the card of those who agreed', async () => {
    const order = await place('AR', { autoRenew: true });
    expect(order).toMatchObject({
      autoRenew: true,
      totalMinor: 10_000n,
      renewsSubscriptionId: '',
      isPaidByHand: false,
    });
    world.neighbours.changeProduct(order.items[0]?.productId ?? '', { subscription: undefined });
    const after = await world.get(order.merchantId, order.orderId);
    expect(after.items[0]?.subscriptionTerms).toMatchObject({ type: 'AR', period: 'P1Y', renewalPriceMinor: 10_000n });
    // There is no subscription before the payment (R82).
    expect(after.items[0]?.subscription).toBeUndefined();
    expect(await begin(order)).toMatchObject({ saveInstrument: true, method: 'CreditCard', amountMinor: 10_000n });
  });

  test('saves no card without consent, with a method that cannot renew, or when it is paid by hand', async () => {
    expect(await begin(await place('AR'))).toMatchObject({ saveInstrument: false });
    expect(await begin(await place('PMR', { autoRenew: true }))).toMatchObject({ saveInstrument: false });
    expect(await begin(await place('', { autoRenew: true }))).toMatchObject({ saveInstrument: false });
    const byTransfer = await place('AR', { autoRenew: true, paymentMethod: 'BankTransfer' });
    expect(await begin(byTransfer)).toMatchObject({ saveInstrument: false, method: 'BankTransfer' });
    // The customer thinks again.
    world.neighbours.payments.clear();
    expect(await begin(byTransfer, 'CreditCard')).toMatchObject({ saveInstrument: true, method: 'CreditCard' });
  });

  test('is agreed to by ordering where the shop says so next to the button', async () => {
    expect((await place('AR', { autoRenew: false }, { renewalConsent: 'implicit' })).autoRenew).toBe(true);
    expect((await place('PMR', { autoRenew: true }, { renewalConsent: 'implicit' })).autoRenew).toBe(false);
  });

  test('with a free first term is paid with nothing, and keeps the card', async () => {
    const order = await place('AR_TRIAL', { autoRenew: true });
    expect(order).toMatchObject({ totalMinor: 0n, items: [{ priceMinor: 0n, amountMinor: 0n, marginMinor: 0n }] });
    expect(await begin(order)).toMatchObject({ amountMinor: 0n, saveInstrument: true });
    await expect(world.api.beginPayment({ ...pathOf(order), paymentMethod: 'BankTransfer' })).rejects.toMatchObject({
      code: 'payment_method_not_supported',
      param: 'payment_method',
    });
    const opened = await world.api.openOrder({ ...pathOf(order), refresh: false, withCodes: false });
    expect(codesOf(opened.order?.paymentMethods)).toEqual(['CreditCard']);
  });

  test('a free first term is refused, field by field, to those who cannot be charged for the next', async () => {
    const fieldsOf = async (more: object): Promise<unknown> =>
      world.place(await world.cartOf(aProduct('AR_TRIAL')), more).then(
        () => 'placed',
        (error: { code?: string; fields?: { param: string; code: string }[] }) => [
          error.code,
          ...(error.fields ?? []).map((field) => `${field.param} ${field.code}`),
        ],
      );
    expect(await fieldsOf({})).toEqual(['invalid_field', 'auto_renew required']);
    expect(await fieldsOf({ autoRenew: true, paymentMethod: 'BankTransfer' })).toEqual([
      'invalid_field',
      'payment_method payment_method_not_supported',
    ]);
    expect(await fieldsOf({ paymentMethod: 'BankTransfer', termsAccepted: false })).toEqual([
      'invalid_field',
      'payment_method payment_method_not_supported',
      'auto_renew required',
      'terms_accepted terms_not_accepted',
    ]);
    expect(await fieldsOf({ autoRenew: true })).toBe('placed');
  });

  test('pays with whatever the order’s customer chose last, and shows that', async () => {
    const order = await place('', { paymentMethod: 'CreditCard' });
    const opened = () => world.api.openOrder({ ...pathOf(order), refresh: false, withCodes: false });
    expect(codesOf((await opened()).order?.paymentMethods)).toEqual(['CreditCard', 'BankTransfer']);
    await begin(order, 'BankTransfer');
    const payment = world.neighbours.pay(order, {
      method: 'BankTransfer',
      systemName: 'Bank Transfer',
    });
    await world.hear(bookedMessage(payment));
    const paid = await world.until(order, (now) => now.status === 'paid');
    expect(paid.payment).toMatchObject({ method: 'BankTransfer', systemName: 'Bank Transfer', instrumentId: '' });
    expect((await opened()).order?.paymentMethods).toEqual([]);
  });
});

test('when the payment service is away the methods are those that were last known; none was by a process that has just begun', async () => {
  const known = await openWorld();
  const product = known.neighbours.addProduct(known.neighbours.addMerchant());
  const methodsNow = async () => codesOf((await known.cartOf(product)).paymentMethods);
  try {
    known.neighbours.away.add('payment');
    expect(await methodsNow()).toEqual([]);
    known.neighbours.away.clear();
    await eventually(async () => (await methodsNow())?.length === 2);
    known.neighbours.away.add('payment');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await methodsNow()).toEqual(['CreditCard', 'BankTransfer']);
    known.neighbours.away.clear();
    known.neighbours.methods = [bankTransfer];
    await eventually(async () => (await methodsNow())?.length === 1);
    const cart: Cart = await known.cartOf(product);
    await expect(known.place(cart)).rejects.toMatchObject({ fields: [{ param: 'payment_method' }] });
  } finally {
    await known.close();
  }
});
