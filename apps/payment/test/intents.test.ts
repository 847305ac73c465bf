/** Several attempts of one order: which of them pays it, and what becomes of the others and of their money. */
import { readPublicId } from '@tillstream/database/public-id';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { eventually } from '@tillstream/testkit/eventually';
import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeWorld, merchantId, type World } from './world.ts';

let world: World;
let orders = 5_000n;
const nextOrder = () => (orders += 1n);

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  world.handsOn = true;
  await world.sandbox('POST', '/v1/test/callbacks', {});
});

const goodCard = '4242424242424242';
const approve = (payment: Payment) => world.submit(payment, { action: 'approve' });
const transferOf = (orderId: bigint) => world.create(orderId, { method: 'BankTransfer' });
const get = async ({ id }: Payment) =>
  (await world.api.getPayments({ keys: [{ merchantId, paymentId: id }] })).payments[0];
const until = (payment: Payment, status: string) =>
  eventually(async () => {
    const now = await get(payment);
    return now?.status === status ? now : undefined;
  });
const atProvider = async ({ id }: Payment) => {
  const answer = await world.sandbox('GET', `/v1/payments?reference=${readPublicId('pay', id)}`);
  return (answer as { data: { status: string }[] }).data.map(({ status }) => status).join();
};
const intentOf = (orderId: bigint) =>
  world.database.everyMerchant('test', async (tx) => {
    const intent = await tx
      .selectFrom('payment_intent')
      .where('order_id', '=', orderId)
      .selectAll()
      .executeTakeFirstOrThrow();
    const receipts = await tx
      .selectFrom('receipt')
      .where('intent_id', '=', intent.intent_id)
      .orderBy('received_at')
      .select(['amount_minor', 'taken_for', 'currency'])
      .execute();
    return { status: intent.status, received: intent.received_minor, amount: intent.amount_minor, receipts };
  });
/** What the order service receives: the sums of `PaymentBooked`. */
const toldOf = async (orderId: bigint) => {
  const { rows } = await world.database.pool.query<{ value: Buffer }>('select value from outbox');
  return rows
    .map(({ value }) => PaymentEvent.decode(value))
    .flatMap(({ orderId: of, payload }) =>
      of === orderId && payload?.$case === 'paymentBooked' ? [payload.value.amountMinor] : [],
    );
};
const counted = (amount: bigint) => ({ amount_minor: amount, taken_for: 'counted', currency: 'EUR' });
/** Callbacks of a moment, handed on only now. */
async function heldBack(work: () => Promise<unknown>, count: number): Promise<World['callbacks']> {
  world.handsOn = false;
  const before = world.callbacks.length;
  await work();
  const held = await eventually(async () => {
    const found = world.callbacks.slice(before).filter(({ body }) => body.includes('payment.succeeded'));
    return found.length >= count ? found : undefined;
  });
  world.handsOn = true;
  return held;
}

describe('while a transfer waits', () => {
  test('a card may be begun; the one that pays first withdraws the other, at the provider first', async () => {
    const orderId = nextOrder();
    const transfer = await transferOf(orderId);
    const card = await world.create(orderId);
    expect(card.id).not.toBe(transfer.id);
    expect((await transferOf(orderId)).id).toBe(transfer.id);
    expect((await world.create(orderId)).id).toBe(card.id);
    await world.submitCard(card, goodCard);
    await until(card, 'booked');
    expect(await until(transfer, 'withdrawn')).toMatchObject({ moneyMoved: 'no', reviewReason: '' });
    expect(await atProvider(transfer)).toBe('withdrawn');
    expect(await intentOf(orderId)).toEqual({
      status: 'paid',
      received: 10_000n,
      amount: 10_000n,
      receipts: [counted(10_000n)],
    });
    expect(await toldOf(orderId)).toEqual([10_000n]);
    await expect(transferOf(orderId)).rejects.toMatchObject({ code: 'order_already_paid' });
  });

  test('the transfer may be the faster one; the card page is closed', async () => {
    const orderId = nextOrder();
    const transfer = await transferOf(orderId);
    const card = await world.create(orderId);
    await approve(transfer);
    await until(transfer, 'booked');
    await until(card, 'withdrawn');
    expect(await atProvider(card)).toBe('withdrawn');
    expect(await toldOf(orderId)).toEqual([10_000n]);
  });

  test('a card that is declined changes nothing about the transfer, and each can be withdrawn by itself', async () => {
    const orderId = nextOrder();
    const transfer = await transferOf(orderId);
    const declined = await world.create(orderId);
    await world.submitCard(declined, '4000000000000002');
    await until(declined, 'failed');
    const card = await world.create(orderId);
    await world.api.withdrawPayment({ merchantId, paymentId: card.id });
    expect(await get(transfer)).toMatchObject({ status: 'created' });
    await world.api.withdrawPayment({ merchantId, paymentId: transfer.id });
    expect(await intentOf(orderId)).toMatchObject({ status: 'unpaid', received: 0n, receipts: [] });
  });

  test('an online attempt is still the only one of its kind', async () => {
    const orderId = nextOrder();
    await world.create(orderId);
    await expect(transferOf(orderId)).rejects.toMatchObject({ code: 'attempt_unresolved' });
    await expect(world.create(orderId, { saveInstrument: true })).rejects.toMatchObject({ code: 'attempt_unresolved' });
  });

  test('a process that died after the page was closed and before that was recorded leaves a timer that ends it', async () => {
    const orderId = nextOrder();
    const transfer = await transferOf(orderId);
    const card = await world.create(orderId);
    await world.submitCard(card, goodCard);
    await until(card, 'booked');
    await until(transfer, 'withdrawn');
    const paymentId = readPublicId('pay', transfer.id) ?? '';
    await world.database.everyMerchant('test', (tx) =>
      tx
        .updateTable('payment')
        .set({ status: 'seen', finalised_at: null })
        .where('payment_id', '=', paymentId)
        .execute(),
    );
    await world.database.pool.query(
      "insert into timer (machine, aggregate_id, kind, timer_id, merchant_id, due_at, traceparent) values ('payment', $1, 'supersede', $2, $3, now(), '')",
      [paymentId, randomUUIDv7(), merchantId],
    );
    await until(transfer, 'withdrawn');
    expect(await intentOf(orderId)).toMatchObject({ status: 'paid', receipts: [counted(10_000n)] });
  });
});

