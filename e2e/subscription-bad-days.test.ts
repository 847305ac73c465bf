/** A process that is killed in the middle of an advance, again and again: one order, charge, licence and story a term. */
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause } from './crowd.ts';
import { expectWell } from './doctor.ts';
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

interface Letter {
  readonly message_id: string;
  readonly subject: string;
}

describe('a product that dies while time is led through a year', () => {
  let product: Product;
  let shop: Shop;
  const receiver = new Receiver();

  beforeAll(async () => {
    product = await startProduct('standalone');
    shop = new Shop(product.gateway, product.api_key);
    await receiver.listen();
    await shop.addEndpoint(receiver.url);
  });

  afterAll(async () => {
    await product.stop();
    await receiver.goDown();
    product.forget();
  });

  const dieAndComeBack = async (): Promise<void> => {
    const { data, portBase } = product;
    await product.kill();
    product = await startProduct('standalone', { data, portBase });
  };

  test('charges each term once, whenever it is killed', async () => {
    const made = await shop.createProduct('Monthly', { subscription: { type: 'AR', period: 'P1M' } });
    await shop.addCodes(made.id, 40);
    const sale = await buy(made.checkout_url, cards.pays, new Visitor(), { auto_renew: '1' });
    const path = `/v1/subscriptions?order=${sale.orderId}`;
    await until('the subscription', async () => (await shop.must<List<SubscriptionAnswer>>('GET', path)).data[0]);

    const asked = shop.call<ClockAnswer>('POST', '/v1/test_clock/advance', { by: 'P370D' }).catch(() => undefined);
    for (let deaths = 0; deaths < 3; deaths += 1) {
      await pause(200 + Math.random() * 600);
      await dieAndComeBack();
    }
    await asked;
    const clock = await until(
      'the advance to be over',
      async () => {
        const { body } = await shop.call<ClockAnswer>('GET', '/v1/test_clock');
        return body.advance?.status === 'done' ? body : undefined;
      },
      240_000,
    );
    expect(clock.advance?.waiting_for).toEqual([]);

    const { data: payments } = await shop.must<List<PaymentAnswer>>('GET', '/v1/payments?limit=100');
    const booked = payments.filter((payment) => payment.status === 'booked').map((payment) => payment.order);
    expect(new Set(booked).size).toBe(booked.length);
    // The purchase and the twelve renewals of a year and five days.
    expect(booked).toHaveLength(13);
    expect(payments).toHaveLength(13);
    for (const orderId of booked)
      expect((await shop.order(orderId)).items.map((item) => item.licence_codes.length)).toEqual([1]);

    await until('the last webhooks', async () => new Set(receiver.received.map((each) => each.id)).size >= 39);
    const story = [...new Map(receiver.received.map((each) => [each.id, each.body])).values()];
    for (const orderId of booked)
      expect(story.filter((body) => body.order_id === orderId).map((body) => body.event)).toEqual([
        'order.created',
        'order.payment.succeeded',
        'product.delivered',
      ]);
    expect(story).toHaveLength(39);
    const ends = story
      .filter((body) => body.event === 'order.payment.succeeded')
      .map((body) => body.subscription?.expiration_date);
    expect(new Set(ends).size).toBe(13);

    const response = await request(`${product.mail}/api/messages`);
    const letters: Letter[] = JSON.parse(await response.body.text());
    // A mail may come twice from a process that died between sending and noting it, but then it is the same mail.
    const mails = [...new Map(letters.map((letter) => [letter.message_id, letter.subject])).values()];
    const licences = mails.filter((subject) => /licence|license/i.test(subject));
    expect(licences).toHaveLength(13);
  });

  test('after all that the doctor finds the installation well', async () => {
    await expectWell(product);
  });
});
