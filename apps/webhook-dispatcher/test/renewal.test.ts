/** What a merchant hears of a subscription: parent, child, cancel and restore, as the order shows it at each version. */
import { eventually } from '@tillstream/testkit/eventually';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signSeed } from '../src/outbound/http/signatures.ts';
import { endpointAt, makeStage, type Node, type Stage } from './stage.ts';

let stage: Stage;
let node: Node;
let shop: HostileReceiver;
beforeAll(async () => {
  [stage, shop] = [await makeStage(), await hostileReceiver()];
  node = await stage.start();
  await node.webhooks.createEndpoint(endpointAt(shop.url, { seedSecret: 'secret_key' }));
});
afterAll(async () => {
  await stage.stop();
  await shop.stop();
});

interface Body {
  event: string;
  order_id: number;
  status: string;
  document_part: string;
  product: { activation_codes?: string[] };
  payment: { card_last_4: string | null; payment_error_code?: string };
  subscription?: Record<string, unknown>;
}
const heardOf = (order: bigint): Body[] =>
  shop.requests
    .map((request): Body => JSON.parse(request.body.toString()))
    .filter((body) => body.order_id === Number(order));
const hear = (order: bigint, count: number) => eventually(() => heardOf(order).length === count && heardOf(order));

test('a parent has its subscription from the payment on, cancelled and restored with the codes it was given', async () => {
  const order = 8_000n;
  const story = ['created', 'failed', 'paid', { delivered: 1 }, { cancelled: 1 }, { restored: 1 }] as const;
  await stage.say(order, story, { renewing: 'parent' });
  const bodies = await hear(order, 6);
  expect(bodies.map(({ event, status, subscription }) => [event, status, subscription?.['status']])).toEqual([
    ['order.created', 'not paid', undefined],
    ['order.payment.failed', 'not paid', undefined],
    ['order.payment.succeeded', 'paid', 'active'],
    ['product.delivered', 'paid', 'active'],
    ['subscription.cancelled', 'paid', 'cancelled'],
    ['subscription.restored', 'paid', 'active'],
  ]);
  const codes = [`CODE-${order}-1`, `CODE-${order}-2`];
  expect(bodies.map(({ product }) => product.activation_codes)).toEqual([
    undefined,
    undefined,
    undefined,
    codes,
    codes,
    codes,
  ]);
  expect(bodies[4]?.subscription).toEqual({
    id: '8000_80001',
    previous_order_id: null,
    previous_order_item_id: null,
    type: 'AR',
    is_conversion_from_trial: false,
    status: 'cancelled',
    period: 'P1Y',
    expiration_date: '2027-11-21T23:59:00+01:00',
    next_charge_date: '2027-11-01T23:59:00+01:00',
    detail_url: 'https://shop.example/order/status/8000/secret-token#autorenewal',
  });
  const requests = shop.requests.filter((request) => JSON.parse(request.body.toString()).order_id === Number(order));
  for (const { headers, body } of requests) expect(headers['signature']).toBe(signSeed('secret_key', body.toString()));
});

test('a child has it from its creation on, with the saved card, and nobody hears of notes and reminders', async () => {
  const [parent, child] = [8_100n, 8_101n];
  await stage.say(child, ['created', 'noted', 'failed', 'reminded', 'paid', { delivered: 1 }], { renewing: 'child' });
  const bodies = await hear(child, 4);
  expect(bodies.map(({ event, subscription }) => [event, subscription?.['status']])).toEqual([
    ['order.created', 'not paid'],
    ['order.payment.failed', 'not paid'],
    ['order.payment.succeeded', 'active'],
    ['product.delivered', 'active'],
  ]);
  expect(bodies.map(({ payment }) => payment.card_last_4)).toEqual(['4242', '4242', '4242', '4242']);
  expect(bodies.map(({ payment }) => payment.payment_error_code)).toEqual([undefined, 'AS102', undefined, undefined]);
  for (const { subscription } of bodies)
    expect(subscription).toMatchObject({
      id: `${parent}_${parent * 10n + 1n}`,
      previous_order_id: Number(parent),
      previous_order_item_id: Number(parent * 10n + 1n),
      detail_url: `https://shop.example/order/status/${parent}/secret-token#autorenewal`,
    });
  // Extended by its payment, from the old end on.
  expect(bodies.map(({ subscription }) => String(subscription?.['expiration_date']).slice(0, 4))).toEqual([
    '2027',
    '2027',
    '2028',
    '2028',
  ]);
});

test('a cancellation names one product of several, and has no codes before they were handed out', async () => {
  const order = 8_200n;
  await stage.say(order, ['created', 'paid', { cancelled: 1 }], { renewing: 'parent', itemCount: 3 });
  const bodies = await hear(order, 7);
  expect(bodies.filter((body) => body.subscription !== undefined).map((body) => body.document_part)).toEqual([
    '1-of-3',
    '1-of-3',
  ]);
  expect([bodies[6]?.event, bodies[6]?.document_part]).toEqual(['subscription.cancelled', '1-of-3']);
  expect('activation_codes' in (bodies[6]?.product ?? {})).toBe(false);
});

test('an endpoint can ask for cancellations alone', async () => {
  const own = await hostileReceiver();
  await node.webhooks.createEndpoint(endpointAt(own.url, { events: ['subscription.cancelled'] }));
  await stage.say(8_300n, ['created', 'paid', { cancelled: 1 }, { restored: 1 }], { renewing: 'parent' });
  await hear(8_300n, 4);
  await own.waitFor(1);
  expect(own.requests.map((request) => JSON.parse(request.body.toString()).event)).toEqual(['subscription.cancelled']);
  await own.stop();
});
