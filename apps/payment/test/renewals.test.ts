import { randomUUIDv7 } from 'node:crypto';
import { readPublicId } from '@tillstream/database/public-id';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeWorld, merchantId, otherMerchantId, type World } from './world.ts';

let world: World;
let orders = 5_000n;
const nextOrder = () => (orders += 1n);

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.sandbox('POST', '/v1/test/callbacks', {});
});

const paymentsOf = async (orderId: bigint) =>
  (await world.api.listPayments({ merchantId, orderId, status: '', limit: 100, startingAfter: '', endingBefore: '' }))
    .payments;
const journalOf = async (payment: Payment) => {
  const { data } = (await world.sandbox('GET', '/v1/journal')) as { data: { what: string; reference: string }[] };
  const reference = readPublicId('pay', payment.id);
  return data.filter((entry) => entry.reference === reference).map((entry) => entry.what);
};
/** A customer pays with this card and agrees that it is kept. */
const save = async (number = '4242424242424242', more: { merchantId?: string; expiry?: string } = {}) => {
  const orderId = nextOrder();
  const { merchantId: merchant = merchantId, expiry } = more;
  const payment = await world.create(orderId, { saveInstrument: true, merchantId: merchant });
  await world.submitCard(payment, number, expiry);
  return world.until(orderId, 'booked', merchant);
};
const isKnownToBeUnknown = (orderId: bigint, merchant?: string) =>
  eventually(async () => {
    const payment = await world.payment(orderId, merchant);
    return payment?.outcomeUnknown === true && payment.attempts[0]?.state === 'unknown' ? payment : undefined;
  });
/** As a process leaves it that dies while it holds the attempt. */
const leaveAsAfterCrash = async (payment: Payment) => {
  const id = payment.attempts[0]?.id;
  await world.database.pool.query("delete from timer where kind = 'ask' and aggregate_id = $1", [
    readPublicId('pay', payment.id),
  ]);
  await world.database.everyMerchant('test', (tx) =>
    tx
      .updateTable('attempt')
      .set({ state: 'sent', due_at: new Date(0), leased_until: new Date(0) })
      .where('attempt_id', '=', id ?? '')
      .execute(),
  );
};

describe('a card that is kept', () => {
  test('is charged again without its owner; its token is told to nobody', async () => {
    const saved = await save();
    expect(saved).toMatchObject({ isOffSession: false, moneyMoved: 'yes' });
    expect(saved.instrumentId).not.toBe('');
    const orderId = nextOrder();
    await world.chargeDue({ orderId, instrumentId: saved.instrumentId });
    const charged = await world.until(orderId, 'booked');
    expect(charged).toMatchObject({
      isOffSession: true,
      instrumentId: saved.instrumentId,
      method: 'CreditCard',
      systemName: 'Bank Card',
      cardLast4: '4242',
      cardExpiration: '12/2034',
      expiresAt: undefined,
      attempts: [{ kind: 'charge', state: 'succeeded', tries: 1 }],
    });
    expect(await journalOf(charged)).toEqual(['capture']);

    const [kept] = await world.database.everyMerchant('test', (tx) =>
      tx.selectFrom('instrument').where('instrument_id', '=', saved.instrumentId).selectAll().execute(),
    );
    expect(kept?.provider_token).toMatch(/^ins_/);
    const token = kept?.provider_token ?? '';
    const { rows } = await world.database.pool.query<{ value: Buffer }>('select value from outbox');
    expect(rows.length).toBeGreaterThan(0);
    for (const { value } of rows) expect(value.includes(token)).toBe(false);
    for (const { body } of world.callbacks) expect(body.includes(token)).toBe(false);
    expect(
      JSON.stringify(await paymentsOf(orderId), (_, each: unknown) => (typeof each === 'bigint' ? '' : each)),
    ).not.toContain(token);
  });

  test('pays once and is declined on renewals, or is over by then', async () => {
    const [declined, over] = [nextOrder(), nextOrder()];
    const wrong = await save('4000000000000341');
    await world.chargeDue({ orderId: declined, instrumentId: wrong.instrumentId });
    expect(await world.until(declined, 'failed')).toMatchObject({ reason: 'card_declined', moneyMoved: 'no' });

    // At the merchant's date.
    const merchant = randomUUIDv7();
    const soon = new Date();
    const expiry = `${String(soon.getUTCMonth() + 1).padStart(2, '0')}/${soon.getUTCFullYear() % 100}`;
    const short = await save('4242424242424242', { merchantId: merchant, expiry });
    await world.setClock(new Date(Date.UTC(soon.getUTCFullYear(), soon.getUTCMonth() + 1, 1)), merchant);
    await world.chargeDue({ orderId: over, instrumentId: short.instrumentId, merchant });
    expect(await world.until(over, 'failed', merchant)).toMatchObject({ reason: 'expired_card' });
  });

  test('that pays nothing now is kept all the same, and nothing is captured', async () => {
    await expect(world.create(nextOrder(), { amountMinor: 0n })).rejects.toMatchObject({ code: 'amount_out_of_range' });
    const orderId = nextOrder();
    const payment = await world.create(orderId, { amountMinor: 0n, saveInstrument: true });
    const page = await (await fetch(payment.redirectUrl)).text();
    expect(page).toContain('Nothing is charged now.');
    expect(page).toContain('The card is kept for renewals');
    await world.submitCard(payment, '4242424242424242');
    const booked = await world.until(orderId, 'booked');
    expect(booked).toMatchObject({ amountMinor: 0n, moneyMoved: 'no' });
    expect(booked.instrumentId).not.toBe('');
    expect(await journalOf(booked)).toEqual(['verification']);
  });

  test('that is declined is not kept', async () => {
    const orderId = nextOrder();
    await world.submitCard(await world.create(orderId, { saveInstrument: true }), '4000000000009995');
    expect(await world.until(orderId, 'failed')).toMatchObject({ reason: 'insufficient_funds', instrumentId: '' });
  });
});

