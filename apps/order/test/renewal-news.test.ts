/** Subscriptions from their parent's payment on: child orders, and what orders show. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import { messageOf } from '@tillstream/testkit/wire';
import { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bookedMessage, openWorld, type World } from './world.ts';
import { ends, charged, extended, renewals } from './renewals.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => {
  world.neighbours.away.clear();
  world.clock.set(new Date());
});
afterAll(() => world.close());
const { payFor, isPaid, of, kinds, aParent, renewalOf, childrenOf, aChild, cancelled, restored, documentsOf } =
  renewals(() => world);

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
    world.neighbours.subscriptions.set(id, messageOf(Subscription, { id, type: 'PMR', merchantId: parent.merchantId }));
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
      messageOf(Subscription, { id, merchantId, parentOrderId: orderId, status: 'active', canRestore: false }),
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
