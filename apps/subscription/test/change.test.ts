import { randomUUID } from 'node:crypto';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
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
const change = (merchantId: string, subscriptionId: string, by = 'customer') => ({
  merchantId,
  subscriptionId,
  by,
  suppressCustomerNotification: false,
});
const cancel = (merchantId: string, id: string, by?: string) =>
  world.api.cancelSubscription(change(merchantId, id, by));
const restore = (merchantId: string, id: string, by?: string) =>
  world.api.restoreSubscription(change(merchantId, id, by));
const twenty = <R>(run: () => Promise<R>) => Promise.all(Array.from({ length: 20 }, run));
const count = (id: string, kind: string) => world.cases(id).filter((each) => each === kind).length;

describe('cancel and restore', () => {
  test('of a running one: no renewal, access to the end, and back again', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    await world.turn(merchantId, told);
    await world.heard(id, 'renewalNoticeDue');
    const cancelled = await cancel(merchantId, id, 'merchant');
    expect(cancelled).toMatchObject({
      isChanged: true,
      subscription: {
        status: 'cancelled',
        cancelledAt: told,
        cancelledBy: 'merchant',
        canRestore: true,
        expiresAt: slot2,
      },
    });
    expect(cancelled.subscription?.nextChargeAt).toBeUndefined();
    expect(await world.heard(id, 'subscriptionCancelled')).toEqual({
      by: 'merchant',
      suppressCustomerNotification: false,
      expiresAt: slot2,
      nextChargeAt: slot0,
      openOrderId: 0n,
    });
    expect(await cancel(merchantId, id)).toMatchObject({ isChanged: false, subscription: { cancelledBy: 'merchant' } });
    const restored = await restore(merchantId, id);
    expect(restored).toMatchObject({ isChanged: true, subscription: { status: 'active', nextChargeAt: slot0 } });
    expect(await world.heard(id, 'subscriptionRestored')).toMatchObject({ status: 'active', nextChargeAt: slot0 });
    expect(await restore(merchantId, id)).toMatchObject({ isChanged: false, subscription: { status: 'active' } });
    await world.charged(merchantId, id, slot0);
  });

  test('of one that was missed: charged at once when it is restored, with the slot that has come', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    await cancel(merchantId, id);
    await world.turn(merchantId, new Date(slot1.getTime() + 60_000));
    await world.quiet(merchantId);
    expect(count(id, 'renewalDue')).toBe(0);
    await restore(merchantId, id);
    expect(await world.heard(id, 'chargeDue')).toMatchObject({ slot: 1, term: 2 });
  });

  test('with an unpaid child: not paid again, and its charges go on', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    await world.fail(child);
    await world.heard(id, 'renewalFailed');
    await cancel(merchantId, id);
    expect(await world.heard(id, 'subscriptionCancelled')).toMatchObject({ openOrderId: child });
    expect(await restore(merchantId, id)).toMatchObject({
      subscription: { status: 'not paid', openOrderId: child, nextChargeAt: slot1 },
    });
    expect(await world.charged(merchantId, id, slot1, 2)).toBe(child);
    expect(count(id, 'renewalDue')).toBe(1);
  });

  test('after the paid time without a child there is nothing to restore', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    await cancel(merchantId, id);
    await world.turn(merchantId, slot2);
    expect(await world.heard(id, 'subscriptionExpired')).toMatchObject({ status: 'cancelled' });
    await expect(restore(merchantId, id)).rejects.toMatchObject({ code: 'subscription_ended' });
    expect((await world.api.getSubscription({ merchantId, subscriptionId: id })).subscription?.canRestore).toBe(false);
  });

  test('whoever cannot say who it is, is told so', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    await expect(cancel(merchantId, id, 'nobody')).rejects.toMatchObject({ code: 'invalid_field', param: 'by' });
    await expect(restore(merchantId, id, 'refund')).rejects.toMatchObject({ code: 'invalid_field', param: 'by' });
    expect(await cancel(merchantId, id, 'refund')).toMatchObject({ subscription: { cancelledBy: 'refund' } });
  });
});