describe('a charge', () => {
  test('that is told twice, or anew for the same slot, happens once; another slot is another charge', async () => {
    const { instrumentId } = await save('4000000000000341');
    const orderId = nextOrder();
    const subscriptionId = '77_1';
    const messages = await world.chargeDue({ orderId, instrumentId, subscriptionId });
    await world.until(orderId, 'failed');
    await world.say(messages);
    await world.chargeDue({ orderId, instrumentId, subscriptionId });
    await world.chargeDue({ orderId, instrumentId, subscriptionId, slot: 1 });
    const both = await eventually(async () => {
      const found = await paymentsOf(orderId);
      return found.length >= 2 && found.every((payment) => payment.status === 'failed') ? found : undefined;
    });
    expect(both).toHaveLength(2);
    expect(new Set(both.map(({ id }) => id)).size).toBe(2);
  });

  test.each([
    ['between its intention and the call', 'error_500'],
    ['between the call and its result', 'no_answer_after_create'],
  ])('that a crash %s interrupted is called with the same key: one capture', async (_, behaviour) => {
    const { instrumentId } = await save();
    const orderId = nextOrder();
    await world.sandbox('POST', '/v1/test/next', { behaviour });
    await world.chargeDue({ orderId, instrumentId });
    const unknown = await isKnownToBeUnknown(orderId);
    expect(await journalOf(unknown)).toEqual(behaviour === 'error_500' ? [] : ['capture']);
    await leaveAsAfterCrash(unknown);
    const booked = await world.until(orderId, 'booked');
    expect(booked.attempts).toMatchObject([{ id: unknown.attempts[0]?.id, state: 'succeeded' }]);
    expect(await journalOf(booked)).toEqual(['capture']);
  });

  test('is not made beside a payment of the order that lives, nor later when it is told again', async () => {
    const { instrumentId } = await save();
    const orderId = nextOrder();
    const byHand = await world.create(orderId);
    const messages = await world.chargeDue({ orderId, instrumentId });
    // What is told later is charged: what came before it was heard.
    const after = nextOrder();
    await world.chargeDue({ orderId: after, instrumentId });
    await world.until(after, 'booked');
    expect(await paymentsOf(orderId)).toHaveLength(1);
    await world.api.withdrawPayment({ merchantId, paymentId: byHand.id });
    await world.say(messages);
    const last = nextOrder();
    await world.chargeDue({ orderId: last, instrumentId });
    await world.until(last, 'booked');
    expect(await paymentsOf(orderId)).toMatchObject([{ id: byHand.id, status: 'withdrawn' }]);
  });

  test('of an order that is paid is not made', async () => {
    const saved = await save();
    await world.chargeDue({ orderId: saved.orderId, instrumentId: saved.instrumentId });
    const after = nextOrder();
    await world.chargeDue({ orderId: after, instrumentId: saved.instrumentId });
    await world.until(after, 'booked');
    expect(await paymentsOf(saved.orderId)).toHaveLength(1);
  });

  test('that is open keeps the customer from paying a second time, and cannot be withdrawn', async () => {
    const { instrumentId } = await save();
    const orderId = nextOrder();
    await world.sandbox('POST', '/v1/test/next', { behaviour: 'error_500_after_create' });
    await world.chargeDue({ orderId, instrumentId });
    const unknown = await isKnownToBeUnknown(orderId);
    expect(unknown).toMatchObject({ status: 'processing', moneyMoved: 'unknown' });
    await expect(world.create(orderId)).rejects.toMatchObject({ code: 'attempt_unresolved' });
    await expect(world.api.withdrawPayment({ merchantId, paymentId: unknown.id })).rejects.toMatchObject({
      code: 'payment_not_withdrawable',
    });
    // Who asks is told; what is told ends the attempt as well.
    await eventually(
      async () => (await world.api.refreshPayment({ merchantId, orderId })).payment?.status === 'booked',
    );
    expect((await world.payment(orderId))?.attempts).toMatchObject([{ state: 'succeeded' }]);
  });

  test('of another merchant’s card, of no card and of another mode fails, and nothing is called', async () => {
    const { instrumentId } = await save();
    const calls = [
      { merchant: otherMerchantId, instrumentId },
      { instrumentId: randomUUIDv7() },
      { instrumentId: 'not an id' },
      { instrumentId, livemode: true },
    ];
    for (const call of calls) {
      const orderId = nextOrder();
      await world.chargeDue({ orderId, ...call });
      const failed = await world.until(orderId, 'failed', call.merchant);
      expect(failed).toMatchObject({ providerErrorCode: 'instrument_not_found', instrumentId: '', attempts: [] });
      expect(await journalOf(failed)).toEqual([]);
    }
  });

  test('is one of many: all are made, each once', async () => {
    const { instrumentId } = await save();
    const ids = Array.from({ length: 400 }, nextOrder);
    await Promise.all(ids.map((orderId) => world.chargeDue({ orderId, instrumentId })));
    await eventually(async () => {
      const { rows } = await world.database.pool
        .query<{ left: string }>(
          "begin; set local tillstream.every_merchant = 'on'; select count(*) as left from payment where status = 'processing'; commit",
        )
        .then((results) => (Array.isArray(results) ? results[2] : results));
      return String(rows[0]?.left) === '0' && (await world.payment(ids.at(-1) ?? 0n))?.status === 'booked';
    }, 60_000);
    const { data } = (await world.sandbox('GET', '/v1/journal')) as { data: { what: string; reference: string }[] };
    const captured = Map.groupBy(data, (entry) => entry.reference);
    for (const orderId of ids) {
      const payment = await world.payment(orderId);
      expect(captured.get(readPublicId('pay', payment?.id ?? '') ?? '')).toHaveLength(1);
    }
  });
});

