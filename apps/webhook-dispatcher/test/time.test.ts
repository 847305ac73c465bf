/** Webhooks of a merchant whose clock is turned (D15): retries wait for its time, and only for that. */
import { eventually } from '@tillstream/testkit/eventually';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { standardDelaysMs } from '../src/domain/retry.ts';
import { sweepDeliveries } from '../src/outbound/rows/results.ts';
import { endpointAt, makeStage, merchantId, otherMerchantId, type Node, type Stage } from './stage.ts';

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
let stage: Stage;
let node: Node;
let shop: HostileReceiver;
let orders = 50_000n;
let sequence = 0n;

beforeAll(async () => {
  stage = await makeStage();
  node = await stage.start({ RETRY_DELAYS_MS: [...standardDelaysMs] });
});
beforeEach(async () => {
  shop = await hostileReceiver();
  return async () => {
    for (const merchant of [merchantId, otherMerchantId]) {
      const { endpoints } = await node.webhooks.listEndpoints({ merchantId: merchant, ...page });
      for (const { id } of endpoints) await node.webhooks.deleteEndpoint({ merchantId: merchant, endpointId: id });
    }
    await shop.stop();
  };
});
afterAll(() => stage.stop());

const page = { limit: 100, startingAfter: '', endingBefore: '' };
const at = (ms: number) => new Date(ms);
const set = (time: Date, on = node, more = { isStanding: true, isWall: false }) =>
  on.clock.setClock({ merchantId, sequence: (sequence += 1n), at: time, ...more });
const work = async (on = node) => {
  const { busy, nextDueAt, nextDue } = await on.clock.readWork({ merchantId, sinceSequence: 0n });
  return { busy: busy.filter((each) => each.what === 'webhooks'), nextDueAt, nextDue };
};
/** As the time machine waits; answers when something is due next. */
const settled = (on = node) =>
  eventually(async () => {
    const { busy, nextDueAt } = await work(on);
    return busy.length === 0 && { nextDueAt };
  });
const deliveries = async (orderId: bigint, merchant = merchantId) => {
  const filter = { ...page, endpointId: '', eventId: '', status: '', orderId };
  return (await node.webhooks.listDeliveries({ merchantId: merchant, ...filter })).deliveries;
};
const endpoint = async (more: Parameters<typeof endpointAt>[1] = {}, on = node) =>
  (await on.webhooks.createEndpoint(endpointAt(shop.url, more))).endpoint?.id ?? '';
const future = () => at(Math.floor(Date.now() / second) * second + 400 * day);
const refuse = { type: 'answer', status: 500 } as const;

