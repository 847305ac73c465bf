/** Subscriptions from their parent's payment on: child orders, and what orders show. */
import type { SubscriptionPlan } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Order } from '@tillstream/proto/order/v1/order_api';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';
import {
  RenewalDue,
  SubscriptionCancelled,
  SubscriptionRestored,
} from '@tillstream/proto/subscription/v1/subscription_events';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { orderApp, type OrderTables } from '../src/app.ts';
import { bookedMessage, deliveredMessage, failedMessage, openWorld, subscriptionMessage, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => {
  world.neighbours.away.clear();
  world.clock.set(new Date());
});
afterAll(() => world.close());

// Seed 003's moments.
const paidAt = new Date('2021-08-13T09:20:05+03:00');
const ends = new Date('2022-08-13T23:59:00+03:00');
const charged = new Date('2022-07-24T23:59:00+03:00');
const second = new Date('2022-08-03T23:59:00+03:00');
const extended = new Date('2023-08-13T23:59:00+03:00');
const visa = { systemName: 'Bank Card', cardType: 'Visa', cardLast4: '1234', cardExpiration: '12/2026' };
const instrumentId = '00000000-0000-7000-8000-000000000001';

const plan = (more: Partial<SubscriptionPlan> = {}): SubscriptionPlan => ({
  type: 'AR',
  period: 'P1Y',
  trialPeriod: '',
  renewalPrice: 'snapshot',
  ...more,
});
const payFor = (order: Order, more: Partial<Payment> = {}) =>
  world.neighbours.pay(order, { instrumentId, ...visa, ...more });
const isPaid = (now: Order) => now.status === 'paid';
const of = (order: Order) => order.items[0]?.subscription;
const kinds = (order: Order) => world.saidOf(order.orderId).map((event) => event.payload?.$case);

/** An order of one such product, paid at the seed's moment. */
async function aParent(
  options: { plan?: SubscriptionPlan; timeZone?: string; paying?: Partial<Payment>; autoRenew?: boolean } = {},
): Promise<Order> {
  const merchant = world.neighbours.addMerchant({ timeZone: options.timeZone ?? 'Europe/Moscow' });
  const product = world.neighbours.addProduct(merchant, { subscription: options.plan ?? plan() });
  const { orderId } = await world.place(await world.cartOf(product, { quantity: 2 }), {
    autoRenew: options.autoRenew ?? true,
  });
  const order = await world.get(merchant.id, orderId);
  world.clock.set(paidAt);
  await world.hear(bookedMessage(payFor(order, options.paying)));
  const paid = await world.until(order, isPaid);
  world.clock.set(new Date());
  return paid;
}

const renewalOf = (parent: Order, more: Partial<RenewalDue> = {}) => {
  const item = parent.items[0];
  return subscriptionMessage(parent, item?.id ?? 0n, {
    $case: 'renewalDue',
    value: {
      term: 2,
      previousOrderId: parent.orderId,
      previousItemId: item?.id ?? 0n,
      type: 'AR',
      period: 'P1Y',
      isConversionFromTrial: false,
      priceMinor: 10_000n,
      expiresAt: ends,
      nextChargeAt: charged,
      anchorOn: '2021-08-13',
      periods: 2,
      instrumentId,
      ...more,
    },
  });
};
const childrenOf = async (parent: Order): Promise<Order[]> => {
  const { orders } = await world.api.listOrders({
    merchantId: parent.merchantId,
    limit: 100,
    startingAfter: 0n,
    endingBefore: 0n,
    status: '',
    fulfilmentStatus: '',
    customerEmail: '',
    externalId: '',
  });
  return orders.filter((order) => order.renewsSubscriptionId !== '');
};
const theChild = (parent: Order): Promise<Order> => eventually(async () => (await childrenOf(parent))[0]);
async function aChild(parent: Order, more: Partial<RenewalDue> = {}): Promise<Order> {
  await world.hear(renewalOf(parent, more));
  return theChild(parent);
}
const cancelled = (parent: Order, openOrderId = 0n) =>
  subscriptionMessage(parent, parent.items[0]?.id ?? 0n, {
    $case: 'subscriptionCancelled',
    value: SubscriptionCancelled.fromPartial({ by: 'customer', expiresAt: ends, nextChargeAt: charged, openOrderId }),
  });
