import { readPublicId } from '@tillstream/database/public-id';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Attempts } from '../src/outbound/attempts.ts';
import { makeWorld, merchantId, type World } from './world.ts';

let world: World;
let orders = 1_000n;
const nextOrder = () => (orders += 1n);

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.stop());

const idAtProvider = async (id: string) => {
  const answer = await world.sandbox('GET', `/v1/payments?reference=${readPublicId('pay', id)}`);
  return (answer as { data: { id: string }[] }).data[0]?.id ?? '';
};
const atProvider = async (id: string) => {
  const answer = await world.sandbox('GET', `/v1/payments?reference=${readPublicId('pay', id)}`);
  return (answer as { data: { status: string }[] }).data.map(({ status }) => status);
};

test('a page that nobody used expires, the provider first; one that the customer has begun to pay does not', async () => {
  const [unused, begun] = [nextOrder(), nextOrder()];
  await world.create(unused);
  await world.submitCard(await world.create(begun), '4000002760003184');
  await world.until(begun, 'processing');
  await world.database.pool.query("update timer set due_at = now() where kind = 'expire'");
  expect(await world.until(unused, 'expired')).toMatchObject({ moneyMoved: 'no' });
  expect((await world.payment(begun))?.status).toBe('processing');
});

test('a page whose address never arrived is closed at the provider when its payment ends', async () => {
  const [withdrawn, expired] = [nextOrder(), nextOrder()];
  const ids: string[] = [];
  for (const orderId of [withdrawn, expired]) {
    await world.sandbox('POST', '/v1/test/next', { behaviour: 'error_500_after_create' });
    const { id, redirectUrl } = await world.create(orderId);
    expect([redirectUrl, await atProvider(id)]).toEqual(['', ['created']]);
    ids.push(id);
  }
  const [first = '', second = ''] = ids;
  await world.api.withdrawPayment({ merchantId, paymentId: first });
  await world.database.pool.query("update timer set due_at = now() where kind = 'expire' and aggregate_id = $1", [
    readPublicId('pay', second),
  ]);
  await world.until(expired, 'expired');
  expect([await atProvider(first), await atProvider(second)]).toEqual([['withdrawn'], ['withdrawn']]);
});

test('a page that comes when its payment has ended, and its attempt was settled without one, is closed', async () => {
  const orderId = nextOrder();
  const { id } = await world.create(orderId);
  const paymentId = readPublicId('pay', id) ?? '';
  // A host that slept in the middle of the call: another has taken the attempt, the provider knew of no page, the payment expired.
  const { leased, late } = await world.database.everyMerchant('test', async (tx) => {
    const payment = await tx
      .selectFrom('payment')
      .selectAll()
      .where('payment_id', '=', paymentId)
      .executeTakeFirstOrThrow();
    const attempt = await tx
      .updateTable('attempt')
      .set({ state: 'declined', lease: 7n })
      .where('payment_id', '=', paymentId)
      .returning('attempt_id')
      .executeTakeFirstOrThrow();
    await tx.updateTable('payment').set({ status: 'expired' }).where('payment_id', '=', paymentId).execute();
    const leased = { attemptId: attempt.attempt_id, lease: 6n, tries: 1, payment, providerToken: '' };
    return { leased, late: new Attempts(world.database, () => []).settled(leased, 'open', new Date()) };
  });
  expect(leased.payment.provider_payment_id).not.toBe('');
  await world.database.everyMerchant('test', (tx) => late.writeAll(tx, [late]));
  await eventually(async () => (await atProvider(id)).join() === 'withdrawn');
  await eventually(
    async () => (await world.payment(orderId))?.attempts.map(({ state }) => state).join() === 'declined',
  );
});

test.each([
  ['by callback', true],
  ['when it is asked', false],
])('a page that was closed by a process which then died ends its payment: the provider says so %s', async (_, says) => {
  const orderId = nextOrder();
  world.handsOn = says;
  try {
    const { id } = await world.create(orderId);
    await world.sandbox('POST', `/v1/payments/${await idAtProvider(id)}/withdraw`, {});
    if (!says) await world.api.refreshPayment({ merchantId, orderId });
    expect(await world.until(orderId, 'withdrawn')).toMatchObject({ id, moneyMoved: 'no' });
    const next = await world.create(orderId);
    expect(next.id).not.toBe(id);
    expect([await atProvider(id), await atProvider(next.id)]).toEqual([['withdrawn'], ['created']]);
  } finally {
    world.handsOn = true;
  }
});