describe('races', () => {
  test('twenty cancels and twenty restores at once: each change once, in turns', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const cancels = await twenty(() => cancel(merchantId, id));
    expect(cancels.filter((each) => each.isChanged)).toHaveLength(1);
    const restores = await twenty(() => restore(merchantId, id));
    expect(restores.filter((each) => each.isChanged)).toHaveLength(1);
    await world.quiet(merchantId);
    expect(world.cases(id)).toEqual(['subscriptionStarted', 'subscriptionCancelled', 'subscriptionRestored']);
    const mixed = await Promise.all([twenty(() => cancel(merchantId, id)), twenty(() => restore(merchantId, id))]);
    const changed = mixed.map((answers) => answers.filter((each) => each.isChanged).length);
    await world.quiet(merchantId);
    expect(world.cases(id).slice(3)).toHaveLength((changed[0] ?? 0) + (changed[1] ?? 0));
    world
      .cases(id)
      .slice(3)
      .forEach((each, at) => expect(each).toBe(at % 2 === 0 ? 'subscriptionCancelled' : 'subscriptionRestored'));
  });

  test('twenty cancels beside twenty due charges: no charge, or one that goes on', async () => {
    const merchantId = await world.merchant(bought);
    const ids = await Promise.all(Array.from({ length: 20 }, () => world.subscribe({ merchantId, paidAt: bought })));
    const turning = world.turn(merchantId, slot0);
    await Promise.all(
      ids.map(async (id, at) => {
        await new Promise((resolve) => setTimeout(resolve, at * 10));
        await cancel(merchantId, id);
      }),
    );
    await turning;
    await world.quiet(merchantId);
    for (const id of ids) {
      const child = world.childOf(id, 2);
      const wasCharged = world.cases(id).includes('chargeDue');
      // Said before the cancel, never after it.
      if (wasCharged)
        expect(world.cases(id).indexOf('chargeDue')).toBeLessThan(world.cases(id).indexOf('subscriptionCancelled'));
      if (wasCharged && child !== undefined) await world.pay(child.orderId);
    }
    await world.quiet(merchantId);
    for (const id of ids) {
      const wasCharged = world.cases(id).includes('chargeDue');
      const { subscription } = await world.api.getSubscription({ merchantId, subscriptionId: id });
      expect(subscription).toMatchObject({ status: 'cancelled', term: wasCharged ? 2 : 1 });
      expect(subscription?.nextChargeAt).toBeUndefined();
    }
  });

  test('a cancel between "a child is due" and the child: it is told of the cancel, quietly, and is not charged', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    world.makesChildren = false;
    await world.turn(merchantId, slot0);
    const due = await world.heard(id, 'renewalDue');
    world.makesChildren = true;
    await cancel(merchantId, id);
    const event = world.said.find((each) => each.subscriptionId === id && each.payload?.$case === 'renewalDue');
    if (event === undefined) throw new Error('it was said');
    const child = await world.makeChild(event, due);
    expect(await world.heard(id, 'subscriptionCancelled', 2)).toMatchObject({
      suppressCustomerNotification: true,
      openOrderId: child,
    });
    await world.turn(merchantId, slot2);
    await world.heard(id, 'subscriptionExpired');
    expect(count(id, 'chargeDue')).toBe(0);
    expect(await restore(merchantId, id)).toMatchObject({ subscription: { status: 'not paid', openOrderId: child } });
    expect(await world.heard(id, 'chargeDue')).toMatchObject({ orderId: child, slot: 2 });
  });

  test('a cancel while a charge is under way: paid, one term more, and still cancelled', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    await cancel(merchantId, id);
    await world.pay(child);
    await world.heard(id, 'subscriptionRenewed');
    await world.turn(merchantId, day('2030-03-10'));
    expect(await world.heard(id, 'subscriptionExpired')).toMatchObject({ expiresAt: day('2030-03-10') });
    expect(count(id, 'renewalDue')).toBe(1);
  });

  test('the child twenty times at once is charged once', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const child = await world.charged(merchantId, id, slot0);
    await twenty(() => world.pay(child));
    await twenty(() => world.fail(child));
    await world.quiet(merchantId);
    expect(world.cases(id)).toEqual(['subscriptionStarted', 'renewalDue', 'chargeDue', 'subscriptionRenewed']);
  });
});

