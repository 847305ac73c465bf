import { createHmac } from 'node:crypto';
import { readPublicId } from '@tillstream/database/public-id';
import { eventually } from '@tillstream/testkit/eventually';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { callbackSecretOf, makeWorld, merchantId, otherMerchantId, type World } from './world.ts';

let world: World;
let orders = 1_000n;
const nextOrder = () => (orders += 1n);

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  world.handsOn = true;
  await world.sandbox('POST', '/v1/test/callbacks', {});
});

const journalOf = async (reference: string) => {
  const { data } = (await world.sandbox('GET', '/v1/journal')) as { data: { what: string; reference: string }[] };
  return data.filter((entry) => entry.reference === reference).map((entry) => entry.what);
};
const attemptsOf = async (orderId: bigint) => (await world.payment(orderId))?.attempts.map((attempt) => attempt.state);

describe('a card', () => {
  test('that pays: created, seen, processing, booked; with what may be shown of the card', async () => {
    const orderId = nextOrder();
    const payment = await world.create(orderId);
    expect(payment).toMatchObject({
      status: 'created',
      systemName: 'Bank Card',
      moneyMoved: 'no',
      attempts: [{ state: 'open', tries: 1 }],
    });
    await fetch(payment.redirectUrl);
    await world.until(orderId, 'seen');
    await world.submitCard(payment, '4242424242424242');
    const booked = await world.until(orderId, 'booked');
    expect(booked).toMatchObject({ cardType: 'Visa', cardLast4: '4242', cardExpiration: '12/2034', moneyMoved: 'yes' });
    const details = { $case: 'card', value: { brand: 'Visa', last4: '4242', expiration: '12/2034' } };
    expect(booked.instrument).toEqual({ kind: 'card', display: 'Visa •••• 4242', details });
  });

  test('that is declined fails with the provider’s words; a new payment of the order can be started', async () => {
    const orderId = nextOrder();
    const first = await world.create(orderId);
    await world.submitCard(first, '4000000000009995');
    expect(await world.until(orderId, 'failed')).toMatchObject({
      reason: 'insufficient_funds',
      providerErrorDescription: 'AUTHORIZATION DECLINED. Insufficient cash.',
      moneyMoved: 'no',
    });
    const second = await world.create(orderId);
    expect(second.id).not.toBe(first.id);
    await world.submitCard(second, '4242424242424242');
    await world.until(orderId, 'booked');
  });

  test('that gets no answer is processing until the provider says which; asked or told', async () => {
    const [paid, unpaid] = [nextOrder(), nextOrder()];
    await world.sandbox('POST', '/v1/test/callbacks', { drop: true });
    await world.submitCard(await world.create(paid), '4000000000007775');
    await world.submitCard(await world.create(unpaid), '4000000000008880');
    await eventually(
      async () => (await world.api.refreshPayment({ merchantId, orderId: paid })).payment?.status === 'processing',
    );
    expect(await world.payment(paid)).toMatchObject({ moneyMoved: 'unknown' });
    await eventually(
      async () => (await world.api.refreshPayment({ merchantId, orderId: paid })).payment?.status === 'booked',
    );
    await eventually(
      async () => (await world.api.refreshPayment({ merchantId, orderId: unpaid })).payment?.status === 'failed',
    );
  });
});

