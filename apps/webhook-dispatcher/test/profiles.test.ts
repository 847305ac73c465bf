/** The payload profile standard: one body for each event, with the object of the API; beside endpoints of the profile seed. */
import { wholeOrder, type OrderObject } from '@tillstream/public-api/order';
import { eventually } from '@tillstream/testkit/eventually';
import { hostileReceiver, type HostileReceiver, type ReceivedRequest } from '@tillstream/testkit/receiver';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signSeed, signStandard } from '../src/outbound/http/signatures.ts';
import { endpointAt, makeStage, merchantId, otherMerchantId, type Node, type Stage } from './stage.ts';

let stage: Stage;
let node: Node;
const receivers: HostileReceiver[] = [];
const page = { limit: 100, startingAfter: '', endingBefore: '' };
const refused = (code: string) => expect.objectContaining({ code });

beforeAll(async () => {
  stage = await makeStage();
  node = await stage.start();
});
afterAll(async () => {
  await stage.stop();
  await Promise.all(receivers.map((each) => each.stop()));
});

async function endpoint(payloadProfile: string, more: Parameters<typeof endpointAt>[1] = {}) {
  const receiver = await hostileReceiver();
  receivers.push(receiver);
  const made = await node.webhooks.createEndpoint(endpointAt(receiver.url, { payloadProfile, ...more }));
  const id = made.endpoint?.id ?? '';
  const remove = () => node.webhooks.deleteEndpoint({ merchantId: more.merchantId ?? merchantId, endpointId: id });
  return { id, endpoint: made.endpoint, secrets: made.secrets, receiver, remove };
}

interface Body {
  readonly type: string;
  readonly timestamp: string;
  readonly data: OrderObject;
}
const bodyOf = (request: ReceivedRequest): Body => JSON.parse(request.body.toString());
const listOf = async (orderId: bigint, merchant = merchantId) =>
  (await node.webhooks.listEvents({ merchantId: merchant, ...page, type: '', orderId })).events.toReversed();

test('an order of two products is one body for each of its events, and two in the profile seed', async () => {
  const [standard, seed] = [await endpoint('standard'), await endpoint('seed')];
  await stage.sayOfPayment(9_000n, ['created', 'booked']);
  await stage.say(9_000n, ['created', 'paid', { delivered: 1 }, { delivered: 2 }], { itemCount: 2 });
  await seed.receiver.waitFor(6);
  const requests = await eventually(() => {
    const ofOrder = standard.receiver.requests.filter((each) => bodyOf(each).type !== 'payment.booked');
    return ofOrder.length === 4 && ofOrder;
  });
  const bodies = requests.map(bodyOf);
  expect(bodies.map(({ type, data }) => [type, data.status, data.fulfilment_status])).toEqual([
    ['order.created', 'not paid', 'not delivered'],
    ['order.payment.succeeded', 'paid', 'not delivered'],
    ['product.delivered', 'paid', 'not delivered'],
    ['product.delivered', 'paid', 'not delivered'],
  ]);
  for (const body of bodies) {
    expect(Object.keys(body)).toEqual(['type', 'timestamp', 'data']);
    expect(wholeOrder.strict().parse(body.data)).toEqual(body.data);
  }
  expect(bodies[0]?.timestamp).toBe('2026-11-21T12:00:01.000Z');
  // As the order was: no payment at its creation, no code before the delivery.
  expect(bodies.map(({ data }) => data.payments.map((each) => each.status))).toEqual([
    [],
    ['booked'],
    ['booked'],
    ['booked'],
  ]);
  const codes = ['CODE-9000-1', 'CODE-9000-2'];
  expect(bodies.map(({ data }) => data.items.map((item) => item.licence_codes))).toEqual([
    [[], []],
    [[], []],
    [codes, []],
    [codes, []],
  ]);
  const events = await listOf(9_000n);
  expect(events.filter((each) => each.payloadProfile === 'seed')).toHaveLength(6);
  const listed = events.filter((each) => each.payloadProfile === 'standard' && each.subjectKind === 'order');
  expect(listed.map((each) => [each.id, each.body, each.subjectId])).toEqual(
    requests.map((each) => [each.headers['webhook-id'], each.body.toString(), '9000']),
  );
  await Promise.all([standard.remove(), seed.remove()]);
});

test('both signatures, the headers and a ping are there as in the profile seed', async () => {
  const { id, receiver, secrets, remove } = await endpoint('standard', { seedSecret: 'secret_key' });
  await stage.say(9_010n, ['created']);
  const [request] = await receiver.waitFor(1);
  if (request === undefined) throw new Error('nothing came');
  const { headers, body } = request;
  expect(headers['webhook-id']).toMatch(/^evt_[0-9a-z]{26}$/);
  expect(headers['webhook-signature']).toBe(
    signStandard(secrets?.standard ?? '', String(headers['webhook-id']), Number(headers['webhook-timestamp']), body),
  );
  expect(headers['signature']).toBe(signSeed('secret_key', body.toString()));
  // The same values as in a document of the seed, by the names that they have here.
  const sameInSeed = {
    event: 'order.created',
    order_id: 9_010,
    create_date: bodyOf(request).data.created_at,
    payment: { payment_method: 'CreditCard' },
    currency: 'EUR',
    customer: { email: 'marcel@example.com' },
  };
  expect(headers['signature']).toBe(signSeed('secret_key', JSON.stringify(sameInSeed)));
  await node.webhooks.pingEndpoint({ merchantId, endpointId: id });
  const [, ping] = await receiver.waitFor(2);
  expect(JSON.parse(ping?.body.toString() ?? '')).toEqual({
    type: 'ping',
    timestamp: expect.stringMatching(/Z$/),
    data: { id: ping?.headers['webhook-id'] },
  });
  await remove();
});

