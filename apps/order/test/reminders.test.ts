/** Reminders of unpaid orders: when, and when not. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookedMessage, openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const policies = (unpaidOrderReminders: string[]) => ({
  commissionBp: 0,
  renewalConsent: 'switch',
  renewalConsentDefault: false,
  unpaidOrderReminders,
  paymentExpiryMinutes: 30,
});
const anOrder = (reminders: string[] = ['P1D', 'P7D']): Promise<Order> =>
  world.order(world.neighbours.addProduct(world.neighbours.addMerchant({ policies: policies(reminders) })));
const kinds = (order: Order) => world.saidOf(order.orderId).map((event) => event.payload?.$case);
const timersOf = async (order: Order) => {
  const { rows } = await world.database.pool.query<{ kind: string; due_at: Date }>(
    'select kind, due_at from timer where aggregate_id = $1 order by due_at',
    [String(order.orderId)],
  );
  return rows.map((row) => [
    row.kind,
    Math.round((row.due_at.getTime() - (order.createdAt?.getTime() ?? 0)) / 3_600_000),
  ]);
};
/** The kind's timer has been due for so long. */
const dueSince = (order: Order, kind: string, interval: string) =>
  world.database.pool.query('update timer set due_at = now() - $3::interval where aggregate_id = $1 and kind = $2', [
    String(order.orderId),
    kind,
    interval,
  ]);
const isGone = (order: Order, kind: string) =>
  eventually(async () => (await timersOf(order)).every(([left]) => left !== kind));

test('each is told once, in its turn', async () => {
  const order = await anOrder();
  expect(await timersOf(order)).toEqual([
    ['remind 1', 24],
    ['remind 2', 168],
    ['delete unpaid', 2_160],
  ]);
  await dueSince(order, 'remind 1', '1 minute');
  await eventually(() => kinds(order).length === 2);
  await dueSince(order, 'remind 2', '1 minute');
  await eventually(() => kinds(order).length === 3);
  expect(world.saidOf(order.orderId).map((event) => event.payload?.value)).toMatchObject([
    { itemCount: 1 },
    { number: 1 },
    { number: 2 },
  ]);
  expect((await world.get(order.merchantId, order.orderId)).status).toBe('not paid');
  expect((await world.timeline.readTimeline(order)).entries.at(-1)?.summary).toContain('(2)');
});

test('none for merchants who want none, and none any more once they are switched off', async () => {
  expect(await timersOf(await anOrder([]))).toEqual([['delete unpaid', 2_160]]);
  const order = await anOrder();
  const merchant = world.neighbours.merchants.get(order.merchantId);
  if (merchant !== undefined) world.neighbours.merchants.set(merchant.id, { ...merchant, policies: policies([]) });
  // What is known of a shop may be a second old.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await dueSince(order, 'remind 1', '1 minute');
  await isGone(order, 'remind 1');
  expect(kinds(order)).toEqual(['orderCreated']);
});

test('none when the host slept past it for more than a day; the next one comes', async () => {
  const order = await anOrder();
  await dueSince(order, 'remind 1', '25 hours');
  await isGone(order, 'remind 1');
  await dueSince(order, 'remind 2', '23 hours');
  await eventually(() => kinds(order).length === 2);
  expect(world.saidOf(order.orderId)[1]?.payload?.value).toEqual({ number: 2 });
});

test('none after it was paid or deleted', async () => {
  const [paid, deleted] = [await anOrder(), await anOrder()];
  await world.hear(bookedMessage(world.neighbours.pay(paid)));
  await world.until(paid, (now) => now.status === 'paid');
  await world.api.deleteOrder(deleted);
  expect([await timersOf(paid), await timersOf(deleted)]).toEqual([[], []]);
  await eventually(() => kinds(paid).length === 2 && kinds(deleted).length === 2);
});

test('they wait for a merchant service that is away', async () => {
  const order = await anOrder();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  world.neighbours.away.add('merchant');
  await dueSince(order, 'remind 1', '1 minute');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(kinds(order)).toEqual(['orderCreated']);
  world.neighbours.away.clear();
  // Nobody waits a minute here for its lease to be over.
  await world.database.pool.query('delete from timer_lease');
  await eventually(() => kinds(order).length === 2);
});