describe('money that comes besides', () => {
  test.each([
    ['one after the other', false],
    ['in one batch', true],
  ])('two attempts settle before either is known, %s: the first pays, the other is a surplus', async (_, isAtOnce) => {
    const orderId = nextOrder();
    const transfer = await transferOf(orderId);
    const card = await world.create(orderId);
    const callbacks = await heldBack(() => Promise.all([world.submitCard(card, goodCard), approve(transfer)]), 2);
    const send = (callback: World['callbacks'][number]) =>
      world.api.receiveCallback({ provider: callback.address, ...callback });
    if (isAtOnce) await Promise.all(callbacks.map(send));
    else for (const callback of callbacks) await send(callback);
    const both = [await until(card, 'booked'), await until(transfer, 'booked')];
    expect(both.map(({ reviewReason }) => reviewReason).toSorted()).toEqual(['', 'paid_after_final']);
    const intent = await intentOf(orderId);
    expect(intent).toMatchObject({ status: 'overpaid', received: 20_000n });
    expect(intent.receipts.map(({ taken_for: takenFor }) => takenFor).toSorted()).toEqual(['counted', 'surplus']);
    // The order is paid by the first, and records a refund that is due for the second.
    expect(await toldOf(orderId)).toEqual([10_000n, 10_000n]);
  });

  test('an attempt that had ended keeps its status; the receipt is kept and not counted', async () => {
    const orderId = nextOrder();
    const transfer = await transferOf(orderId);
    const [late] = await heldBack(() => approve(transfer), 1);
    if (late === undefined) throw new Error('no callback');
    await world.database.everyMerchant('test', (tx) =>
      tx.updateTable('payment').set({ status: 'withdrawn' }).where('order_id', '=', orderId).execute(),
    );
    await world.api.receiveCallback({ provider: late.address, ...late });
    expect(await get(transfer)).toMatchObject({ status: 'withdrawn', reviewReason: 'paid_after_final' });
    expect(await intentOf(orderId)).toMatchObject({
      status: 'unpaid',
      received: 0n,
      receipts: [{ amount_minor: 10_000n, taken_for: 'late' }],
    });
    expect(await toldOf(orderId)).toEqual([]);
  });

  test('another sum than a card page showed is held, with its receipt; another method waits for a person', async () => {
    await world.sandbox('POST', '/v1/test/callbacks', { amount_off_by: -1 });
    const orderId = nextOrder();
    const card = await world.create(orderId);
    await world.submitCard(card, goodCard);
    await eventually(async () => (await get(card))?.reviewReason === 'amount_mismatch');
    expect(await intentOf(orderId)).toMatchObject({
      status: 'unpaid',
      receipts: [{ amount_minor: 9_999n, taken_for: 'other_sum' }],
    });
    await expect(transferOf(orderId)).rejects.toMatchObject({ code: 'attempt_unresolved' });
  });
});

