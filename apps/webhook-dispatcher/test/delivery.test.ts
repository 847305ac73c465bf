import { eventually } from '@tillstream/testkit/eventually';
import { hostileReceiver, type HostileReceiver, type ReceivedRequest } from '@tillstream/testkit/receiver';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { signSeed, signStandard } from '../src/outbound/http/signatures.ts';
import { endpointAt, makeStage, merchantId, type Node, type Stage } from './stage.ts';

let stage: Stage;
let node: Node;
const receivers: HostileReceiver[] = [];
let orders = 1_000n;

beforeAll(async () => {
  stage = await makeStage();
  node = await stage.start();
});
afterAll(async () => {
  await stage.stop();
  await Promise.all(receivers.map((receiver) => receiver.stop()));
});

// A test that fails must not make the next ones fail.
afterEach(async () => {
  const { endpoints } = await node.webhooks.listEndpoints({
    merchantId,
    limit: 100,
    startingAfter: '',
    endingBefore: '',
  });
  for (const { id } of endpoints) await node.webhooks.deleteEndpoint({ merchantId, endpointId: id });
});

async function receiver(): Promise<HostileReceiver> {
  const made = await hostileReceiver();
  receivers.push(made);
  return made;
}

const nextOrder = (): bigint => (orders += 1n);
const bodyOf = (
  request: ReceivedRequest,
): {
  event: string;
  order_id: number;
  document_part: string;
  product: Record<string, unknown>;
  status: string;
  pay_date: string;
} => JSON.parse(request.body.toString());
const eventsOf = (from: HostileReceiver, order: bigint): string[] =>
  from.requests
    .map(bodyOf)
    .filter((body) => body.order_id === Number(order))
    .map((body) => body.event);
const story = ['created', 'paid', { delivered: 1 }] as const;
const storyEvents = ['order.created', 'order.payment.succeeded', 'product.delivered'];

async function endpoint(
  url: string,
  more: Parameters<typeof endpointAt>[1] = {},
): Promise<{ id: string; seed: string; standard: string; remove: () => Promise<unknown> }> {
  const { endpoint: made, secrets } = await node.webhooks.createEndpoint(endpointAt(url, more));
  const id = made?.id ?? '';
  return {
    id,
    seed: secrets?.seed ?? '',
    standard: secrets?.standard ?? '',
    remove: () => node.webhooks.deleteEndpoint({ merchantId, endpointId: id }),
  };
}

async function statusesOf(order: bigint): Promise<string[]> {
  const { deliveries } = await node.webhooks.listDeliveries({
    merchantId,
    limit: 100,
    startingAfter: '',
    endingBefore: '',
    endpointId: '',
    eventId: '',
    status: '',
    orderId: order,
  });
  return deliveries.map((delivery) => delivery.status).toReversed();
}

describe('a purchase', () => {
  test('is heard in order, in the seed form, signed twice', async () => {
    const shop = await receiver();
    const { id, seed, standard, remove } = await endpoint(`${shop.url}/hooks?x=1`, { seedSecret: 'secret_key' });
    const order = nextOrder();
    await stage.say(order, story);
    const requests = await shop.waitFor(3);
    expect(requests.map((request) => bodyOf(request).event)).toEqual(storyEvents);
    expect(seed).toBe('secret_key');
    for (const { headers, body, method, path } of requests) {
      expect([method, path, headers['content-type'], headers['user-agent'], headers['accept-encoding']]).toEqual([
        'POST',
        '/hooks?x=1',
        'application/json',
        'Tillstream',
        'identity',
      ]);
      expect(headers['webhook-id']).toMatch(/^evt_[0-9a-z]{26}$/);
      expect(headers['signature']).toBe(signSeed('secret_key', body.toString()));
      expect(headers['webhook-signature']).toBe(
        signStandard(standard, String(headers['webhook-id']), Number(headers['webhook-timestamp']), body),
      );
      expect(headers['traceparent']).toBeUndefined();
    }
    const [created, paid, delivered] = requests.map(bodyOf);
    expect([created?.status, created?.pay_date, paid?.pay_date]).toEqual(['not paid', '', '2026-11-21T13:00:02+01:00']);
    expect(paid?.product['activation_codes']).toBeUndefined();
    expect(delivered?.product['activation_codes']).toEqual([`CODE-${order}-1`, `CODE-${order}-2`]);
    await eventually(async () => (await statusesOf(order)).every((status) => status === 'delivered'));
    const { endpoint: counted } = await node.webhooks.getEndpoint({ merchantId, endpointId: id });
    expect([counted?.succeededCount, counted?.failedCount, counted?.waitingCount]).toEqual([3, 0, 0]);
    await remove();
  });

  test('of three products is three webhooks per order event, each with its part; one for the delivered product', async () => {
    const shop = await receiver();
    const { remove } = await endpoint(shop.url);
    const order = nextOrder();
    await stage.say(order, story, { itemCount: 3 });
    const requests = await shop.waitFor(7);
    expect(requests.map((request) => [bodyOf(request).event, bodyOf(request).document_part])).toEqual([
      ['order.created', '1-of-3'],
      ['order.created', '2-of-3'],
      ['order.created', '3-of-3'],
      ['order.payment.succeeded', '1-of-3'],
      ['order.payment.succeeded', '2-of-3'],
      ['order.payment.succeeded', '3-of-3'],
      ['product.delivered', '1-of-3'],
    ]);
    expect(new Set(requests.map((request) => request.headers['webhook-id'])).size).toBe(7);
    await remove();
  });

  test('an event that comes twice is sent once, and an endpoint hears only what it asked for', async () => {
    const [all, some] = [await receiver(), await receiver()];
    const [first, second] = [await endpoint(all.url), await endpoint(some.url, { events: ['product.delivered'] })];
    const order = nextOrder();
    const eventIds = await stage.say(order, ['created', 'paid']);
    await all.waitFor(2);
    // The carrier gives the same messages again, and then something new.
    await stage.say(order, ['created', 'paid', { delivered: 1 }], { eventIds });
    await some.waitFor(1);
    expect(eventsOf(all, order)).toEqual(storyEvents.slice(0, 2).concat('product.delivered'));
    expect(eventsOf(some, order)).toEqual(['product.delivered']);
    await Promise.all([first.remove(), second.remove()]);
  });
});