const restored = (parent: Order, status: string, openOrderId = 0n) =>
  subscriptionMessage(parent, parent.items[0]?.id ?? 0n, {
    $case: 'subscriptionRestored',
    value: SubscriptionRestored.fromPartial({
      by: 'customer',
      status,
      expiresAt: extended,
      nextChargeAt: charged,
      openOrderId,
    }),
  });
const documentsOf = async (order: Order, ...versions: readonly bigint[]) => {
  const { merchantId, orderId } = order;
  const keys = versions.map((version) => ({ merchantId, orderId, version }));
  return (await world.api.getOrderDocuments({ keys })).documents.flatMap((document) => document.order ?? []);
};

describe('the payment of a parent', () => {
  test.each(['Europe/Moscow', '+03:00'])(
    'starts its subscription with the dates of the seed, in %s',
    async (timeZone) => {
      const parent = await aParent({ timeZone });
      const itemId = parent.items[0]?.id ?? 0n;
      expect(parent.paidAt).toEqual(paidAt);
      expect(of(parent)).toEqual({
        id: `${parent.orderId}_${itemId}`,
        parentOrderId: parent.orderId,
        parentItemId: itemId,
        previousOrderId: 0n,
        previousItemId: 0n,
        type: 'AR',
        isConversionFromTrial: false,
        status: 'active',
        period: 'P1Y',
        expiresAt: ends,
        nextChargeAt: charged,
        detailUrl: `https://checkout.example/order/status/${parent.orderId}/${parent.token}#autorenewal`,
        anchorOn: '2021-08-13',
        periods: 1,
        term: 1,
        instrumentId,
      });
      expect(parent.payment?.instrumentId).toBe(instrumentId);
      await eventually(() => kinds(parent).length === 2);
      expect(world.saidOf(parent.orderId)[1]?.payload?.value).toMatchObject({ startsSubscriptions: true });
      const [created, paid] = await documentsOf(parent, 1n, 2n);
      expect([created && of(created), paid && of(paid)?.status]).toEqual([undefined, 'active']);
    },
  );

  test('starts none without consent or with what cannot be charged again; what is paid by hand needs neither', async () => {
    const without = await aParent({ autoRenew: false });
    const transfer = await aParent({ paying: { method: 'BankTransfer', instrumentId: '' } });
    const byHand = await aParent({ plan: plan({ type: 'PMR' }), autoRenew: false, paying: { instrumentId: '' } });
    expect([of(without), of(transfer)]).toEqual([undefined, undefined]);
    expect(of(byHand)).toMatchObject({ type: 'PMR', status: 'active', expiresAt: ends, instrumentId: '' });
    const starts = (order: Order) => {
      const payload = world.saidOf(order.orderId).at(-1)?.payload;
      return payload?.$case === 'orderPaid' && payload.value.startsSubscriptions;
    };
    await eventually(() => [without, transfer, byHand].every((order) => kinds(order).length === 2));
    expect([starts(without), starts(transfer), starts(byHand)]).toEqual([false, false, true]);
  });

  test('of a free first term: the term is the trial', async () => {
    const parent = await aParent({ plan: plan({ type: 'AR_TRIAL', trialPeriod: 'P14D' }) });
    expect(parent.totalMinor).toBe(0n);
    expect(of(parent)).toMatchObject({
      type: 'AR_TRIAL',
      periods: 0,
      anchorOn: '2021-08-27',
      expiresAt: new Date('2021-08-27T23:59:00+03:00'),
    });
  });
});