describe('callbacks', () => {
  test.each([
    ['doubled', { double: true }],
    ['out of order', { out_of_order: true }],
    ['late', { delay_ms: 300 }],
  ])('that are %s change nothing about the outcome', async (_, behaviour) => {
    await world.sandbox('POST', '/v1/test/callbacks', behaviour);
    const orderId = nextOrder();
    const payment = await world.create(orderId);
    await world.submitCard(payment, '4242424242424242');
    await world.until(orderId, 'booked');
    const [row] = await world.database.everyMerchant('test', (tx) =>
      tx.selectFrom('payment').where('order_id', '=', orderId).select('payment_id').execute(),
    );
    expect(await journalOf(row?.payment_id ?? '')).toEqual(['capture']);
  });

  test('with another amount book nothing and ask for a person', async () => {
    await world.sandbox('POST', '/v1/test/callbacks', { amount_off_by: -1 });
    const orderId = nextOrder();
    await world.submitCard(await world.create(orderId), '4242424242424242');
    await eventually(async () => (await world.payment(orderId))?.reviewReason === 'amount_mismatch');
    expect(await world.payment(orderId)).toMatchObject({ status: 'processing', moneyMoved: 'unknown' });
  });

  test('that are forged, stale or altered are refused; one that is received again is known', async () => {
    const orderId = nextOrder();
    await world.submitCard(await world.create(orderId), '4242424242424242');
    await world.until(orderId, 'booked');
    const real = world.callbacks.at(-1);
    if (real === undefined) throw new Error('no callback');
    const send = (headers: Record<string, string>, body: Buffer) =>
      world.api.receiveCallback({ provider: real.address, headers, body });
    await expect(send({}, real.body)).rejects.toMatchObject({ code: 'callback_not_authentic' });
    await expect(send(real.headers, Buffer.concat([real.body, Buffer.from(' ')]))).rejects.toMatchObject({
      code: 'callback_not_authentic',
    });
    const old = Math.floor(Date.now() / 1_000) - 3_600;
    const stale = createHmac('sha256', callbackSecretOf(real.address))
      .update(`${old}.`)
      .update(real.body)
      .digest('hex');
    await expect(send({ 'sandbox-signature': `t=${old},v1=${stale}` }, real.body)).rejects.toMatchObject({
      code: 'callback_not_authentic',
    });
    await expect(world.api.receiveCallback({ provider: 'nobody', headers: {}, body: real.body })).rejects.toMatchObject(
      { code: 'provider_not_found' },
    );
    expect(await send(real.headers, real.body)).toEqual({ isNew: false });
  });

  test('of which twenty copies come at once are kept once, and move the payment once', async () => {
    const orderId = nextOrder();
    world.handsOn = false;
    const before = world.callbacks.length;
    await world.submitCard(await world.create(orderId), '4242424242424242');
    await eventually(async () => world.callbacks.length >= before + 2);
    world.handsOn = true;
    const succeeded = world.callbacks.slice(before).find(({ body }) => body.includes('payment.succeeded'));
    if (succeeded === undefined) throw new Error('no callback');
    const copies = await Promise.all(
      Array.from({ length: 20 }, () => world.api.receiveCallback({ provider: succeeded.address, ...succeeded })),
    );
    expect(copies.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect((await world.payment(orderId))?.status).toBe('booked');
    const { booked, kept } = await world.database.everyMerchant('test', async (tx) => ({
      booked: await tx
        .selectFrom('payment_history')
        .where('order_id', '=', orderId)
        .where('type', '=', 'paymentBooked')
        .selectAll()
        .execute(),
      kept: await tx
        .selectFrom('callback')
        .where('provider_event_id', '=', z.object({ id: z.string() }).parse(JSON.parse(String(succeeded.body))).id)
        .selectAll()
        .execute(),
    }));
    expect(booked).toHaveLength(1);
    expect(kept).toMatchObject([{ applied_at: expect.any(Date), due_at: null }]);
  });

  test('about a payment that nobody knows are kept and not applied', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const body = Buffer.from(
      JSON.stringify({
        id: `evt-${now}`,
        type: 'payment.succeeded',
        payment: {
          id: 'x',
          reference: '01890000-0000-7000-8000-0000000000ff',
          amount_minor: '1',
          currency: 'EUR',
          status: 'succeeded',
          failure_code: '',
          failure_words: '',
          card_brand: '',
          card_last_4: '',
          card_expiration: '',
        },
      }),
    );
    const signature = createHmac('sha256', 'callback-secret-for-tests').update(`${now}.`).update(body).digest('hex');
    expect(
      await world.api.receiveCallback({
        provider: 'sandbox',
        headers: { 'sandbox-signature': `t=${now},v1=${signature}` },
        body,
      }),
    ).toEqual({ isNew: true });
    const kept = await world.database.everyMerchant('test', (tx) =>
      tx.selectFrom('callback').where('provider_event_id', '=', `evt-${now}`).selectAll().executeTakeFirst(),
    );
    expect(kept).toMatchObject({ applied_at: null });
    expect(kept?.due_at).not.toBeNull();
  });
});

describe('calls to the provider', () => {
  test.each(['error_500_after_create', 'no_answer_after_create', 'error_500'])(
    '%s is an unknown outcome; the same key finds out, and there is one payment',
    async (behaviour) => {
      await world.sandbox('POST', '/v1/test/next', { behaviour });
      const orderId = nextOrder();
      const unknown = await world.create(orderId);
      expect(unknown).toMatchObject({
        status: 'created',
        outcomeUnknown: true,
        redirectUrl: '',
        attempts: [{ state: 'unknown', tries: 1 }],
      });
      await world.database.everyMerchant('test', (tx) =>
        tx
          .updateTable('attempt')
          .set({ due_at: new Date(0) })
          .where('state', '=', 'unknown')
          .execute(),
      );
      const known = await eventually(async () => {
        const now = await world.payment(orderId);
        // Read one after the other: the attempt may be open in a list whose payment was read before.
        return now?.attempts[0]?.state === 'open' && !now.outcomeUnknown ? now : undefined;
      });
      expect(known).toMatchObject({
        outcomeUnknown: false,
        attempts: [{ id: unknown.attempts[0]?.id, state: 'open' }],
      });
    },
  );

  test('a refusal is a failure without money', async () => {
    await world.sandbox('POST', '/v1/test/next', { behaviour: 'refuse' });
    const payment = await world.create(nextOrder());
    expect(payment).toMatchObject({
      status: 'failed',
      reason: 'provider_error',
      moneyMoved: 'no',
      attempts: [{ state: 'declined' }],
    });
  });

  test('what a crash left between intention and call is taken up with the same key', async () => {
    const orderId = nextOrder();
    const payment = await world.create(orderId);
    // As it stands when the process dies after the commit and before, or during, the call.
    await world.database.everyMerchant('test', async (tx) => {
      await tx
        .updateTable('payment')
        .set({ redirect_url: '', provider_payment_id: '' })
        .where('order_id', '=', orderId)
        .execute();
      await tx
        .updateTable('attempt')
        .set({ state: 'sent', due_at: new Date(0), leased_until: new Date(0), settled_at: null })
        .where('attempt_id', '=', payment.attempts[0]?.id ?? '')
        .execute();
    });
    await eventually(async () => (await world.payment(orderId))?.redirectUrl === payment.redirectUrl);
    await eventually(async () => (await attemptsOf(orderId))?.join() === 'open');
  });
});

