/** Subscriptions from their parent's payment on: child orders, and what orders show. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { orderApp, type OrderTables } from '../src/app.ts';
import { bookedMessage, deliveredMessage, failedMessage, openWorld, type World } from './world.ts';
import { paidAt, ends, charged, second, extended, visa, instrumentId, renewals } from './renewals.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => {
  world.neighbours.away.clear();
  world.clock.set(new Date());
});
afterAll(() => world.close());
const { plan, payFor, isPaid, of, kinds, aParent, renewalOf, childrenOf, theChild, aChild, documentsOf } = renewals(
  () => world,
);

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
    let asked = 0;
    // Whose rows may be seen is said once per connection.
    const database = world.own.open<OrderTables>((text) => (asked += text.startsWith('set ') ? 0 : 1));
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
