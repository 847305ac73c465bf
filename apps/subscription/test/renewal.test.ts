import { messageOf } from '@tillstream/testkit/wire';
import { randomUUIDv7 } from 'node:crypto';
import { Product } from '@tillstream/proto/merchant/v1/merchant_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await new World().start();
});
afterAll(() => world.stop());

const bought = new Date('2030-01-10T10:00:00Z');
const day = (text: string) => new Date(`${text}T23:59:00Z`);
const [told, slot0, slot1, slot2] = [day('2030-02-01'), day('2030-02-08'), day('2030-02-09'), day('2030-02-10')];
const shown = async (merchantId: string, subscriptionId: string) => {
  const { subscription } = await world.api.getSubscription({ merchantId, subscriptionId });
  if (subscription === undefined) throw new Error('it is not shown');
  return subscription;
};

describe('a paid parent', () => {
  test('starts a subscription per item that renews, with the dates of the order', async () => {
    const merchantId = await world.merchant(bought);
    const { ids, order } = await world.buy({ merchantId, paidAt: bought, items: 2, quantity: 3 });
    for (const id of ids) await world.heard(id, 'subscriptionStarted');
    expect(await shown(merchantId, ids[1] ?? '')).toMatchObject({
      parentOrderId: order.orderId,
      parentItemId: order.items[1]?.id,
      status: 'active',
      term: 1,
      isInTrial: false,
      startedAt: bought,
      expiresAt: slot2,
      nextChargeAt: slot0,
      renewalAmountMinor: 1500n,
      currency: 'EUR',
      lastOrderId: order.orderId,
      openOrderId: 0n,
      canRestore: false,
      version: 1n,
    });
  });

  test('told again, by the same message or another, starts nothing twice', async () => {
    const merchantId = await world.merchant(bought);
    const messageId = randomUUIDv7();
    const { order, ids } = await world.buy({ merchantId, paidAt: bought, items: 2 }, messageId);
    await world.sayPaid(order, messageId);
    await world.sayPaid(order);
    await world.quiet(merchantId);
    expect(ids.map((id) => world.cases(id))).toEqual([['subscriptionStarted'], ['subscriptionStarted']]);
  });
});