describe('a child order', () => {
  test('is the parent’s with one item, shows the saved card, and is announced as a renewal', async () => {
    const parent = await aParent();
    const child = await aChild(parent);
    const itemId = child.items[0]?.id ?? 0n;
    expect(child).toMatchObject({
      orderName: `A${String(child.orderId).padStart(10, '0')}`,
      status: 'not paid',
      customer: parent.customer,
      locale: parent.locale,
      currency: 'EUR',
      timeZone: 'Europe/Moscow',
      totalMinor: 20_000n,
      autoRenew: true,
      renewsSubscriptionId: of(parent)?.id,
      isPaidByHand: false,
      version: 1n,
      items: [{ quantity: 2, priceMinor: 10_000n, amountMinor: 20_000n, marginMinor: 18_000n }],
      payment: { paymentId: '', status: '', method: 'CreditCard', instrumentId, ...visa },
    });
    expect(child.token).not.toBe(parent.token);
    expect(of(child)).toMatchObject({
      id: of(parent)?.id,
      previousOrderId: parent.orderId,
      previousItemId: parent.items[0]?.id,
      status: 'not paid',
      expiresAt: ends,
      nextChargeAt: charged,
      detailUrl: of(parent)?.detailUrl,
      term: 2,
      periods: 1,
    });
    await eventually(() => kinds(child).length === 1);
    expect(world.saidOf(child.orderId)[0]?.payload?.value).toEqual({
      itemCount: 1,
      renewal: {
        subscriptionId: of(parent)?.id,
        term: 2,
        itemId,
        amountMinor: 20_000n,
        currency: 'EUR',
        livemode: false,
        parentOrderId: parent.orderId,
        isPaidByHand: false,
      },
    });
  });

  test('is made once: again and again, from a sleeper’s copy, and in a race of twenty', async () => {
    const parent = await aParent();
    const message = renewalOf(parent);
    await world.hear(message, message, renewalOf(parent));
    const child = await theChild(parent);
    await world.hear(message, renewalOf(parent));
    await world.hear(bookedMessage(payFor(child)));
    await world.until(child, isPaid);
    const [subscription] = world.app.subscriptions;
    if (subscription === undefined) throw new Error('no subscription');
    const other = await aParent();
    const arrived = { ...renewalOf(other), partition: 0, offset: 0n };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) =>
        // Half of them the same message, half another one for the same term.
        subscription.handle([at % 2 === 0 ? arrived : { ...renewalOf(other), partition: 0, offset: BigInt(at) }]),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toEqual([]);
    expect([(await childrenOf(parent)).length, (await childrenOf(other)).length]).toEqual([1, 1]);
    expect((await childrenOf(parent))[0]?.status).toBe('paid');
  });

  test('of many terms at once costs as many statements as of one', async () => {
    const parents: Order[] = [];
    for (let at = 0; at < 12; at += 1) parents.push(await aParent());
    const database = world.own.open<OrderTables>();
    let asked = 0;
    database.pool.on('connect', (client) => {
      const query = new Proxy(client.query, {
        apply: (target, self, args) => ((asked += 1), Reflect.apply(target, self, args)),
      });
      Object.defineProperty(client, 'query', { value: query });
    });
    const [subscription] = orderApp({ ...world.parts, database }).subscriptions;
    const statementsFor = async (chosen: readonly Order[]): Promise<number> => {
      asked = 0;
      await subscription?.handle(chosen.map((parent) => ({ ...renewalOf(parent), partition: 0, offset: 0n })));
      return asked;
    };
    const [one, many] = [await statementsFor(parents.slice(0, 1)), await statementsFor(parents.slice(1))];
    await database.close();
    expect(one).toBeGreaterThan(0);
    expect(many).toBe(one);
    for (const parent of parents) expect(await childrenOf(parent)).toHaveLength(1);
  });

  test('that fails says so, shows the card and the next charge; then it is paid and the term extended', async () => {
    const parent = await aParent();
    const child = await aChild(parent);
    world.clock.set(charged);
    const failed = payFor(child, {
      status: 'failed',
      reason: 'card_declined',
      providerErrorCode: 'AS102',
      providerErrorDescription: 'DECLINED',
      cardType: '',
      cardLast4: '',
      cardExpiration: '',
    });
    await world.hear(failedMessage(failed));
    const after = await world.until(child, (now) => now.version === 2n);
    expect(after.payment).toMatchObject({ status: 'failed', errorCode: 'AS102', ...visa });
    expect(of(after)).toMatchObject({ status: 'not paid', expiresAt: ends, nextChargeAt: second });
    world.clock.set(second);
    await world.hear(bookedMessage(payFor(child)));
    await world.until(child, isPaid);
    await world.hear(deliveredMessage(child, child.items[0]?.id ?? 0n));
    await eventually(() => kinds(child).length === 5);
    expect(kinds(child)).toEqual([
      'orderCreated',
      'orderPaymentFailed',
      'orderPaid',
      'orderItemDelivered',
      'orderDelivered',
    ]);
    const renewal = expect.objectContaining({ subscriptionId: of(parent)?.id, term: 2 });
    expect(world.saidOf(child.orderId)[1]?.payload?.value).toMatchObject({ reason: 'card_declined', renewal });
    expect(world.saidOf(child.orderId)[2]?.payload?.value).toMatchObject({ renewal, startsSubscriptions: false });
    const shown = (await documentsOf(child, 1n, 2n, 3n)).map(of);
    expect(shown.map((each) => [each?.status, each?.expiresAt, each?.nextChargeAt, each?.periods])).toEqual([
      ['not paid', ends, charged, 1],
      ['not paid', ends, second, 1],
      ['active', extended, new Date('2023-07-24T23:59:00+03:00'), 2],
    ]);
    // The parent's document is what it was.
    expect((await documentsOf(parent, 2n)).map((each) => of(each)?.expiresAt)).toEqual([ends]);
  });

  test('is paid late, by hand, with another card: that card is shown and charged from then on', async () => {
    const parent = await aParent();
    const child = await aChild(parent);
    await world.api.beginPayment({ orderId: child.orderId, token: child.token, paymentMethod: '' });
    expect(world.neighbours.asked.findLast((question) => question.what === 'createPayment')?.request).toMatchObject({
      saveInstrument: true,
      amountMinor: 20_000n,
    });
    const other = '00000000-0000-7000-8000-000000000002';
    world.clock.set(new Date('2022-10-01T12:00:00+03:00'));
    await world.hear(bookedMessage(payFor(child, { instrumentId: other, cardLast4: '5678' })));
    const paid = await world.until(child, isPaid);
    expect(of(paid)).toMatchObject({ status: 'active', expiresAt: extended, instrumentId: other });
    world.clock.set(new Date());
    const third = { term: 3, previousOrderId: paid.orderId, previousItemId: paid.items[0]?.id ?? 0n };
    await world.hear(renewalOf(parent, { ...third, instrumentId: other, periods: 3, expiresAt: extended }));
    const [next] = await eventually(async () => {
      const children = await childrenOf(parent);
      return children.length === 2 ? children : undefined;
    });
    expect(next).toMatchObject({ payment: { cardLast4: '5678', instrumentId: other } });
    expect(next && of(next)).toMatchObject({ term: 3, previousOrderId: paid.orderId, expiresAt: extended, periods: 2 });
  });

  test('of a conversion says so; one that is paid by hand shows no card', async () => {
    const trial = await aParent({ plan: plan({ type: 'AR_TRIAL', trialPeriod: 'P14D' }) });
    const ofTrial = {
      type: 'AR_TRIAL',
      isConversionFromTrial: true,
      anchorOn: '2021-08-27',
      periods: 1,
      expiresAt: new Date('2021-08-27T23:59:00+03:00'),
    };
    const child = await aChild(trial, ofTrial);
    expect([child.totalMinor, of(child)?.isConversionFromTrial]).toEqual([20_000n, true]);
    world.clock.set(new Date('2021-08-25T23:59:00+03:00'));
    await world.hear(bookedMessage(payFor(child)));
    expect(of(await world.until(child, isPaid))).toMatchObject({
      isConversionFromTrial: true,
      expiresAt: new Date('2022-08-27T23:59:00+03:00'),
    });
    world.clock.set(new Date());
    const byHand = await aParent({ plan: plan({ type: 'PMR' }), paying: { instrumentId: '' } });
    const open = await aChild(byHand, { type: 'PMR', instrumentId: '' });
    expect([open.isPaidByHand, open.payment, of(open)?.type]).toEqual([true, undefined, 'PMR']);
    await world.api.beginPayment({ orderId: open.orderId, token: open.token, paymentMethod: 'BankTransfer' });
    expect(world.neighbours.asked.findLast((question) => question.what === 'createPayment')?.request).toMatchObject({
      saveInstrument: false,
    });
  });

  test('waits for a merchant service that is away; one of a stranger’s parent is never made', async () => {
    const parent = await aParent();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    world.neighbours.away.add('merchant');
    await world.hear(renewalOf(parent));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await childrenOf(parent)).toEqual([]);
    world.neighbours.away.clear();
    await theChild(parent);
    const stranger = { ...parent, merchantId: world.neighbours.addMerchant().id };
    const [subscription] = world.app.subscriptions;
    await expect(
      subscription?.handle([{ ...renewalOf(stranger, { term: 3 }), partition: 0, offset: 0n }]),
    ).rejects.toThrow(/there is no order/);
    expect(await childrenOf(stranger)).toEqual([]);
  });
});