test('twenty clicks at once start one payment', async () => {
  const orderId = nextOrder();
  const all = await Promise.all(Array.from({ length: 20 }, () => world.create(orderId)));
  expect(new Set(all.map((payment) => payment.id)).size).toBe(1);
  const { payments } = await world.api.listPayments({
    merchantId,
    orderId,
    status: '',
    limit: 100,
    startingAfter: '',
    endingBefore: '',
  });
  expect(payments).toHaveLength(1);
});

test('a payment whose callback was lost and whose customer never came back is found', async () => {
  await world.sandbox('POST', '/v1/test/callbacks', { drop: true });
  const [paid, open] = [nextOrder(), nextOrder()];
  await world.submitCard(await world.create(paid), '4242424242424242');
  const unused = readPublicId('pay', (await world.create(open)).id);
  await world.database.pool.query("update timer set due_at = now() where kind = 'look'");
  await world.until(paid, 'booked');
  // The one that nobody has used is looked at again.
  await eventually(async () => {
    const { rows } = await world.database.pool.query<{ waits: boolean }>(
      "select due_at > now() + interval '1 minute' as waits from timer where kind = 'look' and aggregate_id = $1",
      [unused],
    );
    return rows[0]?.waits === true;
  });
  expect(await world.payment(open)).toMatchObject({ status: 'created' });
});

test('a payment can be withdrawn until the customer begins to pay', async () => {
  const [open, begun] = [nextOrder(), nextOrder()];
  const { id } = await world.create(open);
  expect((await world.api.withdrawPayment({ merchantId, paymentId: id })).payment).toMatchObject({
    status: 'withdrawn',
  });
  expect((await world.api.withdrawPayment({ merchantId, paymentId: id })).payment).toMatchObject({
    status: 'withdrawn',
  });
  const paying = await world.create(begun);
  await world.submitCard(paying, '4000002760003184');
  await expect(world.api.withdrawPayment({ merchantId, paymentId: paying.id })).rejects.toMatchObject({
    code: 'payment_not_withdrawable',
  });
});

test('withdrawing an old payment leaves the live one of the same order alone', async () => {
  const orderId = nextOrder();
  const old = await world.create(orderId);
  await world.submitCard(old, '4000000000000002');
  await world.until(orderId, 'failed');
  const live = await world.create(orderId);
  await expect(world.api.withdrawPayment({ merchantId, paymentId: old.id })).rejects.toMatchObject({
    code: 'payment_not_withdrawable',
  });
  expect(await world.payment(orderId)).toMatchObject({ id: live.id, status: 'created' });
});

test('asking again during an outage spends no tries', async () => {
  await world.sandbox('POST', '/v1/test/next', { behaviour: 'error_500', times: 1 });
  const orderId = nextOrder();
  await world.create(orderId);
  for (let at = 0; at < 5; at += 1) await world.api.refreshPayment({ merchantId, orderId });
  expect((await world.payment(orderId))?.attempts).toMatchObject([{ state: 'unknown', tries: 1 }]);
});

test('live mode has no sandbox; another method and another merchant find nothing', async () => {
  await expect(world.create(nextOrder(), { livemode: true })).rejects.toMatchObject({
    code: 'payment_method_not_supported',
  });
  await expect(world.create(nextOrder(), { method: 'Barter' })).rejects.toMatchObject({
    code: 'payment_method_not_supported',
  });
  const mine = await world.create(nextOrder());
  await expect(world.api.withdrawPayment({ merchantId: otherMerchantId, paymentId: mine.id })).rejects.toMatchObject({
    code: 'payment_not_found',
  });
  expect(
    (await world.api.getPayments({ keys: [{ merchantId: otherMerchantId, paymentId: mine.id }] })).payments,
  ).toEqual([]);
  await expectTenantIsolation(world.database);
});