describe('a renewal', () => {
  test('notice, child order, charge, and one term more; then the next', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought, quantity: 2 });
    const { parentOrderId } = await shown(merchantId, id);
    await world.turn(merchantId, told);
    expect(await world.heard(id, 'renewalNoticeDue')).toEqual({
      term: 2,
      chargeAt: slot0,
      expiresAt: slot2,
      amountMinor: 1000n,
      currency: 'EUR',
      type: 'AR',
      isNewPrice: false,
      isConversionFromTrial: false,
    });
    const child = await world.charged(merchantId, id, slot0);
    expect(await world.heard(id, 'renewalDue')).toMatchObject({
      term: 2,
      previousOrderId: parentOrderId,
      type: 'AR',
      period: 'P1M',
      priceMinor: 500n,
      expiresAt: slot2,
      nextChargeAt: slot0,
      anchorOn: '2030-01-10',
      periods: 2,
      instrumentId: 'card-1',
    });
    expect(await world.heard(id, 'chargeDue')).toMatchObject({
      orderId: child,
      term: 2,
      slot: 0,
      instrumentId: 'card-1',
      amountMinor: 1000n,
      currency: 'EUR',
    });
    expect(await shown(merchantId, id)).toMatchObject({
      status: 'not paid',
      openOrderId: child,
      nextChargeAt: undefined,
    });
    await world.pay(child);
    expect(await world.heard(id, 'subscriptionRenewed')).toEqual({
      orderId: child,
      term: 2,
      expiresAt: day('2030-03-10'),
      nextChargeAt: day('2030-03-08'),
    });
    expect(await shown(merchantId, id)).toMatchObject({
      status: 'active',
      term: 2,
      lastOrderId: child,
      openOrderId: 0n,
    });
    // The end of the term that was renewed says nothing.
    await world.turn(merchantId, slot2);
    const second = await world.charged(merchantId, id, day('2030-03-08'), 2);
    expect(await world.heard(id, 'renewalDue', 2)).toMatchObject({ term: 3, previousOrderId: child, periods: 3 });
    await world.pay(second);
    expect(await world.heard(id, 'subscriptionRenewed', 2)).toMatchObject({ expiresAt: day('2030-04-10') });
    expect(world.cases(id)).not.toContain('subscriptionExpired');
  });

  test('that fails is tried in each slot; then it waits for the customer, whose new card is charged from then on', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    await world.fail(child);
    expect(await world.heard(id, 'renewalFailed')).toMatchObject({ slot: 0, isLast: false, nextChargeAt: slot1 });
    expect(await world.charged(merchantId, id, slot1, 2)).toBe(child);
    await world.fail(child);
    await world.heard(id, 'renewalFailed', 2);
    await world.charged(merchantId, id, slot2, 3);
    await world.fail(child);
    expect(await world.heard(id, 'renewalFailed', 3)).toMatchObject({ slot: 2, isLast: true, nextChargeAt: undefined });
    expect(await world.heard(id, 'subscriptionExpired')).toMatchObject({ status: 'not paid', openOrderId: child });
    await world.turn(merchantId, day('2030-02-20'));
    await world.quiet(merchantId);
    expect(world.cases(id).filter((each) => each === 'chargeDue')).toHaveLength(3);
    expect(world.cases(id).filter((each) => each === 'renewalDue')).toHaveLength(1);
    await world.pay(child, 'card-2');
    expect(await world.heard(id, 'subscriptionRenewed')).toMatchObject({ expiresAt: day('2030-03-10') });
    const next = await world.charged(merchantId, id, day('2030-03-08'), 4);
    expect(next).not.toBe(child);
    expect(await world.heard(id, 'chargeDue', 4)).toMatchObject({ slot: 0, term: 3, instrumentId: 'card-2' });
  });

  test('whose outcome is unknown is not charged again, and is not over', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    for (const at of [slot1, slot2, day('2030-02-20')]) {
      await world.turn(merchantId, at);
      await world.quiet(merchantId);
    }
    expect(world.cases(id)).toEqual(['subscriptionStarted', 'renewalDue', 'chargeDue']);
    const { parentOrderId } = await shown(merchantId, id);
    expect((await world.timeline.readTimeline({ merchantId, orderId: parentOrderId })).awaited).toMatchObject([
      { type: 'charge_outcome', summary: `What became of the charge for order ${child}.` },
    ]);
    await world.pay(child);
    await world.heard(id, 'subscriptionRenewed');
    expect(world.cases(id)).not.toContain('subscriptionExpired');
  });

  test('that was not charged because the customer was paying, who then left, goes on with the next slot', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    await world.leave(child);
    await world.heard(id, 'renewalFailed');
    await world.charged(merchantId, id, slot1, 2);
    await world.leave(child);
    expect(await world.heard(id, 'renewalFailed', 2)).toMatchObject({ slot: 1, nextChargeAt: slot2 });
  });

  test('after three weeks of sleep: everything once, nothing stale, and the term counts from its anchor', async () => {
    const merchantId = await world.merchant(bought);
    const ids = await Promise.all([1, 2, 3].map(() => world.subscribe({ merchantId, paidAt: bought })));
    await world.turn(merchantId, day('2030-02-21'));
    for (const id of ids) {
      const { orderId, slot } = await world.heard(id, 'chargeDue');
      expect(slot).toBe(2);
      await world.pay(orderId);
      expect(await world.heard(id, 'subscriptionRenewed')).toMatchObject({ expiresAt: day('2030-03-10') });
    }
    await world.quiet(merchantId);
    for (const id of ids)
      expect(world.cases(id)).toEqual(['subscriptionStarted', 'renewalDue', 'chargeDue', 'subscriptionRenewed']);
  });

  test('that is said again, in any order and number, changes nothing', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    await world.pay(child);
    await world.heard(id, 'subscriptionRenewed');
    await world.pay(child);
    await world.fail(child);
    await world.delete(child);
    await world.quiet(merchantId);
    expect(world.cases(id)).toHaveLength(4);
    expect(await shown(merchantId, id)).toMatchObject({ status: 'active', term: 2 });
  });

  test('a crash between the commit and the forgetting of timers fires them again, for nothing', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const timers = () =>
      world.place.admin.query('select * from subscription.timer where aggregate_id = $1 and kind = $2', [id, 'charge']);
    const [before] = (await timers()).rows;
    await world.charged(merchantId, id, slot0);
    await world.quiet(merchantId);
    const { timer_id, due_at } = before;
    await world.place.admin.query(
      `insert into subscription.timer (machine, aggregate_id, kind, timer_id, merchant_id, due_at, traceparent)
       values ('subscription', $1, 'charge', $2, $3, $4, '')`,
      [id, timer_id, merchantId, due_at],
    );
    await world.quiet(merchantId);
    expect(world.cases(id)).toEqual(['subscriptionStarted', 'renewalDue', 'chargeDue']);
  });

  test('whose child is deleted stays not paid, and nothing more is asked for', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    await world.fail(child);
    await world.heard(id, 'renewalFailed');
    await world.delete(child);
    await eventually(async () => (await shown(merchantId, id)).openOrderId === 0n);
    await world.turn(merchantId, day('2030-05-09'));
    await world.heard(id, 'subscriptionExpired');
    await world.quiet(merchantId);
    expect(await shown(merchantId, id)).toMatchObject({ status: 'not paid', openOrderId: 0n, nextChargeAt: undefined });
    expect(world.cases(id).filter((each) => each === 'chargeDue')).toHaveLength(1);
  });
});

