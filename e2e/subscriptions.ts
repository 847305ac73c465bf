/**
 * Fourteen months of a monthly subscription and three years of a yearly one, lived in seconds: a month in which the card
 * is declined, a new card, a cancel, a restore and a final cancel. The same on both forms, through public surfaces only.
 */
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectWell } from './doctor.ts';
import { expectGolden } from './golden.ts';
import { startProduct, type Form, type Product } from './product.ts';
import { buy, cards, payByCard, type Sale } from './purchase.ts';
import { Shop, type List, type SubscriptionAnswer, type TimelineAnswer } from './shop.ts';
import { until } from './until.ts';
import { button, linkTo, visibleText, Visitor } from './visitor.ts';
import { Receiver } from './webhooks.ts';

interface Letter {
  readonly subject: string;
  readonly text: string;
}

interface PaymentAnswer {
  readonly id: string;
  readonly order: number;
  readonly status: string;
}

const renews = { auto_renew: '1' };

export function tellSubscriptions(form: Form): void {
  describe(`subscriptions in the ${form} form`, () => {
    let product: Product;
    let shop: Shop;
    const receiver = new Receiver();
    let monthly: Sale;
    let yearly: Sale;
    let trial: Sale;
    let codes: readonly string[];
    const customer = new Visitor();

    beforeAll(async () => {
      product = await startProduct(form);
      shop = new Shop(product.gateway, product.api_key);
      await receiver.listen();
      await shop.must('PATCH', '/v1/merchant', { time_zone: 'Europe/Prague', currencies: ['EUR'] });
      await shop.addEndpoint(receiver.url, { secrets: { seed: 'secret_key' } });
      await shop.advance({ to: '2030-01-31T09:00:00Z' });
    });

    afterAll(async () => {
      await product.stop();
      await receiver.goDown();
      product.forget();
    });

    const sell = async (name: string, subscription: Record<string, unknown>): Promise<string> => {
      const made = await shop.createProduct(name, {
        vendor_code: '0001',
        sku: '0001',
        prices: [{ amount: 10_000, currency: 'EUR' }],
        subscription,
      });
      codes = await shop.addCodes(made.id, 30);
      return made.checkout_url;
    };
    const delivered = (sale: Sale) =>
      until('delivery', async () => (await shop.order(sale.orderId)).fulfilment_status === 'delivered');
    const subscriptionOf = async (sale: Sale): Promise<SubscriptionAnswer> => {
      const { data } = await shop.must<List<SubscriptionAnswer>>('GET', `/v1/subscriptions?order=${sale.orderId}`);
      const [found] = data;
      if (found === undefined) throw new Error(`order ${sale.orderId} has no subscription`);
      return found;
    };
    const letters = async (): Promise<readonly Letter[]> => {
      const response = await request(`${product.mail}/api/messages`);
      const all: Letter[] = JSON.parse(await response.body.text());
      return all;
    };
    /** Of the parent and all its children. */
    const heardOf = (sale: Sale) =>
      receiver.received.filter(
        ({ body }) =>
          body.order_id === sale.orderId || body.subscription?.detail_url.includes(`/status/${sale.orderId}/`) === true,
      );
    const booked = async (orderId: number): Promise<number> => {
      const { data } = await shop.must<List<PaymentAnswer>>('GET', `/v1/payments?order=${orderId}&limit=100`);
      return data.filter((payment) => payment.status === 'booked').length;
    };

    test('the page says what renews, when and for how much, before anybody pays', async () => {
      const link = await sell('Monthly', { type: 'AR', period: 'P1M' });
      const checkout = await customer.open(link);
      expect(visibleText(checkout)).toMatch(/every month/i);
      expect(checkout.document.querySelector('input[name=auto_renew]')).not.toBeNull();
      monthly = await buy(`${link}?clear=Y`, cards.failsOnRenewal, customer, renews);
      await delivered(monthly);
      yearly = await buy(await sell('Yearly', { type: 'AR', period: 'P1Y' }), cards.pays, new Visitor(), renews);
      await delivered(yearly);
      expect(await until('the subscription', () => subscriptionOf(monthly))).toMatchObject({
        status: 'active',
        expires_at: '2030-02-28T22:59:00.000Z',
        next_charge_at: '2030-02-26T22:59:00.000Z',
      });
      expect(await subscriptionOf(yearly)).toMatchObject({
        status: 'active',
        expires_at: '2031-01-31T22:59:00.000Z',
        next_charge_at: '2031-01-11T22:59:00.000Z',
      });
    });

    test('without consent, or with a method that cannot renew, it is an ordinary purchase', async () => {
      const link = await sell('Plain', { type: 'AR', period: 'P1M' });
      const plain = await buy(link);
      await delivered(plain);
      const { data } = await shop.must<List<SubscriptionAnswer>>('GET', `/v1/subscriptions?order=${plain.orderId}`);
      expect(data).toEqual([]);
    });

    test('a declined month: three tries, then it waits; a payment with a new card revives it', async () => {
      const clock = await shop.advance({ to: '2030-03-05T09:00:00.000Z' });
      expect(clock).toMatchObject({ status: 'ahead', advance: { status: 'done', waiting_for: [] } });
      const times = clock.advance?.fired.map((each) => each.at) ?? [];
      expect(times).toEqual(times.toSorted());
      const { id } = await subscriptionOf(monthly);
      const fired = clock.advance?.fired.filter((each) => id.endsWith(each.object));
      // The last charge and the end of the paid time are due at the same minute.
      expect(fired?.map((each) => `${each.at.slice(0, 10)} ${each.kind}`).toSorted()).toEqual([
        '2030-02-19 notice',
        '2030-02-26 charge',
        '2030-02-27 charge',
        '2030-02-28 charge',
      ]);
      const broken = await subscriptionOf(monthly);
      expect(broken).toMatchObject({
        status: 'not paid',
        expires_at: '2030-02-28T22:59:00.000Z',
        next_charge_at: null,
      });
      const child = await shop.order(broken.open_order ?? 0);
      expect(child.payments.map((payment) => payment.status)).toEqual(['failed', 'failed', 'failed']);

      const letter = (await letters()).find((each) => each.text.includes(`/pay/${child.id}/`));
      const link = /http\S+\/pay\/\d+\/[0-9a-f]{32}/.exec(letter?.text ?? '')?.[0];
      if (link === undefined) throw new Error('no mail has the link to pay the renewal');
      await payByCard(customer, await customer.open(link), cards.pays);
      await until('the revival', async () => (await subscriptionOf(monthly)).status === 'active');
      expect(await subscriptionOf(monthly)).toMatchObject({
        expires_at: '2030-03-31T21:59:00.000Z',
        next_charge_at: '2030-03-29T22:59:00.000Z',
        last_order: child.id,
      });
    });

    test('the new card is charged from then on, month by month, and anchors do not drift', async () => {
      const { advance } = await shop.advance({ to: '2030-06-15T09:00:00.000Z' });
      expect(advance).toMatchObject({ status: 'done', waiting_for: [] });
      expect(await subscriptionOf(monthly)).toMatchObject({ status: 'active', expires_at: '2030-06-30T21:59:00.000Z' });
      const paid = heardOf(monthly).filter(({ body }) => body.event === 'order.payment.succeeded');
      expect(paid.map(({ body }) => body.subscription?.expiration_date)).toEqual([
        '2030-02-28T23:59:00+01:00',
        '2030-03-31T23:59:00+02:00',
        '2030-04-30T23:59:00+02:00',
        '2030-05-31T23:59:00+02:00',
        '2030-06-30T23:59:00+02:00',
      ]);
    });

    test('the customer cancels on the order page: no charge, access to the end; then restores', async () => {
      const { detail_url: url } = await shop.order(monthly.orderId);
      let page = await customer.open(url);
      page = await customer.open(linkTo(page, /^cancel/i));
      expect(visibleText(page)).toMatch(/until/i);
      await customer.press(page, button(page, /cancel/i));
      await until('the cancel', async () => (await subscriptionOf(monthly)).status === 'cancelled');
      await until('its webhook', async () => heardOf(monthly).at(-1)?.body.event === 'subscription.cancelled');
      const before = heardOf(monthly).length;
      await shop.advance({ to: '2030-06-29T12:00:00.000Z' });
      expect(heardOf(monthly)).toHaveLength(before);
      page = await customer.open(url);
      await customer.press(page, button(page, /restore|resume/i));
      await until('the restore', async () => (await subscriptionOf(monthly)).status !== 'cancelled');
      await until('its webhook', async () =>
        heardOf(monthly).some(({ body }) => body.event === 'subscription.restored'),
      );
    });

    test('fourteen months are over: the merchant cancels for good, and nothing is charged any more', async () => {
      const { advance } = await shop.advance({ to: '2031-03-20T09:00:00.000Z' });
      expect(advance).toMatchObject({ status: 'done', waiting_for: [] });
      const before = await subscriptionOf(monthly);
      expect(before).toMatchObject({ status: 'active', expires_at: '2031-03-31T21:59:00.000Z' });
      await shop.must('POST', '/v1/subscriptions/modify_activity', { id: before.id, activity: false });
      const again = await shop.call('POST', `/v1/subscriptions/${before.id}/cancel`);
      expect(again.status).toBe(200);
      await until('its webhook', async () => heardOf(monthly).at(-1)?.body.event === 'subscription.cancelled');
      await shop.advance({ by: 'P2M' });
      expect(await subscriptionOf(monthly)).toMatchObject({
        status: 'cancelled',
        expires_at: '2031-03-31T21:59:00.000Z',
      });
      expectGolden('monthly', heardOf(monthly));
    });

    test('three years of the yearly one: one order, one charge, one licence a year', async () => {
      const { advance } = await shop.advance({ to: '2033-01-20T09:00:00.000Z' });
      expect(advance).toMatchObject({ status: 'done', waiting_for: [] });
      const subscription = await subscriptionOf(yearly);
      expect(subscription).toMatchObject({ status: 'active', expires_at: '2034-01-31T22:59:00.000Z' });
      await shop.must('POST', `/v1/subscriptions/${subscription.id}/cancel`, { suppress_customer_notification: true });
      await until('its webhook', async () => heardOf(yearly).at(-1)?.body.event === 'subscription.cancelled');
      await shop.advance({ to: '2034-03-01T00:00:00.000Z' });
      const orders = new Set(heardOf(yearly).map(({ body }) => body.order_id));
      expect(orders.size).toBe(4);
      for (const orderId of orders) {
        expect(await booked(orderId)).toBe(1);
        expect((await shop.order(orderId)).items[0]?.licence_codes).toHaveLength(1);
      }
      expectGolden('yearly', heardOf(yearly));
      // Each renewal is one trace, from its timer to its webhooks, and not the purchase's.
      const traces = await Promise.all(
        [...orders].map(async (orderId) => {
          const { entries } = await shop.must<TimelineAnswer>('GET', `/v1/orders/${orderId}/timeline`);
          return new Set(entries.filter((entry) => entry.source !== 'subscription').map((entry) => entry.trace_id));
        }),
      );
      expect(traces.slice(1).map((ids) => ids.size)).toEqual([1, 1, 1]);
      expect(new Set(traces.slice(1).flatMap((ids) => [...ids])).size).toBe(3);
    });

    test('a trial costs nothing, is converted once, and one that is cancelled in time is never charged', async () => {
      const link = await sell('Trial', { type: 'AR_TRIAL', period: 'P1M', trial_period: 'P14D' });
      trial = await buy(link, cards.pays, new Visitor(), renews);
      const left = await buy(link, cards.pays, new Visitor(), renews);
      await delivered(trial);
      await delivered(left);
      const { id } = await until('the trial', () => subscriptionOf(left));
      await shop.must('POST', `/v1/subscriptions/${id}/cancel`);
      await shop.advance({ by: 'P80D' });
      const paid = heardOf(trial).filter(({ body }) => body.event === 'order.payment.succeeded');
      expect(paid.map(({ body }) => [body.product.amount, body.subscription?.is_conversion_from_trial])).toEqual([
        ['0.00', false],
        ['100.00', true],
        ['100.00', false],
        ['100.00', false],
      ]);
      expect(heardOf(left).map(({ body }) => body.event)).toEqual([
        'order.created',
        'order.payment.succeeded',
        'product.delivered',
        'subscription.cancelled',
      ]);
      expectGolden('trial', heardOf(trial));
    });

    test('renewed by hand (PMR): an order comes by itself, the customer pays it, and it cannot be restored', async () => {
      const sale = await buy(await sell('By hand', { type: 'PMR', period: 'P6M' }));
      await delivered(sale);
      await until('the subscription', () => subscriptionOf(sale));
      await shop.advance({ by: 'P170D' });
      const { open_order: childId } = await subscriptionOf(sale);
      expect((await shop.order(childId ?? 0)).payments).toEqual([]);
      const letter = (await letters()).find((each) => each.text.includes(`/pay/${childId}/`));
      const link = /http\S+\/pay\/\d+\/[0-9a-f]{32}/.exec(letter?.text ?? '')?.[0] ?? '';
      await payByCard(customer, await customer.open(link), cards.pays);
      const after = await until('the payment', async () => {
        const now = await subscriptionOf(sale);
        return now.status === 'active' ? now : undefined;
      });
      await shop.must('POST', `/v1/subscriptions/${after.id}/cancel`);
      const refused = await shop.call<{ code: string }>('POST', `/v1/subscriptions/${after.id}/restore`);
      expect([refused.status, refused.body.code]).toEqual([409, 'restore_not_supported']);
      await until('its webhook', async () => heardOf(sale).at(-1)?.body.event === 'subscription.cancelled');
      expectGolden('by-hand', heardOf(sale));
    });

    test('every licence went to one unit, and the timeline of the parent can be read', async () => {
      const given = receiver.received
        .filter(({ body }) => body.event === 'product.delivered')
        .flatMap(({ body }) => body.product.activation_codes ?? []);
      expect(new Set(given).size).toBe(given.length);
      expect(codes.length).toBeGreaterThan(0);
      const timeline = await shop.must<TimelineAnswer>('GET', `/v1/orders/${monthly.orderId}/timeline`);
      expect(timeline.entries.map((entry) => entry.source)).toContain('subscription');
      const times = timeline.entries.map((entry) => Date.parse(entry.at));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    });

    test('after all that the doctor finds the installation well', async () => {
      await expectWell(product);
    });
  });
}
