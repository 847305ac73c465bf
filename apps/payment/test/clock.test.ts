import { randomUUIDv7 } from 'node:crypto';
import { readPublicId } from '@tillstream/database/public-id';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeWorld, type World } from './world.ts';

let world: World;
let orders = 9_000n;
const nextOrder = () => (orders += 1n);
const start = new Date('2031-03-01T08:00:00.000Z');
const after = (ms: number) => new Date(start.getTime() + ms);
const [second, minute] = [1_000, 60_000];

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.stop());

/** A merchant of their own, whose clock stands. */
const traveller = async () => {
  const merchant = randomUUIDv7();
  await world.setClock(start, merchant);
  return merchant;
};
/** What the time machine learns once nothing is left to do by this time. */
const atRest = (merchant: string) =>
  eventually(async () => {
    const work = await world.clockApi.readWork({ merchantId: merchant, sinceSequence: 0n });
    return work.busy.length === 0 ? work : undefined;
  });
const until = (orderId: bigint, status: string, merchant: string) =>
  eventually(async () => {
    const payment = await world.payment(orderId, merchant);
    return payment?.status === status ? payment : undefined;
  });
const save = async (merchantId: string, number: string, expiry?: string) => {
  const orderId = nextOrder();
  await world.submitCard(await world.create(orderId, { merchantId, saveInstrument: true }), number, expiry);
  return orderId;
};

test('a page expires after 30 minutes of its merchant, not a second before; one that is being paid does not', async () => {
  const merchantId = await traveller();
  const [unused, begun] = [nextOrder(), nextOrder()];
  expect(await world.create(unused, { merchantId })).toMatchObject({ createdAt: start, expiresAt: after(30 * minute) });
  await world.submitCard(await world.create(begun, { merchantId }), '4000002760003184');
  await until(begun, 'processing', merchantId);
  await world.setClock(after(30 * minute - second), merchantId);
  await atRest(merchantId);
  await world.setClock(after(30 * minute - second + 1), merchantId);
  const rest = await atRest(merchantId);
  expect(rest.nextDueAt).toEqual(after(30 * minute));
  expect(await world.payment(unused, merchantId)).toMatchObject({ status: 'created' });
  await world.setClock(after(30 * minute), merchantId);
  expect(await until(unused, 'expired', merchantId)).toMatchObject({ finalisedAt: after(30 * minute) });
  await atRest(merchantId);
  expect(await world.payment(begun, merchantId)).toMatchObject({ status: 'processing' });
});

test.each([
  ['paid', '12/34', { status: 'booked', moneyMoved: 'yes' }],
  ['not paid', '03/31', { status: 'failed', reason: 'expired_card', moneyMoved: 'no' }],
])('a silent card’s renewal is found %s ten seconds later, by the merchant’s clock', async (_, expiry, outcome) => {
  const merchantId = await traveller();
  const first = await save(merchantId, '4000000000007775', expiry);
  await until(first, 'processing', merchantId);
  await world.setClock(after(10 * second), merchantId);
  const saved = await until(first, 'booked', merchantId);
  expect(saved).toMatchObject({ finalisedAt: after(10 * second) });

  const month = 31 * 86_400_000;
  await world.setClock(after(month), merchantId);
  const orderId = nextOrder();
  await world.chargeDue({ orderId, instrumentId: saved.instrumentId, merchant: merchantId });
  await until(orderId, 'processing', merchantId);
  const rest = await eventually(async () => {
    const work = await atRest(merchantId);
    return work.nextDueAt?.getTime() === after(month + 10 * second).getTime() ? work : undefined;
  });
  expect(rest.busy).toEqual([]);
  expect(await world.payment(orderId, merchantId)).toMatchObject({ outcomeUnknown: true, moneyMoved: 'unknown' });
  await world.setClock(after(month + 10 * second), merchantId);
  const known = await until(orderId, outcome.status, merchantId);
  expect(known).toMatchObject({ ...outcome, finalisedAt: after(month + 10 * second), attempts: [{ tries: 2 }] });
});

test('a charge without an answer is asked again at 10 s, 30 s, 2 min, 5 min, 15 min, 1 h, then daily', async () => {
  const merchantId = await traveller();
  const first = await save(merchantId, '4242424242424242');
  const { instrumentId } = await until(first, 'booked', merchantId);
  const orderId = nextOrder();
  await world.sandbox('POST', '/v1/test/next', { behaviour: 'error_500', times: 9 });
  await world.chargeDue({ orderId, instrumentId, merchant: merchantId });
  let at = 0;
  const pauses = [10 * second, 30 * second, 2 * minute, 5 * minute, 15 * minute, 60 * minute, 1_440 * minute];
  for (const [count, pause] of [...pauses, 1_440 * minute, 1_440 * minute].entries()) {
    await eventually(async () => (await world.payment(orderId, merchantId))?.attempts[0]?.tries === count + 1);
    const id = readPublicId('pay', (await world.payment(orderId, merchantId))?.id ?? '');
    at += pause;
    await eventually(async () => {
      const { rows } = await world.database.pool.query<{ due_at: Date }>(
        "select due_at from timer where kind = 'ask' and aggregate_id = $1",
        [id],
      );
      return rows[0]?.due_at.getTime() === after(at).getTime();
    });
    await world.setClock(after(at), merchantId);
  }
  expect(await until(orderId, 'booked', merchantId)).toMatchObject({
    finalisedAt: after(at),
    attempts: [{ tries: 10 }],
  });
  const { rows } = await world.database.pool.query("select from timer where kind = 'ask'");
  expect(rows).toEqual([]);
});

test('a page that could not be opened is tried again by the merchant’s clock; nobody else feels it', async () => {
  const merchantId = await traveller();
  const orderId = nextOrder();
  await world.sandbox('POST', '/v1/test/next', { behaviour: 'error_500' });
  expect(await world.create(orderId, { merchantId })).toMatchObject({ outcomeUnknown: true, createdAt: start });
  expect((await atRest(merchantId)).nextDueAt).toEqual(after(10 * second));
  await world.setClock(after(10 * second), merchantId);
  const opened = await eventually(async () => {
    const payment = await world.payment(orderId, merchantId);
    return payment?.attempts[0]?.state === 'open' ? payment : undefined;
  });
  expect(opened.attempts).toMatchObject([{ createdAt: start, settledAt: after(10 * second), tries: 2 }]);
});
