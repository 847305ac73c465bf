/** Events about something that is not an order: payments, each with a chain of its own. */
import { paymentShape, type PaymentObject } from '@tillstream/public-api/payment';
import { eventually } from '@tillstream/testkit/eventually';
import { hostileReceiver, type HostileReceiver, type ReceivedRequest } from '@tillstream/testkit/receiver';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpointAt, makeStage, merchantId, otherMerchantId, type Node, type Stage } from './stage.ts';

let stage: Stage;
let node: Node;
let shop: HostileReceiver;
let endpointId: string;
const page = { limit: 100, startingAfter: '', endingBefore: '' };
const anyDelivery = { merchantId, ...page, endpointId: '', eventId: '', status: '', orderId: 0n };

beforeAll(async () => {
  [stage, shop] = [await makeStage(), await hostileReceiver()];
  node = await stage.start();
  const made = await node.webhooks.createEndpoint(endpointAt(shop.url, { payloadProfile: 'standard' }));
  endpointId = made.endpoint?.id ?? '';
});
afterAll(async () => {
  await stage.stop();
  await shop.stop();
});

interface Body {
  readonly type: string;
  readonly timestamp: string;
  readonly data: PaymentObject;
}
const bodyOf = (request: ReceivedRequest): Body => JSON.parse(request.body.toString());
const requestsOf = (subject: string | number) => shop.requests.filter((each) => bodyOf(each).data.id === subject);

test('a payment is told with the object of the API, listed with its subject and found by its order', async () => {
  const id = await stage.sayOfPayment(5_000n, ['created', 'failed']);
  const request = await eventually(() => requestsOf(id)[0]);
  const body = bodyOf(request);
  expect([body.type, body.timestamp, body.data.status]).toEqual([
    'payment.failed',
    '2026-11-21T12:00:02.000Z',
    'failed',
  ]);
  expect(paymentShape.strict().parse(body.data)).toEqual(body.data);
  const { events } = await node.webhooks.listEvents({ merchantId, ...page, type: '', orderId: 5_000n });
  expect(events).toMatchObject([
    {
      id: request.headers['webhook-id'],
      type: 'payment.failed',
      payloadProfile: 'standard',
      orderId: 5_000n,
      subjectKind: 'payment',
      subjectId: id,
      body: request.body.toString(),
    },
  ]);
  const delivery = await eventually(async () => {
    const { deliveries } = await node.webhooks.listDeliveries({ ...anyDelivery, orderId: 5_000n });
    return deliveries.find((each) => each.status === 'delivered');
  });
  expect([delivery.subjectKind, delivery.subjectId, delivery.attempts.length]).toEqual(['payment', id, 1]);
  const { entries } = await node.timeline.readTimeline({ merchantId, orderId: 5_000n });
  expect(entries.map((each) => each.type)).toEqual(['webhook_queued', 'webhook_attempted', 'webhook_delivered']);
});

test('a delivery that fails holds up its own subject and no other', async () => {
  const stuck = await stage.sayOfPayment(5_010n, ['failed']);
  await eventually(() => requestsOf(stuck)[0]);
  // From here on this payment's events fail; those of the order and of the other payment are taken.
  let isDown = true;
  shop.behave((request) => ({
    type: 'answer',
    status: isDown && bodyOf(request).data.id === stuck ? 500 : 200,
  }));
  await stage.sayOfPayment(5_010n, ['failed', 'booked'], { paymentId: stuck });
  const free = await stage.sayOfPayment(5_010n, ['booked']);
  await stage.say(5_010n, ['created', 'paid']);
  await eventually(() => requestsOf(free).length === 1 && requestsOf(5_010).length === 2);
  await eventually(() => requestsOf(stuck).length >= 3);
  const waiting = await node.webhooks.listDeliveries({ ...anyDelivery, status: 'waiting' });
  expect(waiting.deliveries.map((each) => [each.subjectId, each.eventType])).toEqual([
    [stuck, 'payment.booked'],
    [stuck, 'payment.failed'],
  ]);
  isDown = false;
  await eventually(() => requestsOf(stuck).some((each) => bodyOf(each).type === 'payment.booked'));
  const types = requestsOf(stuck).map((each) => bodyOf(each).type);
  expect(types.at(-1)).toBe('payment.booked');
  expect(new Set(types.slice(0, -1))).toEqual(new Set(['payment.failed']));
  shop.behave({ type: 'answer', status: 200 });
});

test('what the catalogue does not have is passed over, also when a newer sender says it', async () => {
  const id = await stage.sayOfPayment(5_020n, ['created', 'refunded', 'booked']);
  await eventually(() => requestsOf(id)[0]);
  expect(requestsOf(id).map((each) => bodyOf(each).type)).toEqual(['payment.booked']);
});

test('a foreign merchant finds nothing, and is told of its own payments only', async () => {
  const other = await hostileReceiver();
  const foreign = { merchantId: otherMerchantId, payloadProfile: 'standard' };
  const made = await node.webhooks.createEndpoint(endpointAt(other.url, foreign));
  const [ours, theirs] = [
    await stage.sayOfPayment(5_030n, ['booked']),
    await stage.sayOfPayment(5_031n, ['booked'], { merchantId: otherMerchantId }),
  ];
  await other.waitFor(1);
  await eventually(() => requestsOf(ours)[0]);
  expect([other.requests.map((each) => bodyOf(each).data.id), requestsOf(theirs)]).toEqual([[theirs], []]);
  const listed = await node.webhooks.listEvents({ merchantId: otherMerchantId, ...page, type: '', orderId: 5_030n });
  expect(listed.events).toEqual([]);
  await node.webhooks.deleteEndpoint({ merchantId: otherMerchantId, endpointId: made.endpoint?.id ?? '' });
  await other.stop();
});

test('a paused endpoint holds events of payments; enabled, it gets them in their order', async () => {
  const set = (status: string) =>
    node.webhooks.updateEndpoint({
      merchantId,
      endpointId,
      status,
      url: undefined,
      events: undefined,
      description: undefined,
      signSeed: undefined,
      signStandard: undefined,
    });
  await set('paused');
  const id = await stage.sayOfPayment(5_040n, ['failed', 'booked']);
  await eventually(async () => {
    const { deliveries } = await node.webhooks.listDeliveries({ ...anyDelivery, orderId: 5_040n, status: 'held' });
    return deliveries.length === 2;
  });
  expect(requestsOf(id)).toEqual([]);
  await set('active');
  await eventually(() => requestsOf(id).length === 2);
  expect(requestsOf(id).map((each) => bodyOf(each).type)).toEqual(['payment.failed', 'payment.booked']);
});