describe('other plans', () => {
  test('by hand: a child, a notice and never a charge; paid late it revives', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought, type: 'PMR' });
    await world.turn(merchantId, told);
    expect(await world.heard(id, 'renewalNoticeDue')).toMatchObject({ type: 'PMR', chargeAt: slot0 });
    await world.turn(merchantId, slot0);
    expect(await world.heard(id, 'renewalDue')).toMatchObject({ type: 'PMR', instrumentId: '' });
    await world.turn(merchantId, slot2);
    const { openOrderId } = await world.heard(id, 'subscriptionExpired');
    expect(world.cases(id)).not.toContain('chargeDue');
    await expect(
      world.api.restoreSubscription({
        merchantId,
        subscriptionId: id,
        by: 'customer',
        suppressCustomerNotification: false,
      }),
    ).rejects.toMatchObject({ code: 'restore_not_supported' });
    await world.pay(openOrderId);
    await world.heard(id, 'subscriptionRenewed');
    expect(await shown(merchantId, id)).toMatchObject({ status: 'active', term: 2, expiresAt: day('2030-03-10') });
  });

  test('a trial: the first paid renewal is the conversion, and only that', async () => {
    const merchantId = await world.merchant(bought);
    const paidAt = bought;
    const id = await world.subscribe({ merchantId, paidAt, type: 'AR_TRIAL', period: 'P1Y', trialPeriod: 'P14D' });
    expect(await shown(merchantId, id)).toMatchObject({ isInTrial: true, expiresAt: day('2030-01-24') });
    await world.turn(merchantId, day('2030-01-15'));
    expect(await world.heard(id, 'renewalNoticeDue')).toMatchObject({ isConversionFromTrial: true });
    const child = await world.charged(merchantId, id, day('2030-01-22'));
    expect(await world.heard(id, 'renewalDue')).toMatchObject({ isConversionFromTrial: true, periods: 1 });
    await world.pay(child);
    expect(await world.heard(id, 'subscriptionRenewed')).toMatchObject({ expiresAt: day('2031-01-24') });
    await world.charged(merchantId, id, day('2031-01-04'), 2);
    expect(await world.heard(id, 'renewalDue', 2)).toMatchObject({ isConversionFromTrial: false, periods: 2 });
  });

  test('a trial that is cancelled in time is never charged', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought, type: 'AR_TRIAL', trialPeriod: 'P14D' });
    await world.api.cancelSubscription({
      merchantId,
      subscriptionId: id,
      by: 'customer',
      suppressCustomerNotification: false,
    });
    await world.turn(merchantId, day('2031-01-01'));
    await world.heard(id, 'subscriptionExpired');
    expect(world.cases(id)).toEqual(['subscriptionStarted', 'subscriptionCancelled', 'subscriptionExpired']);
  });

  test('the present price is told before it is charged, with one question for all of a merchant', async () => {
    const merchantId = await world.merchant(bought);
    const paidAt = bought;
    world.products.push(
      messageOf(Product, { id: '700', merchantId, prices: [{ currency: 'EUR', amountMinor: 900n }] }),
      messageOf(Product, { id: '701', merchantId, prices: [{ currency: 'USD', amountMinor: 800n }] }),
    );
    const current = { merchantId, paidAt, renewalPrice: 'current' } as const;
    const dear = await Promise.all(
      Array.from({ length: 20 }, () => world.subscribe({ ...current, productId: '700', quantity: 2 })),
    );
    const foreign = await world.subscribe({ ...current, productId: '701' });
    const gone = await world.subscribe({ ...current, productId: '702' });
    const agreed = await world.subscribe({ merchantId, paidAt, productId: '700' });
    world.priceQuestions = 0;
    await world.turn(merchantId, told);
    for (const id of dear)
      expect(await world.heard(id, 'renewalNoticeDue')).toMatchObject({ amountMinor: 1800n, isNewPrice: true });
    for (const id of [foreign, gone, agreed])
      expect(await world.heard(id, 'renewalNoticeDue')).toMatchObject({ amountMinor: 500n, isNewPrice: false });
    expect(world.priceQuestions).toBe(1);
    const [id = ''] = dear;
    await world.charged(merchantId, id, slot0);
    expect(await world.heard(id, 'renewalDue')).toMatchObject({ priceMinor: 900n });
    expect(await world.heard(id, 'chargeDue')).toMatchObject({ amountMinor: 1800n });
  });

  test('a catalogue that does not answer delays the notice, guesses no price and holds up no charge', async () => {
    const merchantId = await world.merchant(bought);
    world.products.push(
      messageOf(Product, { id: '710', merchantId, prices: [{ currency: 'EUR', amountMinor: 900n }] }),
    );
    const id = await world.subscribe({ merchantId, paidAt: bought, renewalPrice: 'current', productId: '710' });
    const weekly = await world.subscribe({ merchantId, paidAt: bought, period: 'P1W' });
    world.isMerchantAway = true;
    await world.turn(merchantId, told);
    await world.heard(weekly, 'chargeDue');
    expect(world.cases(id)).toEqual(['subscriptionStarted']);
    world.isMerchantAway = false;
    // The lease of a timer that failed is a minute; a crashed process's would be taken over then, too.
    await world.place.admin.query('delete from subscription.timer_lease');
    expect(await world.heard(id, 'renewalNoticeDue')).toMatchObject({ amountMinor: 900n });
  });
});