describe('a retry', () => {
  test('waits for merchant time, and is stamped with it; the signature has the time of the wall', async () => {
    const start = future();
    await set(start);
    await endpoint();
    shop.behave(refuse);
    const order = (orders += 1n);
    await stage.say(order, ['created']);
    await shop.waitFor(1);
    const first = await settled();
    // The pause is exact where time goes by steps, and named.
    expect(first.nextDueAt).toEqual(at(start.getTime() + 5 * second));
    const [delivery] = await deliveries(order);
    expect((await work()).nextDue).toEqual([
      { dueAt: first.nextDueAt, source: 'webhook-dispatcher', kind: 'webhook_retry', objectId: delivery?.id },
    ]);

    // Five minutes after the second failure, and not a moment before.
    await set(at(start.getTime() + 5 * second));
    await shop.waitFor(2);
    expect((await settled()).nextDueAt).toEqual(at(start.getTime() + 5 * second + 5 * minute));
    await set(at(start.getTime() + 5 * second + 5 * minute - 1));
    await settled();
    expect(shop.requests).toHaveLength(2);
    shop.behave({ type: 'answer', status: 200 });
    await set(at(start.getTime() + 5 * second + 5 * minute));
    await shop.waitFor(3);
    expect((await settled()).nextDueAt).toBeUndefined();

    const [done] = await deliveries(order);
    expect([done?.createdAt, done?.deliveredAt]).toEqual([start, at(start.getTime() + 5 * second + 5 * minute)]);
    expect(done?.attempts.map((attempt) => attempt.at)).toEqual([
      start,
      at(start.getTime() + 5 * second),
      at(start.getTime() + 5 * second + 5 * minute),
    ]);
    for (const { headers } of shop.requests)
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / second)).toBeLessThan(60);
    expect(new Set(shop.requests.map((request) => request.body.toString())).size).toBe(1);
    expect(new Set(shop.requests.map((request) => request.headers['webhook-id'])).size).toBe(1);
  });

  test('does not come by waiting while the clock stands, and comes when the clock runs on', async () => {
    const quick = await stage.start({ RETRY_DELAYS_MS: [300, 300, 300] });
    await node.stop();
    const start = future();
    await set(start, quick);
    await endpoint({}, quick);
    shop.behave(refuse);
    const order = (orders += 1n);
    await stage.say(order, ['created']);
    await shop.waitFor(1);
    await settled(quick);
    // Longer than the pause, and than the look at the rows every 3 s.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(shop.requests).toHaveLength(1);
    await set(start, quick, { isStanding: false, isWall: false });
    await shop.waitFor(2);
    await quick.stop();
    node = await stage.start({ RETRY_DELAYS_MS: [...standardDelaysMs] });
  });

  test('planned in a future that was taken back comes now', async () => {
    await set(future());
    await endpoint();
    shop.behave(refuse);
    const order = (orders += 1n);
    await stage.say(order, ['created', 'paid']);
    await shop.waitFor(1);
    await settled();
    shop.behave({ type: 'answer', status: 200 });
    await set(new Date(), node, { isStanding: false, isWall: true });
    await shop.waitFor(3);
    await eventually(async () => (await deliveries(order)).every((each) => each.status === 'delivered'));
  });
});

describe('a receiver that is gone', () => {
  test('holds up no step: each costs its attempts, then it is given up, or disabled after five days of the merchant', async () => {
    const start = future();
    await set(start);
    const id = await endpoint();
    await shop.down();
    const order = (orders += 1n);
    await stage.say(order, ['created', 'paid']);
    const steps: number[] = [];
    const startedMs = performance.now();
    await eventually(async () => (await deliveries(order)).some((each) => each.attempts.length > 0));
    for (let next = await settled(); next.nextDueAt !== undefined; next = await settled()) {
      steps.push(next.nextDueAt.getTime() - start.getTime());
      await set(next.nextDueAt);
    }
    const pauses = steps.map((step, n) => step - (steps[n - 1] ?? 0));
    // The first is given up after ten attempts; the second follows at that moment, until five days are over.
    expect(pauses.slice(0, 9)).toEqual(standardDelaysMs);
    const { endpoint: now } = await node.webhooks.getEndpoint({ merchantId, endpointId: id });
    expect([now?.status, now?.disabledReason]).toEqual(['disabled', 'failing']);
    expect(steps.at(-1)).toBeGreaterThan(5 * day);
    expect(steps.at(-1)).toBeLessThan(7 * day);
    // Sixteen steps with a probe every few seconds would have taken minutes.
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    await shop.up();
  });

  test('that is paused or disabled is nothing to wait for', async () => {
    await set(future());
    const id = await endpoint();
    const unchanged = { url: undefined, events: undefined, description: undefined };
    const signing = { signSeed: undefined, signStandard: undefined };
    await node.webhooks.updateEndpoint({ merchantId, endpointId: id, ...unchanged, ...signing, status: 'paused' });
    const order = (orders += 1n);
    await stage.say(order, ['created']);
    await eventually(async () => (await deliveries(order)).length === 1);
    expect(await work()).toEqual({ busy: [], nextDueAt: undefined, nextDue: [] });
    await node.webhooks.enableEndpoint({ merchantId, endpointId: id });
    await shop.waitFor(1);
  });

  test('asks for an hour of patience: an hour of the merchant, not of the wall', async () => {
    const start = future();
    await set(start);
    await endpoint();
    shop.behave({ type: 'answer', status: 503, headers: { 'retry-after': '3600' } });
    const [one, two] = [(orders += 1n), (orders += 1n)];
    await stage.say(one, ['created']);
    await shop.waitFor(1);
    await settled();
    // Another order is tried at once: its pause would be the wall's.
    await stage.say(two, ['created']);
    await shop.waitFor(2);
    expect((await settled()).nextDueAt).toEqual(at(start.getTime() + hour));
    shop.behave({ type: 'answer', status: 200 });
    await set(at(start.getTime() + hour));
    await shop.waitFor(4);
    expect((await settled()).nextDueAt).toBeUndefined();
  });
});