describe('receivers as the world has them', () => {
  test('one that fails hears the same bytes and id again, and nothing of the order overtakes', async () => {
    const shop = await receiver();
    const { remove } = await endpoint(shop.url);
    // The first two of every three requests fail.
    shop.behave((_request, n) => ({ type: 'answer', status: n % 3 === 0 ? 200 : ([404, 500][n % 2] ?? 500) }));
    const order = nextOrder();
    await stage.say(order, story);
    const requests = await shop.waitFor(9);
    expect(requests.map((request) => bodyOf(request).event)).toEqual(
      storyEvents.flatMap((event) => [event, event, event]),
    );
    for (let from = 0; from < 9; from += 3) {
      const [one, two, three] = requests.slice(from, from + 3);
      expect(two?.body.equals(one?.body ?? Buffer.alloc(0))).toBe(true);
      expect(three?.body.equals(one?.body ?? Buffer.alloc(0))).toBe(true);
      expect(new Set([one, two, three].map((each) => each?.headers['webhook-id'])).size).toBe(1);
    }
    await remove();
  });

  test('one that is down gets everything afterwards, in order; the other never waits', async () => {
    const [down, up] = [await receiver(), await receiver()];
    const [first, second] = [await endpoint(down.url), await endpoint(up.url)];
    await down.down();
    const sales = [nextOrder(), nextOrder(), nextOrder()];
    for (const order of sales) await stage.say(order, story);
    await up.waitFor(9);
    await down.up();
    const late = await down.waitFor(9);
    for (const order of sales) {
      expect(eventsOf(down, order)).toEqual(storyEvents);
      const bytes = (from: readonly ReceivedRequest[]) =>
        from
          .filter((each) => bodyOf(each).order_id === Number(order))
          .map((each) => `${String(each.headers['webhook-id'])} ${each.body.toString()}`);
      expect(bytes(late)).toEqual(bytes(up.requests));
    }
    await Promise.all([first.remove(), second.remove()]);
  });

  test('one that never answers, drips, redirects, floods or resets harms nobody and is recorded for what it did', async () => {
    const healthy = await receiver();
    const healthyEndpoint = await endpoint(healthy.url, { events: ['order.created'] });
    const hostile = await receiver();
    const elsewhere = await receiver();
    const cases = [
      ['never', { type: 'never' }, 'timeout', 0],
      ['drip', { type: 'drip', everyMs: 50 }, 'timeout', 0],
      ['redirect', { type: 'redirect', to: elsewhere.url }, 'redirect', 302],
      ['reset', { type: 'reset' }, 'connection_reset', 0],
    ] as const;
    for (const [name, behaviour, error, status] of cases) {
      hostile.behave(behaviour);
      const { remove } = await endpoint(hostile.url, { events: ['order.created'] });
      const order = nextOrder();
      const before = healthy.requests.length;
      await stage.say(order, ['created']);
      await healthy.waitFor(before + 1);
      const attempt = await eventually(async () => {
        const { deliveries } = await node.webhooks.listDeliveries({
          merchantId,
          limit: 100,
          startingAfter: '',
          endingBefore: '',
          endpointId: '',
          eventId: '',
          status: 'waiting',
          orderId: order,
        });
        return deliveries[0]?.attempts[0];
      });
      expect([name, attempt.error, attempt.httpStatus]).toEqual([name, error, status]);
      await remove();
    }
    expect(elsewhere.requests).toHaveLength(0);

    // Ten gigabytes with a 200: enough is read to know the answer, the rest is hung up on.
    hostile.behave({ type: 'huge', bytes: 10_000_000_000 });
    const { remove } = await endpoint(hostile.url, { events: ['order.created'] });
    const order = nextOrder();
    await stage.say(order, ['created']);
    // To both endpoints: of none yet it would be true too, and the next test would hear of it.
    await eventually(async () => (await statusesOf(order)).join() === 'delivered,delivered');
    expect(hostile.sentBytes()).toBeLessThan(50_000_000);
    await Promise.all([remove(), healthyEndpoint.remove()]);
  });

  test('what is given up is kept for a resend, and the order goes on with a mark of the gap', async () => {
    const shop = await receiver();
    const { remove } = await endpoint(shop.url);
    shop.behave((request) => ({ type: 'answer', status: bodyOf(request).event === 'order.created' ? 400 : 200 }));
    const order = nextOrder();
    await stage.say(order, story);
    await eventually(async () => (await statusesOf(order)).join() === 'exhausted,delivered,delivered');
    const gaps = shop.requests.filter((request) => request.headers['x-tillstream-gap'] === '1');
    expect(gaps.map((request) => bodyOf(request).event)).toEqual(['order.payment.succeeded']);
    const tries = shop.requests.filter((request) => bodyOf(request).event === 'order.created');
    expect(tries).toHaveLength(7);

    shop.behave({ type: 'answer', status: 200, body: 'thanks' });
    const { deliveries } = await node.webhooks.listDeliveries({
      merchantId,
      limit: 1,
      startingAfter: '',
      endingBefore: '',
      endpointId: '',
      eventId: '',
      status: 'exhausted',
      orderId: order,
    });
    const { delivery } = await node.webhooks.resendDelivery({ merchantId, deliveryId: deliveries[0]?.id ?? '' });
    expect([
      delivery?.status,
      delivery?.attempts.at(-1)?.trigger,
      delivery?.attempts.at(-1)?.responseStart,
      delivery?.attempts.at(-1)?.number,
    ]).toEqual(['delivered', 'manual', 'thanks', 8]);
    const again = shop.requests.at(-1);
    expect([again?.headers['webhook-id'], again?.body.toString()]).toEqual([
      tries[0]?.headers['webhook-id'],
      tries[0]?.body.toString(),
    ]);
    await remove();
  }, 60_000);

  test('410 disables at once; what happens then is held and flows after enabling', async () => {
    const shop = await receiver();
    const { id, remove } = await endpoint(shop.url);
    shop.behave({ type: 'answer', status: 410 });
    const order = nextOrder();
    await stage.say(order, ['created']);
    const disabled = await eventually(async () => {
      const { endpoint: now } = await node.webhooks.getEndpoint({ merchantId, endpointId: id });
      return now?.status === 'disabled' && now;
    });
    expect(disabled.disabledReason).toBe('gone');
    await stage.say(order, ['paid', { delivered: 1 }]);
    await eventually(async () => (await statusesOf(order)).join() === 'held,held,held');
    expect(shop.requests).toHaveLength(1);
    shop.behave({ type: 'answer', status: 200 });
    await node.webhooks.enableEndpoint({ merchantId, endpointId: id });
    await shop.waitFor(4);
    expect(eventsOf(shop, order)).toEqual(['order.created', ...storyEvents]);
    await remove();
  });

  test('a paused endpoint holds, a deleted one drops', async () => {
    const shop = await receiver();
    const { id, remove } = await endpoint(shop.url);
    await node.webhooks.updateEndpoint({
      merchantId,
      endpointId: id,
      status: 'paused',
      url: undefined,
      events: undefined,
      description: undefined,
      signSeed: undefined,
      signStandard: undefined,
    });
    const order = nextOrder();
    await stage.say(order, story);
    await eventually(async () => (await statusesOf(order)).join() === 'held,held,held');
    await remove();
    expect(await statusesOf(order)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(shop.requests).toHaveLength(0);
    await expect(node.webhooks.getEndpoint({ merchantId, endpointId: id })).rejects.toThrow(
      expect.objectContaining({ code: 'endpoint_not_found' }),
    );
  });
});