describe('cancelled and restored', () => {
  test('on the parent, with the dates of the event; on the open child without a webhook', async () => {
    const parent = await aParent();
    const child = await aChild(parent);
    const message = cancelled(parent, child.orderId);
    await world.hear(message, message);
    const noted = await world.until(child, (now) => of(now)?.status === 'cancelled');
    expect(noted.status).toBe('not paid');
    const after = await world.until(parent, (now) => of(now)?.status === 'cancelled');
    expect(after.status).toBe('paid');
    await world.hear(restored(parent, 'not paid', child.orderId));
    await world.until(parent, (now) => of(now)?.status === 'not paid');
    // A copy of the first that comes late changes nothing any more.
    await world.hear(message);
    await world.hear(cancelled(parent), restored(parent, 'active'));
    await world.until(parent, (now) => of(now)?.status === 'active');
    await eventually(() => kinds(parent).length === 6 && kinds(child).length === 3);
    expect(kinds(parent)).toEqual([
      'orderCreated',
      'orderPaid',
      'orderSubscriptionCancelled',
      'orderSubscriptionRestored',
      'orderSubscriptionCancelled',
      'orderSubscriptionRestored',
    ]);
    expect(kinds(child)).toEqual(['orderCreated', 'orderSubscriptionNoted', 'orderSubscriptionNoted']);
    const subscriptionId = of(parent)?.id;
    expect(world.saidOf(parent.orderId)[2]?.payload?.value).toEqual({ subscriptionId, itemId: parent.items[0]?.id });
    const shown = (await documentsOf(parent, 2n, 3n, 4n, 5n, 6n)).map(of);
    expect(shown.map((each) => [each?.status, each?.expiresAt])).toEqual([
      ['active', ends],
      ['cancelled', ends],
      ['not paid', extended],
      ['cancelled', ends],
      ['active', extended],
    ]);
    const { entries } = await world.timeline.readTimeline(parent);
    expect(entries.map((entry) => entry.type)).toContain('order_subscription_cancelled');
  });

  test('while a charge is under way: the term is paid and extended, and it stays cancelled', async () => {
    const parent = await aParent();
    const child = await aChild(parent);
    await world.hear(cancelled(parent, child.orderId));
    await world.until(child, (now) => of(now)?.status === 'cancelled');
    world.clock.set(charged);
    await world.hear(bookedMessage(payFor(child)));
    expect(of(await world.until(child, isPaid))).toMatchObject({ status: 'cancelled', expiresAt: extended });
  });

  test('by the customer: with the page’s token, on the parent’s page, and of its own subscription', async () => {
    const parent = await aParent();
    const child = await aChild(parent);
    const id = of(parent)?.id ?? '';
    const change = (more: object) =>
      world.api.changeSubscription({
        orderId: parent.orderId,
        token: parent.token,
        subscriptionId: id,
        action: 'cancel',
        ...more,
      });
    await change({});
    await change({ action: 'restore' });
    const asked = world.neighbours.asked.filter((question) => /^(cancel|restore)Subscription$/.test(question.what));
    expect(asked.map((question) => question.what)).toEqual(['cancelSubscription', 'restoreSubscription']);
    expect(asked[0]?.request).toEqual({
      merchantId: parent.merchantId,
      subscriptionId: id,
      by: 'customer',
      suppressCustomerNotification: false,
    });
    const other = await aParent();
    const refusals: readonly [object, string][] = [
      [{ token: '0'.repeat(32) }, 'order_not_found'],
      [{ token: child.token }, 'order_not_found'],
      [{ orderId: parent.orderId + 10_000n }, 'order_not_found'],
      [{ subscriptionId: of(other)?.id ?? '' }, 'subscription_not_found'],
      [{ subscriptionId: '' }, 'subscription_not_found'],
      [{ orderId: child.orderId, token: child.token }, 'subscription_not_found'],
      [{ action: 'explode' }, 'invalid_field'],
    ];
    for (const [more, code] of refusals) await expect(change(more), code).rejects.toMatchObject({ code });
    world.neighbours.subscriptions.set(
      id,
      Subscription.fromPartial({ id, type: 'PMR', merchantId: parent.merchantId }),
    );
    await expect(change({ action: 'restore' })).rejects.toMatchObject({ code: 'restore_not_supported' });
    world.neighbours.away.add('subscription');
    await expect(change({})).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a parent’s page has its subscriptions, and is shown without them', async () => {
    const parent = await aParent();
    const id = of(parent)?.id ?? '';
    const { merchantId, orderId, token } = parent;
    world.neighbours.subscriptions.set(
      id,
      Subscription.fromPartial({ id, merchantId, parentOrderId: orderId, status: 'active', canRestore: false }),
    );
    const open = (order: Order) =>
      world.api.openOrder({ orderId: order.orderId, token: order.token, refresh: false, withCodes: false });
    expect((await open(parent)).subscriptions.map((each) => each.id)).toEqual([id]);
    expect((await open(await aChild(parent))).subscriptions).toEqual([]);
    world.neighbours.away.add('subscription');
    expect(await world.api.openOrder({ orderId, token, refresh: false, withCodes: false })).toMatchObject({
      subscriptions: [],
      order: { status: 'paid' },
    });
  });
});

test('a child that nobody pays is deleted after ninety days, with its renewal, and the term gets no other', async () => {
  const parent = await aParent();
  const child = await aChild(parent);
  await world.daysPass(child, '90 days');
  await world.until(child, (now) => now.status === 'deleted');
  await eventually(() => kinds(child).length === 2);
  expect(world.saidOf(child.orderId)[1]?.payload?.value).toMatchObject({
    reason: 'unpaid_too_long',
    renewal: { subscriptionId: of(parent)?.id, term: 2 },
  });
  await world.hear(renewalOf(parent));
  await world.hear(cancelled(parent));
  await world.until(parent, (now) => of(now)?.status === 'cancelled');
  expect(await childrenOf(parent)).toHaveLength(1);
});