describe('two merchants', () => {
  test('one travels, the other waits its pauses by the wall, in the same dispatcher', async () => {
    await set(future());
    const other = await hostileReceiver();
    other.behave((_request, n) => ({ type: 'answer', status: n === 1 ? 500 : 200 }));
    await node.webhooks.createEndpoint(endpointAt(other.url, { merchantId: otherMerchantId }));
    const order = (orders += 1n);
    await stage.say(order, ['created'], { merchantId: otherMerchantId });
    await other.waitFor(1);
    await eventually(async () => (await deliveries(order, otherMerchantId))[0]?.attempts.length === 1);
    for (let n = 1; n < 5; n += 1) await set(at(future().getTime() + n * day));
    expect(other.requests).toHaveLength(1);
    const [waiting] = await deliveries(order, otherMerchantId);
    const pauseMs = (waiting?.nextAttemptAt?.getTime() ?? 0) - (other.requests[0]?.at.getTime() ?? 0);
    expect(pauseMs).toBeGreaterThan(3.9 * second);
    expect(pauseMs).toBeLessThan(6.5 * second);
    await other.waitFor(2, 10_000);
    await other.stop();
  }, 20_000);

  test('of two processes, the one that sends hears that the other was told of the time', async () => {
    await node.stop();
    const sender = await stage.start({ SHARD_LEASE_MS: 60_000 });
    const start = future();
    await set(start, sender);
    await endpoint({}, sender);
    shop.behave(refuse);
    const order = (orders += 1n);
    await stage.say(order, ['created']);
    await shop.waitFor(1);
    // All shards stay with the first: the second is only told of the time. Neither looks at the rows by itself for 20 s.
    const told = await stage.start({ SHARD_LEASE_MS: 60_000, RETRY_DELAYS_MS: [...standardDelaysMs] });
    const { nextDueAt } = await settled(told);
    shop.behave({ type: 'answer', status: 200 });
    await set(nextDueAt ?? start, told);
    await shop.waitFor(2);
    node = told;
    await eventually(async () => (await deliveries(order))[0]?.deliveredAt?.getTime() === nextDueAt?.getTime());
    await sender.stop();
    await told.stop();
    node = await stage.start({ RETRY_DELAYS_MS: [...standardDelaysMs] });
  });
});

test('the ages of what is given up are the merchant’s', async () => {
  const start = future();
  await set(start);
  const id = await endpoint();
  shop.behave({ type: 'answer', status: 410 });
  const order = (orders += 1n);
  await stage.say(order, ['created']);
  await eventually(
    async () => (await node.webhooks.getEndpoint({ merchantId, endpointId: id })).endpoint?.status === 'disabled',
  );
  const statusAfter = async (days: number) => {
    await set(at(start.getTime() + days * day));
    await sweepDeliveries(stage.database.open<object>());
    return (await deliveries(order))[0]?.status;
  };
  expect([await statusAfter(29), await statusAfter(31)]).toEqual(['held', 'exhausted']);
  // What happened in that future is kept to be read: it is new by the wall.
  const events = { ...page, type: '', orderId: order };
  expect((await node.webhooks.listEvents({ merchantId, ...events })).events).toHaveLength(1);
});