test('a body is the same bytes in every attempt, and when it is sent again by hand', async () => {
  const { receiver, remove } = await endpoint('standard');
  receiver.behave((_, n) => ({ type: 'answer', status: n < 4 ? 500 : 200 }));
  await stage.say(9_020n, ['created']);
  await receiver.waitFor(4);
  // What the order has become meanwhile is not in it.
  await stage.say(9_020n, ['paid']);
  const [first] = await receiver.waitFor(5);
  const filter = { endpointId: '', eventId: String(first?.headers['webhook-id']), status: '', orderId: 0n };
  const delivery = await eventually(async () => {
    const { deliveries } = await node.webhooks.listDeliveries({ merchantId, ...page, ...filter });
    return deliveries.find((each) => each.status === 'delivered');
  });
  await node.webhooks.resendDelivery({ merchantId, deliveryId: delivery.id });
  const ofEvent = receiver.requests.filter((each) => bodyOf(each).type === 'order.created');
  expect(ofEvent).toHaveLength(5);
  expect(new Set(ofEvent.map((each) => each.body.toString())).size).toBe(1);
  expect(new Set(ofEvent.map((each) => each.headers['webhook-id'])).size).toBe(1);
  await remove();
});

test('of merchants without such an endpoint nothing more is asked, stored or sent', async () => {
  const merchant = { merchantId: '0198c0de-0000-7000-8000-000000000003' };
  const { receiver, remove } = await endpoint('seed', merchant);
  const before = { ...stage.asked };
  await stage.sayOfPayment(9_030n, ['created', 'booked'], merchant);
  await stage.say(9_030n, ['created', 'paid'], merchant);
  await receiver.waitFor(2);
  expect([stage.asked.payments - before.payments, stage.asked.licences - before.licences]).toEqual([0, 0]);
  expect((await listOf(9_030n, merchant.merchantId)).map((each) => [each.type, each.payloadProfile])).toEqual([
    ['order.created', 'seed'],
    ['order.payment.succeeded', 'seed'],
  ]);
  await remove();
});

test('an endpoint that wants one type gets it alone, and nothing is stored of the others in its profile', async () => {
  const { receiver, remove } = await endpoint('standard', { events: ['order.payment.succeeded'] });
  await stage.say(9_040n, ['created', 'paid', { delivered: 1 }]);
  await receiver.waitFor(1);
  await eventually(async () => (await listOf(9_040n)).length === 4);
  expect((await listOf(9_040n)).filter((each) => each.payloadProfile === 'standard').map((each) => each.type)).toEqual([
    'order.payment.succeeded',
  ]);
  expect(receiver.requests).toHaveLength(1);
  await remove();
});

test('events that are told twice are stored once in each profile', async () => {
  const { receiver, remove } = await endpoint('standard', { merchantId: otherMerchantId });
  const more = { merchantId: otherMerchantId, eventIds: [crypto.randomUUID()] };
  await stage.say(9_050n, ['created'], more);
  await receiver.waitFor(1);
  await stage.say(9_050n, ['created'], more);
  await stage.say(9_050n, ['paid'], { merchantId: otherMerchantId });
  await receiver.waitFor(2);
  expect((await listOf(9_050n, otherMerchantId)).map((each) => [each.type, each.payloadProfile])).toEqual([
    ['order.created', 'seed'],
    ['order.created', 'standard'],
    ['order.payment.succeeded', 'seed'],
    ['order.payment.succeeded', 'standard'],
  ]);
  // Neither merchant sees the other's.
  expect(await listOf(9_050n)).toEqual([]);
  await remove();
});

test('the profile is chosen at creation; a type that it does not have is refused', async () => {
  const { id, endpoint: made, remove } = await endpoint('standard', { events: ['payment.booked', 'order.created'] });
  expect(made?.payloadProfile).toBe('standard');
  await expect(endpoint('seed', { events: ['payment.booked'] })).rejects.toThrow(refused('unknown_event_type'));
  await expect(endpoint('compact')).rejects.toThrow(refused('invalid_field'));
  const change = {
    url: undefined,
    description: undefined,
    signSeed: undefined,
    signStandard: undefined,
    status: undefined,
    events: { events: ['payment.failed'] },
  };
  const changed = await node.webhooks.updateEndpoint({ merchantId, endpointId: id, ...change });
  expect([changed.endpoint?.events, changed.endpoint?.payloadProfile]).toEqual([['payment.failed'], 'standard']);
  const seed = await endpoint('');
  expect(seed.endpoint?.payloadProfile).toBe('seed');
  await expect(node.webhooks.updateEndpoint({ merchantId, endpointId: seed.id, ...change })).rejects.toThrow(
    refused('unknown_event_type'),
  );
  await Promise.all([remove(), seed.remove()]);
});