describe('bank transfer', () => {
  test('is offered besides cards in test mode, and cannot renew; live mode offers nothing yet', async () => {
    const card = { code: 'CreditCard', systemName: 'Bank Card', kind: 'card', isOffline: false, canRenew: true };
    const transfer = { code: 'BankTransfer', systemName: 'Bank Transfer', kind: 'transfer', isOffline: true };
    const catalogue = [
      { ...card, textKey: 'card' },
      { ...transfer, canRenew: false, textKey: 'transfer' },
    ];
    expect(await world.api.listMethods({ merchantId, livemode: false, currency: 'EUR', country: '' })).toEqual({
      methods: catalogue,
      catalogue,
    });
    expect(await world.api.listMethods({ merchantId, livemode: true, currency: 'EUR', country: '' })).toEqual({
      methods: [],
      catalogue,
    });
    await expect(world.create(nextOrder(), { method: 'BankTransfer', saveInstrument: true })).rejects.toMatchObject({
      code: 'payment_method_not_supported',
    });
  });

  test.each([
    ['approve', 'booked', { moneyMoved: 'yes', systemName: 'Bank Transfer', cardLast4: '', instrumentId: '' }],
    ['refuse', 'failed', { moneyMoved: 'no', reason: 'provider_error', providerErrorCode: 'transfer_refused' }],
  ])('one button: %s → %s', async (action, status, outcome) => {
    const orderId = nextOrder();
    const payment = await world.create(orderId, { method: 'BankTransfer' });
    const page = await (await fetch(payment.redirectUrl)).text();
    expect(page).toContain('Pay by bank transfer');
    expect(page).not.toContain('name="number"');
    expect((await world.submit(payment, {})).status).toBe(422);
    expect((await world.submit(payment, { action })).status).toBe(303);
    expect(await world.until(orderId, status)).toMatchObject(outcome);
  });
});