describe('a transfer over another sum', () => {
  test('is booked with what it brought; a further attempt asks for the rest, and the order is paid once', async () => {
    const orderId = nextOrder();
    const transfer = await transferOf(orderId);
    await world.sandbox('POST', '/v1/test/callbacks', { amount_off_by: -4_000 });
    await approve(transfer);
    expect(await until(transfer, 'booked')).toMatchObject({ reviewReason: '', moneyMoved: 'yes' });
    expect(await intentOf(orderId)).toMatchObject({ status: 'partially_paid', received: 6_000n });
    expect(await toldOf(orderId)).toEqual([]);

    await world.sandbox('POST', '/v1/test/callbacks', {});
    const rest = await world.create(orderId);
    expect(rest.amountMinor).toBe(4_000n);
    expect((await world.create(orderId)).id).toBe(rest.id);
    await world.submitCard(rest, goodCard);
    await until(rest, 'booked');
    expect(await intentOf(orderId)).toEqual({
      status: 'paid',
      received: 10_000n,
      amount: 10_000n,
      receipts: [counted(6_000n), counted(4_000n)],
    });
    expect(await toldOf(orderId)).toEqual([10_000n]);
  });

  test('and more than was asked pays the order, and the intent says by how much', async () => {
    const orderId = nextOrder();
    await world.sandbox('POST', '/v1/test/callbacks', { amount_off_by: 500 });
    const transfer = await transferOf(orderId);
    await approve(transfer);
    expect(await until(transfer, 'booked')).toMatchObject({ reviewReason: '' });
    expect(await intentOf(orderId)).toMatchObject({
      status: 'overpaid',
      received: 10_500n,
      receipts: [counted(10_500n)],
    });
    expect(await toldOf(orderId)).toEqual([10_000n]);
  });

  test('of a renewal’s order leaves the rest to be charged', async () => {
    const saved = await world.create(nextOrder(), { saveInstrument: true });
    await world.submitCard(saved, goodCard);
    const { instrumentId } = await until(saved, 'booked');
    const orderId = nextOrder();
    await world.sandbox('POST', '/v1/test/callbacks', { amount_off_by: -9_000 });
    const transfer = await transferOf(orderId);
    await approve(transfer);
    await until(transfer, 'booked');
    await world.sandbox('POST', '/v1/test/callbacks', {});
    await world.chargeDue({ orderId, instrumentId });
    const charge = await eventually(async () => {
      const newest = await world.payment(orderId);
      return newest?.isOffSession === true && newest.status === 'booked' ? newest : undefined;
    });
    expect(charge.amountMinor).toBe(9_000n);
    expect(await toldOf(orderId)).toEqual([10_000n]);
  });
});

test('a report that comes twenty times is one receipt', async () => {
  const orderId = nextOrder();
  const transfer = await transferOf(orderId);
  const [succeeded] = await heldBack(() => approve(transfer), 1);
  if (succeeded === undefined) throw new Error('no callback');
  const ask = () => world.api.refreshPayment({ merchantId, orderId });
  const send = () => world.api.receiveCallback({ provider: succeeded.address, ...succeeded });
  await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? send() : ask())));
  await until(transfer, 'booked');
  expect(await intentOf(orderId)).toMatchObject({ status: 'paid', receipts: [counted(10_000n)] });
  expect(await toldOf(orderId)).toEqual([10_000n]);
});

test('twenty customers’ clicks by two methods: at most one attempt of each, and the money adds up', async () => {
  const orderId = nextOrder();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, async (_, at) => {
      const begun = at % 2 === 0 ? await world.create(orderId) : await transferOf(orderId);
      // Another click may still be asking for its page.
      const payment = await eventually(async () => {
        const now = await get(begun);
        return now?.redirectUrl !== '' || now.status !== 'created' ? now : undefined;
      });
      if (payment.redirectUrl === '') return;
      if (at % 4 === 0) await world.submitCard(payment, goodCard);
      if (at % 4 === 1) await approve(payment);
    }),
  );
  for (const outcome of outcomes)
    if (outcome.status === 'rejected')
      expect(['order_already_paid', 'attempt_unresolved'], String(outcome.reason)).toContain(outcome.reason.code);
  const listed = async () =>
    (
      await world.api.listPayments({
        merchantId,
        orderId,
        status: '',
        limit: 100,
        startingAfter: '',
        endingBefore: '',
      })
    ).payments;
  const all = await eventually(async () => {
    const now = await listed();
    return now.every(({ status }) => status === 'booked' || status === 'withdrawn') ? now : undefined;
  });
  expect(all.length).toBeLessThanOrEqual(2);
  expect(new Set(all.map(({ method }) => method)).size).toBe(all.length);
  const booked = all.filter(({ status }) => status === 'booked').length;
  expect(booked).toBeGreaterThan(0);
  expect(await intentOf(orderId)).toMatchObject({
    status: booked === 1 ? 'paid' : 'overpaid',
    received: 10_000n * BigInt(booked),
  });
  expect((await intentOf(orderId)).receipts).toHaveLength(booked);
  expect(await toldOf(orderId)).toHaveLength(booked);
});

test('a payment expires after the minutes that it was given', async () => {
  const open = async (expiryMinutes: number) => {
    const { createdAt, expiresAt } = await world.create(nextOrder(), { expiryMinutes });
    return ((expiresAt?.getTime() ?? 0) - (createdAt?.getTime() ?? 0)) / 60_000;
  };
  expect([await open(0), await open(5), await open(1_440)]).toEqual([30, 5, 1_440]);
  await expect(open(4)).rejects.toMatchObject({ code: 'invalid_field', param: 'expiry_minutes' });
});
