/** What waits for a moment, besides subscriptions: each at its time by the merchant's clock, and not before. */
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause } from './crowd.ts';
import { expectWell } from './doctor.ts';
import { startProduct, type Product } from './product.ts';
import { buy, cards, placeOrder } from './purchase.ts';
import { Shop, type ClockAnswer, type List } from './shop.ts';
import { until } from './until.ts';
import { button, Visitor } from './visitor.ts';
import { Receiver } from './webhooks.ts';

interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly to: readonly string[];
}

interface DeliveryAnswer {
  readonly status: string;
  readonly attempts: readonly { readonly at: string }[];
}

const day = 86_400_000;

describe('time', () => {
  let product: Product;
  let shop: Shop;
  let link: string;
  const receiver = new Receiver();

  beforeAll(async () => {
    product = await startProduct('standalone');
    shop = new Shop(product.gateway, product.api_key);
    await receiver.listen();
    await shop.addEndpoint(receiver.url);
    const made = await shop.createProduct('Demo');
    link = made.checkout_url;
    await shop.addCodes(made.id, 50);
  });

  afterAll(async () => {
    await product.stop();
    await receiver.goDown();
    product.forget();
  });

  const lettersTo = async (email: string): Promise<readonly Letter[]> => {
    const response = await request(`${product.mail}/api/messages`);
    const all: Letter[] = JSON.parse(await response.body.text());
    return all.filter((letter) => letter.to.includes(email));
  };
  const who = (email: string) => ({ email, 'given-name': 'Anna', 'family-name': 'Nováková', country: 'CZ' });
  const createdAt = async (orderId: number): Promise<number> => {
    const order = await shop.must<{ created_at: string }>('GET', `/v1/orders/${orderId}`);
    return Date.parse(order.created_at);
  };
  const advanceTo = async (at: number): Promise<ClockAnswer> => {
    const clock = await shop.advance({ to: new Date(at).toISOString() });
    expect(clock.advance).toMatchObject({ status: 'done', waiting_for: [] });
    return clock;
  };

  test('the customer who has not begun to pay has 30 minutes; the order stays', async () => {
    const visitor = new Visitor();
    const sale = await placeOrder(visitor, link, who('slow@example.com'));
    const provider = await visitor.press(sale.page, button(sale.page, /^pay/i));
    expect(provider.url).toContain('/pay/sbx_');
    const [payment] = (await shop.order(sale.orderId)).payments;
    const { created_at: at } = await shop.must<{ created_at: string }>('GET', `/v1/payments/${payment?.id}`);
    await advanceTo(Date.parse(at) + 30 * 60_000 - 1_000);
    expect((await shop.order(sale.orderId)).payments[0]?.status).toMatch(/created|seen/);
    await shop.advance({ by: 'PT1S' });
    expect(await shop.order(sale.orderId)).toMatchObject({ status: 'not paid', payments: [{ status: 'expired' }] });
    const again = await visitor.open(`${product.checkout}/pay/${sale.orderId}/${sale.token}`);
    expect(again.status).toBe(200);
  });

  test('a card that gives no answer is asked about at 10 s, 30 s, 2 min …, however long that takes', async () => {
    const sale = await buy(link, cards.silentUnpaid, new Visitor());
    const clock = await shop.advance({ by: 'PT2H' });
    const asked = clock.advance?.fired.filter((each) => each.source === 'payment').map((each) => each.kind) ?? [];
    expect(asked.filter((kind) => kind.startsWith('ask')).length).toBeGreaterThan(0);
    expect((await shop.order(sale.orderId)).payments[0]?.status).toBe('failed');
  });

  test('reminders come when the merchant has asked for them, and never after the payment', async () => {
    const off = await placeOrder(new Visitor(), link, who('unasked@example.com'));
    await shop.must('PATCH', '/v1/merchant', { policies: { unpaid_order_reminders: ['P1D', 'P7D'] } });
    // What a shop says of itself is asked for once in a second.
    await pause(1_100);
    const unpaid = await placeOrder(new Visitor(), link, who('forgot@example.com'));
    await buy(link, cards.pays, new Visitor());
    await shop.advance({ by: 'P2D' });
    expect(await lettersTo('forgot@example.com')).toHaveLength(1);
    await shop.advance({ by: 'P20D' });
    const letters = await lettersTo('forgot@example.com');
    expect(letters).toHaveLength(2);
    for (const letter of letters) expect(letter.text).toContain(`/pay/${unpaid.orderId}/${unpaid.token}`);
    expect(await lettersTo('unasked@example.com')).toEqual([]);
    expect((await shop.order(off.orderId)).status).toBe('not paid');
    await shop.must('PATCH', '/v1/merchant', { policies: { unpaid_order_reminders: [] } });
  });

  test('an unpaid order is there at 89 days and 23 hours and deleted at 90 days; a paid one never is', async () => {
    const paid = await buy(link);
    await until('the payment', async () => (await shop.order(paid.orderId)).status === 'paid');
    const unpaid = await placeOrder(new Visitor(), link);
    const at = await createdAt(unpaid.orderId);
    await advanceTo(at + 90 * day - 3_600_000);
    expect((await shop.order(unpaid.orderId)).status).toBe('not paid');
    const clock = await advanceTo(at + 90 * day);
    expect(clock.advance?.fired.map((each) => `${each.source} ${each.kind}`)).toContain('order delete unpaid');
    expect((await shop.order(unpaid.orderId)).status).toBe('deleted');
    expect((await shop.order(paid.orderId)).status).toBe('paid');
  });

  test('a receiver that is down is tried again by the merchant’s clock, and hears all of it in order', async () => {
    receiver.answerWith(500);
    const sale = await buy(link);
    await until('the first attempt', async () => receiver.refused > 0);
    const clock = await shop.advance({ by: 'P1D' });
    expect(clock.advance?.status).toBe('done');
    const waiting = await shop.must<List<DeliveryAnswer>>(
      'GET',
      `/v1/webhook_deliveries?order=${sale.orderId}&limit=10`,
    );
    const [first] = waiting.data.toReversed();
    const times = first?.attempts.map((attempt) => Date.parse(attempt.at)) ?? [];
    // 5 s, 5 min, 30 min, 2 h, 5 h, 10 h after one another, give or take a fifth.
    expect(times.length).toBeGreaterThanOrEqual(6);
    expect((times[3] ?? 0) - (times[2] ?? 0)).toBeGreaterThan(20 * 60_000);
    expect(receiver.ofOrder(sale.orderId)).toEqual([]);
    receiver.answerWith(200);
    await shop.advance({ by: 'P1D' });
    expect(receiver.ofOrder(sale.orderId).map(({ body }) => body.event)).toEqual([
      'order.created',
      'order.payment.succeeded',
      'product.delivered',
    ]);
  });

  test('nonsense is refused with its reason, and moves nothing', async () => {
    const before = await shop.must<ClockAnswer>('GET', '/v1/test_clock');
    for (const [body, code] of [
      [{ by: 'P0D' }, 'clock_cannot_go_back'],
      [{ by: '-P1D' }, 'clock_cannot_go_back'],
      [{ to: '2001-01-01T00:00:00Z' }, 'clock_cannot_go_back'],
      [{ by: 'P1000Y' }, 'clock_too_far'],
      [{ by: 'tomorrow' }, 'invalid_field'],
    ] as const) {
      const answer = await shop.call<{ code: string }>('POST', '/v1/test_clock/advance', body);
      expect([body, answer.body.code]).toEqual([body, code]);
    }
    const after = await shop.must<ClockAnswer>('GET', '/v1/test_clock');
    expect(after.advance?.id).toBe(before.advance?.id);
    const two = await Promise.all(
      [1, 2].map(() => shop.call<{ code?: string }>('POST', '/v1/test_clock/advance', { by: 'P3D' })),
    );
    expect(two.map((each) => each.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  test('back at the wall, what was sold stays as it was stamped', async () => {
    const { id, created_at: at } = await shop.must<{ id: number; created_at: string }>(
      'GET',
      `/v1/orders/${(await shop.must<List<{ id: number }>>('GET', '/v1/orders?limit=1')).data[0]?.id}`,
    );
    const clock = await shop.must<ClockAnswer>('POST', '/v1/test_clock/reset', {});
    expect(clock.status).toBe('wall');
    expect(Math.abs(Date.parse(clock.now) - Date.now())).toBeLessThan(60_000);
    expect((await shop.must<{ created_at: string }>('GET', `/v1/orders/${id}`)).created_at).toBe(at);
    const sale = await buy(link);
    expect(Math.abs((await createdAt(sale.orderId)) - Date.now())).toBeLessThan(60_000);
  });

  test('after all that the doctor finds the installation well', async () => {
    await expectWell(product);
  });
});
