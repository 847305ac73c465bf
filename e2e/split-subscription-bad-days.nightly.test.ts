/** Time is led through a year while the processes of the split form are killed one after the other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause } from './crowd.ts';
import { whyNoKafka } from './kafka.ts';
import { startProduct, type Product } from './product.ts';
import { buy, cards } from './purchase.ts';
import { Shop, type ClockAnswer, type List, type SubscriptionAnswer } from './shop.ts';
import { until } from './until.ts';
import { Visitor } from './visitor.ts';
import { Receiver } from './webhooks.ts';

interface PaymentAnswer {
  readonly order: number;
  readonly status: string;
}

const victims = ['subscription', 'order', 'payment', 'merchant', 'fulfillment', 'webhook-dispatcher', 'notification'];

const why = whyNoKafka();
if (why === undefined) describe('renewals of the split form on bad days', tellBadDays);
else test(`the split form is not run: ${why}`, () => undefined);

function tellBadDays(): void {
  let product: Product;
  let shop: Shop;
  const receiver = new Receiver();

  beforeAll(async () => {
    product = await startProduct('split');
    shop = new Shop(product.gateway, product.api_key);
    await receiver.listen();
    await shop.addEndpoint(receiver.url);
  });

  afterAll(async () => {
    await product.stop();
    await receiver.goDown();
    product.forget();
  });

  const pidOf = (name: string): number => {
    const pids: Record<string, number> = JSON.parse(readFileSync(join(product.data, 'processes.json'), 'utf8'));
    return pids[name] ?? 0;
  };
  const isOver = async (): Promise<boolean> => {
    const { body } = await shop.call<ClockAnswer>('GET', '/v1/test_clock');
    return body.advance?.status === 'done';
  };

  test('each term is ordered, charged, delivered and told once', async ({ annotate }) => {
    const made = await shop.createProduct('Weekly', { subscription: { type: 'AR', period: 'P1W' } });
    await shop.addCodes(made.id, 80);
    const sale = await buy(made.checkout_url, cards.pays, new Visitor(), { auto_renew: '1' });
    const path = `/v1/subscriptions?order=${sale.orderId}`;
    await until('the subscription', async () => (await shop.must<List<SubscriptionAnswer>>('GET', path)).data[0]);

    const startedAt = Date.now();
    void shop.call('POST', '/v1/test_clock/advance', { by: 'P365D' }).catch(() => undefined);
    const killed: string[] = [];
    for (const name of victims) {
      await pause(300 + Math.random() * 700);
      if (await isOver().catch(() => false)) break;
      const pid = pidOf(name);
      process.kill(pid, 'SIGKILL');
      killed.push(name);
      await until('it to be started again', async () => pidOf(name) !== pid);
    }
    await until('the advance to be over', isOver, 300_000);
    await annotate(`killed ${killed.join(', ')}; the year took ${Date.now() - startedAt} ms`);
    expect(killed.length).toBeGreaterThan(3);

    const { data } = await shop.must<List<SubscriptionAnswer>>('GET', path);
    expect(data[0]?.status).toBe('active');
    const payments = await all<PaymentAnswer & { id: string }>(shop, '/v1/payments');
    const booked = payments.filter((payment) => payment.status === 'booked').map((payment) => payment.order);
    expect(new Set(booked).size).toBe(booked.length);
    // The purchase, and a renewal two days before each week's end.
    expect(booked).toHaveLength(53);
    for (const orderId of booked)
      expect((await shop.order(orderId)).items.map((item) => item.licence_codes.length)).toEqual([1]);
    await until('the last webhooks', async () => new Set(receiver.received.map((each) => each.id)).size >= 159);
    const story = [...new Map(receiver.received.map((each) => [each.id, each.body])).values()];
    expect(story).toHaveLength(159);
    for (const orderId of booked)
      expect(story.filter((body) => body.order_id === orderId).map((body) => body.event)).toEqual([
        'order.created',
        'order.payment.succeeded',
        'product.delivered',
      ]);
  }, 420_000);
}

/** Over all pages. */
async function all<T extends { readonly id: string }>(shop: Shop, path: string): Promise<readonly T[]> {
  const found: T[] = [];
  for (let more = true; more;) {
    const after = found.at(-1)?.id;
    const page = await shop.must<List<T>>(
      'GET',
      `${path}?limit=100${after === undefined ? '' : `&starting_after=${after}`}`,
    );
    found.push(...page.data);
    more = page.has_more;
  }
  return found;
}
