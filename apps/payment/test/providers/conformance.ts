/**
 * What every provider folder must pass, over HTTP and a real Postgres: one payment for one key, lost answers, callbacks that are
 * doubled, early, reordered, forged, stale or about other money, races, and a refusal of whatever is not offered.
 */
import { randomUUIDv7 } from 'node:crypto';
import { readPublicId } from '@tillstream/database/public-id';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { eventually } from '@tillstream/testkit/eventually';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { World } from '../world.ts';
import { heededAfterMs, openBench, type Bench, type ProviderHarness } from './harness.ts';

export function providerConformance(name: string, open: (world: World) => ProviderHarness): void {
  describe(`conformance of ${name}`, () => {
    let bench: Bench;
    let orders = 10_000n;
    const nextOrder = () => (orders += 1n);
    const rowId = (payment: Payment) => readPublicId('pay', payment.id) ?? '';
    const knows = async (payment: Payment) => bench.harness.knows(rowId(payment));
    const statusesOf = async (payment: Payment) => (await knows(payment)).map(({ status }) => status);
    const idempotencyKey = (payment: Payment) => payment.attempts[0]?.id ?? '';
    const asked = (payment: Payment, key: string) => ({
      key,
      reference: rowId(payment),
      amountMinor: payment.amountMinor,
      currency: payment.currency,
      returnUrl: 'http://127.0.0.1:9/thanks',
      description: 'A0000000001',
      locale: 'en',
      method: payment.method,
      save: false,
      asOf: new Date(),
    });
    const eventsOf = async (payment: Payment) => {
      const { rows } = await bench.world.admin.query<{ type: string }>(
        'select type from payment.payment_history where payment_id = $1 order by version',
        [rowId(payment)],
      );
      return rows.map(({ type }) => type);
    };
    /** A customer has paid at the provider; its callbacks have come to us and are not handed on. */
    const paidUnheard = async (merchantId = randomUUIDv7()) => {
      const { world, harness } = bench;
      world.handsOn = false;
      const orderId = nextOrder();
      const payment = await world.create(orderId, { merchantId });
      const before = world.callbacks.length;
      await harness.pay(payment.redirectUrl);
      const paid = await eventually(() => world.callbacks.slice(before).find(({ body }) => harness.saysPaid(body)));
      return { merchantId, orderId, payment, paid };
    };
    const receive = (address: string, headers: Record<string, string>, body: Buffer) =>
      bench.world.api.receiveCallback({ provider: address, headers, body });
    const isHeeded = () => sleep(heededAfterMs * 2);
    const makeDue = () =>
      bench.world.admin.query(`update payment.attempt set due_at = '-infinity' where state = 'unknown'`);

    beforeAll(async () => {
      bench = await openBench(name, open);
    });
    afterAll(() => bench.world.stop());
    beforeEach(async () => {
      bench.world.handsOn = true;
      await bench.harness.callbacks({});
    });

    describe('keys', () => {
      test('the same key twice, also at the same moment, is one payment at the provider', async () => {
        const merchantId = randomUUIDv7();
        const payment = await bench.world.create(nextOrder(), { merchantId });
        const { openPage } = bench.provider(merchantId);
        const again = await Promise.all(
          Array.from({ length: 5 }, async () => openPage?.(asked(payment, idempotencyKey(payment)))),
        );
        const [known] = await knows(payment);
        for (const answer of again) expect(answer).toMatchObject({ outcome: 'open', providerPaymentId: known?.id });
        expect(await knows(payment)).toHaveLength(1);
      });

      test('the same key with another sum is not a second payment, and not a "no"', async () => {
        const merchantId = randomUUIDv7();
        const payment = await bench.world.create(nextOrder(), { merchantId });
        const other = { ...asked(payment, idempotencyKey(payment)), amountMinor: payment.amountMinor + 1n };
        expect(await bench.provider(merchantId).openPage?.(other)).toMatchObject({ outcome: 'unknown' });
        expect(await knows(payment)).toHaveLength(1);
      });

      test('a charge of what was kept, called twice with one key, takes the money once', async ({ skip }) => {
        const merchantId = randomUUIDv7();
        const first = await bench.world.create(nextOrder(), { merchantId, saveInstrument: true });
        const { charge } = bench.provider(merchantId);
        if (charge === undefined) return skip();
        await bench.harness.pay(first.redirectUrl);
        const { instrumentId } = await bench.world.until(first.orderId, 'booked', merchantId);
        const orderId = nextOrder();
        await bench.world.chargeDue({ merchant: merchantId, orderId, instrumentId });
        const renewal = await bench.world.until(orderId, 'booked', merchantId);
        const { rows } = await bench.world.admin.query<{ provider_token: string }>(
          'select provider_token from payment.instrument where instrument_id = $1',
          [instrumentId],
        );
        const again = await charge({
          ...asked(renewal, idempotencyKey(renewal)),
          token: rows[0]?.provider_token ?? '',
        });
        expect(again).toMatchObject({ outcome: 'known', report: { status: 'succeeded' } });
        expect(await statusesOf(renewal)).toEqual(['paid']);
      });
    });

    describe('answers that are lost', () => {
      test.each(['error before it acts', 'error after it has acted', 'no answer after it has acted'] as const)(
        '%s: the outcome is unknown; the same key finds out, and there is one payment',
        async (how) => {
          const { world, harness } = bench;
          const merchantId = randomUUIDv7();
          await harness.failNext(how);
          const orderId = nextOrder();
          const unknown = await world.create(orderId, { merchantId });
          expect(unknown).toMatchObject({ outcomeUnknown: true, redirectUrl: '', attempts: [{ state: 'unknown' }] });
          await makeDue();
          const known = await eventually(async () => {
            const now = await world.payment(orderId, merchantId);
            return now?.outcomeUnknown === false && now.redirectUrl !== '' ? now : undefined;
          });
          expect(known.attempts).toMatchObject([{ id: unknown.attempts[0]?.id }]);
          expect(await knows(known)).toHaveLength(1);
          await harness.pay(known.redirectUrl);
          await world.until(orderId, 'booked', merchantId);
        },
      );

      test('of a charge: it is found out with the same key, and the money is taken once', async ({ skip }) => {
        const { world, harness } = bench;
        const merchantId = randomUUIDv7();
        const first = await world.create(nextOrder(), { merchantId, saveInstrument: true });
        if (bench.provider(merchantId).charge === undefined) return skip();
        await harness.pay(first.redirectUrl);
        const { instrumentId } = await world.until(first.orderId, 'booked', merchantId);
        await harness.failNext('no answer after it has acted');
        const orderId = nextOrder();
        await world.chargeDue({ merchant: merchantId, orderId, instrumentId });
        await eventually(async () => (await world.payment(orderId, merchantId))?.outcomeUnknown === true);
        await makeDue();
        const renewal = await world.until(orderId, 'booked', merchantId);
        expect(await statusesOf(renewal)).toEqual(['paid']);
      });

      test('all callbacks lost: the provider is asked', async ({ skip }) => {
        const { world, harness } = bench;
        const merchantId = randomUUIDv7();
        await harness.callbacks({ dropped: true });
        const orderId = nextOrder();
        const payment = await world.create(orderId, { merchantId });
        if (bench.provider(merchantId).ask === undefined) return skip();
        await harness.pay(payment.redirectUrl);
        await eventually(
          async () => (await world.api.refreshPayment({ merchantId, orderId })).payment?.status === 'booked',
        );
        // One of whom the provider knows nothing is no error, and nothing is believed of it.
        expect(await bench.provider(merchantId).ask?.(randomUUIDv7(), new Date())).toBeUndefined();
      });
    });

    describe('callbacks', () => {
      test.each([
        ['doubled', { twice: true }],
        ['reordered', { reversed: true }],
      ])('that are %s change nothing about the outcome', async (_, how) => {
        const { world, harness } = bench;
        const [paid, declined] = [nextOrder(), nextOrder()];
        await harness.callbacks(how);
        const first = await world.create(paid);
        await harness.pay(first.redirectUrl);
        await world.until(paid, 'booked');
        const second = await world.create(declined);
        await harness.decline(second.redirectUrl);
        await world.until(declined, 'failed');
        expect((await eventsOf(first)).filter((type) => type === 'paymentBooked')).toHaveLength(1);
        expect((await eventsOf(second)).filter((type) => type === 'paymentFailed')).toHaveLength(1);
      });

      test('that come before our row knows the page are heard; the page that comes later changes nothing', async () => {
        const { world, harness } = bench;
        const merchantId = randomUUIDv7();
        await harness.failNext('no answer after it has acted');
        const orderId = nextOrder();
        const payment = await world.create(orderId, { merchantId });
        expect(payment.redirectUrl).toBe('');
        const [there] = await knows(payment);
        await harness.pay(there?.pageUrl ?? '');
        await world.until(orderId, 'booked', merchantId);
        await makeDue();
        await eventually(async () => (await world.payment(orderId, merchantId))?.attempts[0]?.state === 'open');
        expect(await world.payment(orderId, merchantId)).toMatchObject({ status: 'booked', reviewReason: '' });
        expect(await statusesOf(payment)).toEqual(['paid']);
      });

      test('that are unsigned, altered, or signed for another account are refused', async () => {
        const { world, harness } = bench;
        const { merchantId, orderId, paid } = await paidUnheard();
        const refused = { code: 'callback_not_authentic' };
        const altered = harness.alter(paid.body, { amountMinor: 1n });
        const other = harness.address(randomUUIDv7());
        await expect(receive(paid.address, {}, paid.body)).rejects.toMatchObject(refused);
        await expect(receive(paid.address, paid.headers, altered)).rejects.toMatchObject(refused);
        await expect(
          receive(paid.address, harness.sign(other, paid.body, new Date()), paid.body),
        ).rejects.toMatchObject(refused);
        expect((await world.payment(orderId, merchantId))?.status).toBe('created');
        expect(await receive(paid.address, paid.headers, paid.body)).toEqual({ isNew: true });
        expect(await receive(paid.address, paid.headers, paid.body)).toEqual({ isNew: false });
        expect((await world.payment(orderId, merchantId))?.status).toBe('booked');
      });

      test('with a time that is too old, or in the future, are refused', async () => {
        const { merchantId, orderId, paid } = await paidUnheard();
        for (const hours of [-1, 1]) {
          const at = new Date(Date.now() + hours * 3_600_000);
          await expect(
            receive(paid.address, bench.harness.sign(paid.address, paid.body, at), paid.body),
          ).rejects.toMatchObject({ code: 'callback_not_authentic' });
        }
        expect((await bench.world.payment(orderId, merchantId))?.status).toBe('created');
      });

      test('of one account about a payment of another change nothing', async () => {
        const { world, harness } = bench;
        const { merchantId, orderId, paid, payment } = await paidUnheard();
        const stranger = await world.create(nextOrder(), { merchantId: randomUUIDv7() });
        const address = harness.address(stranger.merchantId);
        // Rightly signed by the stranger's account, before and after the payment has ended.
        const forged = harness.alter(paid.body, { eventId: randomUUIDv7() });
        expect(await receive(address, harness.sign(address, forged, new Date()), forged)).toEqual({ isNew: true });
        expect(await world.payment(orderId, merchantId)).toMatchObject({ status: 'created', reviewReason: '' });
        await receive(paid.address, paid.headers, paid.body);
        const before = await eventsOf(payment);
        const late = harness.alter(paid.body, { eventId: randomUUIDv7(), amountMinor: 1n });
        await receive(address, harness.sign(address, late, new Date()), late);
        expect(await eventsOf(payment)).toEqual(before);
        expect(await world.payment(orderId, merchantId)).toMatchObject({ status: 'booked', reviewReason: '' });
      });

      test.each([
        ['another amount', { amountMinor: 1n }],
        ['another currency', { currency: 'USD' }],
      ])('that tell of %s book nothing, and a person must look', async (_, to) => {
        const { world, harness } = bench;
        const { merchantId, orderId, paid, payment } = await paidUnheard();
        const body = harness.alter(paid.body, { ...to, eventId: randomUUIDv7() });
        await receive(paid.address, harness.sign(paid.address, body, new Date()), body);
        expect((await world.payment(orderId, merchantId))?.reviewReason).not.toBe('');
        expect(await eventsOf(payment)).not.toContain('paymentBooked');
      });

      test('that cannot be read are refused, whatever they are', async () => {
        const { world, harness } = bench;
        const { merchantId } = await world.create(nextOrder());
        const address = harness.address(merchantId);
        for (const text of ['', '{', '[]', 'null', '{"id":"x"}', '\u0000\uFFFD', `{"id":"${'x'.repeat(5_000)}"}`]) {
          const body = Buffer.from(text);
          await expect(receive(address, harness.sign(address, body, new Date()), body), text).rejects.toMatchObject({
            code: 'callback_not_authentic',
          });
        }
      });
    });

    test('withdrawn and paid at the same moment: it is one of them, here and at the provider', async ({ skip }) => {
      const { world, harness } = bench;
      const merchantId = randomUUIDv7();
      for (let round = 0; round < 10; round += 1) {
        const orderId = nextOrder();
        const payment = await world.create(orderId, { merchantId });
        if (bench.provider(merchantId).withdraw === undefined) return skip();
        const [withdrawn] = await Promise.allSettled([
          sleep(round % 5).then(() => world.api.withdrawPayment({ merchantId, paymentId: payment.id })),
          harness.pay(payment.redirectUrl),
        ]);
        const [status = ''] = await statusesOf(payment);
        expect(['withdrawn', 'paid']).toContain(status);
        expect(withdrawn.status).toBe(status === 'withdrawn' ? 'fulfilled' : 'rejected');
        await world.until(orderId, status === 'paid' ? 'booked' : 'withdrawn', merchantId);
        expect(await world.payment(orderId, merchantId)).toMatchObject({ reviewReason: '' });
      }
    });

    describe('what is not offered is refused before the provider is called', () => {
      const fresh = () => {
        const merchantId = randomUUIDv7();
        return { merchantId, address: bench.harness.address(merchantId) };
      };
      const unsupported = { code: 'payment_method_not_supported' };

      test('a page', async () => {
        const { merchantId, address } = fresh();
        bench.limits.set(address, { without: 'openPage' });
        await expect(bench.world.create(nextOrder(), { merchantId })).rejects.toMatchObject(unsupported);
        expect(bench.calls(address)).toBe(0);
      });

      test.each([
        ['a method', { offers: [] }, {}],
        ['a currency', { offers: [{ method: 'CreditCard', currencies: ['JPY'] }] }, {}],
        ['a country', { offers: [{ method: 'CreditCard', countries: ['FR'] }] }, { country: 'DE' }],
        ['an amount', { offers: [{ method: 'CreditCard', limits: { EUR: { maxMinor: 9_999n } } }] }, {}],
      ])('%s', async (_, limits, more) => {
        const { merchantId, address } = fresh();
        bench.limits.set(address, limits);
        await expect(bench.world.create(nextOrder(), { merchantId, ...more })).rejects.toMatchObject(unsupported);
        expect(bench.calls(address)).toBe(0);
      });

      test('a charge: nothing is kept for it, and what was kept is not charged', async ({ skip }) => {
        const { world, harness, limits } = bench;
        const { merchantId, address } = fresh();
        const first = await world.create(nextOrder(), { merchantId, saveInstrument: true });
        if (bench.provider(merchantId).charge === undefined) return skip();
        await harness.pay(first.redirectUrl);
        const { instrumentId } = await world.until(first.orderId, 'booked', merchantId);
        limits.set(address, { without: 'charge' });
        await isHeeded();
        const before = bench.calls(address);
        await expect(world.create(nextOrder(), { merchantId, saveInstrument: true })).rejects.toMatchObject(
          unsupported,
        );
        const orderId = nextOrder();
        await world.chargeDue({ merchant: merchantId, orderId, instrumentId });
        const failed = await world.until(orderId, 'failed', merchantId);
        expect(failed).toMatchObject({ reason: 'provider_error', providerErrorCode: 'not_offered', moneyMoved: 'no' });
        expect(bench.calls(address)).toBe(before);
        const { methods } = await world.api.listMethods({ merchantId, livemode: false, currency: 'EUR', country: '' });
        expect(methods.filter(({ canRenew }) => canRenew)).toEqual([]);
      });

      test('a withdrawal: the merchant hears no, and the page expires all the same', async () => {
        const { world, limits } = bench;
        const { merchantId, address } = fresh();
        limits.set(address, { without: 'withdraw' });
        const orderId = nextOrder();
        const payment = await world.create(orderId, { merchantId });
        await expect(world.api.withdrawPayment({ merchantId, paymentId: payment.id })).rejects.toMatchObject({
          code: 'payment_not_withdrawable',
        });
        expect(await statusesOf(payment)).toEqual(['open']);
        await world.admin.query(`update payment.timer set due_at = now() where kind = 'expire' and aggregate_id = $1`, [
          rowId(payment),
        ]);
        await world.until(orderId, 'expired', merchantId);
        // Money that comes besides is neither lost nor believed.
        await bench.harness.pay(payment.redirectUrl);
        await eventually(async () => (await world.payment(orderId, merchantId))?.reviewReason === 'paid_after_final');
      });

      test('a question', async () => {
        const { world, limits } = bench;
        const { merchantId, address } = fresh();
        limits.set(address, { without: 'ask' });
        const orderId = nextOrder();
        await world.create(orderId, { merchantId });
        const before = bench.calls(address);
        expect((await world.api.refreshPayment({ merchantId, orderId })).payment?.status).toBe('created');
        expect(bench.calls(address)).toBe(before);
      });
    });

    test('a disabled account takes nothing new; what it has begun is asked and ends', async () => {
      const { world, harness } = bench;
      const { merchantId, orderId, paid } = await paidUnheard();
      await world.admin.query(`update payment.provider_account set state = 'disabled' where merchant_id = $1`, [
        merchantId,
      ]);
      await isHeeded();
      const address = harness.address(merchantId);
      const before = bench.calls(address);
      await expect(world.create(nextOrder(), { merchantId })).rejects.toMatchObject({
        code: 'payment_method_not_supported',
      });
      expect(bench.calls(address)).toBe(before);
      await expect(receive(paid.address, paid.headers, paid.body)).rejects.toMatchObject({
        code: 'provider_not_found',
      });
      await eventually(
        async () => (await world.api.refreshPayment({ merchantId, orderId })).payment?.status === 'booked',
      );
    });
  });
}