describe('reads', () => {
  test('a list is paged both ways, newest first, and filtered', async () => {
    const merchantId = await world.merchant(bought);
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      const { ids: pair } = await world.buy({ merchantId, paidAt: bought, items: 2 });
      for (const id of pair) await world.heard(id, 'subscriptionStarted');
      ids.unshift(...pair.toReversed());
    }
    const list = async (more: {
      limit?: number;
      startingAfter?: string;
      endingBefore?: string;
      status?: string;
      orderId?: bigint;
    }) => {
      const page = await world.api.listSubscriptions({
        merchantId,
        limit: 100,
        startingAfter: '',
        endingBefore: '',
        status: '',
        orderId: 0n,
        ...more,
      });
      return { ids: page.subscriptions.map((each) => each.id), hasMore: page.hasMore };
    };
    expect(await list({})).toEqual({ ids, hasMore: false });
    expect(await list({ limit: 4 })).toEqual({ ids: ids.slice(0, 4), hasMore: true });
    expect(await list({ limit: 4, startingAfter: ids[3] ?? '' })).toEqual({ ids: ids.slice(4), hasMore: false });
    expect(await list({ limit: 2, endingBefore: ids[3] ?? '' })).toEqual({ ids: ids.slice(1, 3), hasMore: true });
    expect(await list({ limit: 0 })).toMatchObject({ ids: ids.slice(0, 1) });
    await cancel(merchantId, ids[2] ?? '');
    expect(await list({ status: 'cancelled' })).toMatchObject({ ids: [ids[2]] });
    expect(await list({ status: 'not paid' })).toMatchObject({ ids: [] });
    const [parent = ''] = (ids[0] ?? '').split('_');
    expect(await list({ orderId: BigInt(parent) })).toMatchObject({ ids: ids.slice(0, 2) });
    await expect(list({ status: 'paused' })).rejects.toMatchObject({ code: 'invalid_field', param: 'status' });
    await expect(list({ startingAfter: 'nothing' })).rejects.toMatchObject({ param: 'starting_after' });
    const child = await world.charged(merchantId, ids[0] ?? '', slot0);
    expect(await list({ orderId: child })).toMatchObject({ ids: [ids[0]] });
  });

  test('the timeline of the parent tells everything, that of a child its term', async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const first = await world.charged(merchantId, id, slot0);
    await world.fail(first);
    await world.heard(id, 'renewalFailed');
    await world.charged(merchantId, id, slot1, 2);
    await world.pay(first);
    await world.heard(id, 'subscriptionRenewed');
    const second = await world.charged(merchantId, id, day('2030-03-08'), 3);
    const parent = BigInt(id.split('_')[0] ?? 0);
    const tell = (orderId: bigint) => world.timeline.readTimeline({ merchantId, orderId });
    const { entries, awaited } = await tell(parent);
    expect(entries.map((each) => each.summary)).toEqual([
      'The subscription of Editor started; it is paid until 2030-02-10.',
      'Term 2 is due; its order is being made.',
      `Order ${first} is to pay term 2.`,
      `The saved card is to be charged for order ${first} (attempt 1 of 3).`,
      `Attempt 1 of 3 for order ${first} failed; the next is planned for 2030-02-09.`,
      `The saved card is to be charged for order ${first} (attempt 2 of 3).`,
      `Term 2 is paid by order ${first}; it lasts until 2030-03-10.`,
      'Term 3 is due; its order is being made.',
      `Order ${second} is to pay term 3.`,
      `The saved card is to be charged for order ${second} (attempt 1 of 3).`,
    ]);
    expect(entries[3]).toMatchObject({ at: slot0, source: 'subscription', type: 'charge_due', objectId: id });
    expect(awaited).toMatchObject([{ type: 'charge_outcome' }]);
    expect((await tell(first)).entries.map((each) => each.summary)).toEqual(
      entries.slice(1, 7).map((each) => each.summary),
    );
    expect((await tell(second)).entries).toHaveLength(3);
    expect(await tell(999_999n)).toEqual({ entries: [], awaited: [] });
  });

  test("another merchant's subscription is not there", async () => {
    const merchantId = await world.merchant(bought);
    const id = await world.subscribe({ merchantId, paidAt: bought });
    const other = randomUUID();
    const notFound = { code: 'subscription_not_found' };
    await expect(world.api.getSubscription({ merchantId: other, subscriptionId: id })).rejects.toMatchObject(notFound);
    await expect(cancel(other, id)).rejects.toMatchObject(notFound);
    await expect(restore(other, id)).rejects.toMatchObject(notFound);
    await expect(cancel(merchantId, '1_1')).rejects.toMatchObject(notFound);
    await expect(cancel(merchantId, "1_1'; drop table subscription")).rejects.toMatchObject(notFound);
    expect(
      (await world.timeline.readTimeline({ merchantId: other, orderId: BigInt(id.split('_')[0] ?? 0) })).entries,
    ).toEqual([]);
    expect(await cancel(merchantId, id)).toMatchObject({ isChanged: true });
  });

  test('every table that names a merchant is under row-level security', () => expectTenantIsolation(world.database));
});

test('news of a kind that is not known here, and of orders that renew nothing, is passed over', async () => {
  const merchantId = await world.merchant(bought);
  await world.publish({ orderId: 5n, payload: undefined }, merchantId);
  await world.publish(
    { orderId: 5n, payload: { $case: 'orderCreated', value: { itemCount: 1, renewal: undefined } } },
    merchantId,
  );
  const id = await world.subscribe({ merchantId, paidAt: bought });
  expect(world.cases(id)).toEqual(['subscriptionStarted']);
  expect(world.log.lines.filter((line) => line.level === 'error')).toEqual([]);
});
