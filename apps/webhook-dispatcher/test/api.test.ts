import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { eventually } from '@tillstream/testkit/eventually';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { startTelemetry } from '@tillstream/telemetry/start';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { signSeed, signStandard } from '../src/outbound/http/signatures.ts';
import { endpointAt, makeStage, merchantId, otherMerchantId, type Node, type Stage } from './stage.ts';

let stage: Stage;
let node: Node;
let shop: HostileReceiver;
const refused = (code: string) => expect.objectContaining({ code });
const page = { limit: 100, startingAfter: '', endingBefore: '' };
const anyDelivery = { merchantId, ...page, endpointId: '', eventId: '', status: '', orderId: 0n };
const unchanged = {
  url: undefined,
  events: undefined,
  description: undefined,
  signSeed: undefined,
  signStandard: undefined,
  status: undefined,
};

beforeAll(async () => {
  await startTelemetry({ service: 'test' });
  stage = await makeStage();
  [node, shop] = [await stage.start({ SEND_TRACEPARENT: true }), await hostileReceiver()];
});
afterAll(async () => {
  await stage.stop();
  await shop.stop();
});

// A test that fails must not make the next ones fail.
afterEach(async () => {
  shop.behave({ type: 'answer', status: 200 });
  for (const { id } of (await node.webhooks.listEndpoints({ merchantId, ...page })).endpoints) await remove(id);
});

async function make(more: Parameters<typeof endpointAt>[1] = {}) {
  const { endpoint, secrets } = await node.webhooks.createEndpoint(endpointAt(`${shop.url}/hooks`, more));
  return { id: endpoint?.id ?? '', endpoint, secrets };
}
const remove = (id: string, merchant = merchantId) =>
  node.webhooks.deleteEndpoint({ merchantId: merchant, endpointId: id });

describe('endpoints', () => {
  test('what is not allowed is refused with its code', async () => {
    for (const url of [
      'http://10.0.0.1/',
      'https://169.254.169.254/',
      'ftp://example.com/',
      'nonsense',
      'https://user:pass@example.com/',
    ]) {
      await expect(node.webhooks.createEndpoint(endpointAt(url))).rejects.toThrow(refused('webhook_url_not_allowed'));
    }
    await expect(node.webhooks.createEndpoint(endpointAt(shop.url, { livemode: true }))).rejects.toThrow(
      refused('webhook_url_not_allowed'),
    );
    await expect(make({ events: ['order.created', 'order.eaten'] })).rejects.toThrow(refused('unknown_event_type'));
    await expect(make({ seedSecret: 'short' })).rejects.toThrow(refused('invalid_field'));
    await expect(make({ seedSecret: 'x'.repeat(201) })).rejects.toThrow(refused('invalid_field'));
    for (const id of ['', 'we_', 'we_00000000000000000000000000', 'evt_00000000000000000000000000', "we_' or true"]) {
      await expect(node.webhooks.getEndpoint({ merchantId, endpointId: id })).rejects.toThrow(
        refused('endpoint_not_found'),
      );
    }
  });

  test('a repeated request makes one endpoint and answers the same secrets', async () => {
    const requestId = crypto.randomUUID();
    const made = await Promise.all(Array.from({ length: 8 }, () => make({ requestId })));
    expect(new Set(made.map((each) => each.id)).size).toBe(1);
    expect(new Set(made.map((each) => each.secrets?.standard)).size).toBe(1);
    expect(made[0]?.secrets?.standard).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const another = await node.webhooks.createEndpoint(
      endpointAt(shop.url, { requestId, merchantId: otherMerchantId }),
    );
    expect(another.endpoint?.id).not.toBe(made[0]?.id);
    await remove(another.endpoint?.id ?? '', otherMerchantId);
    await remove(made[0]?.id ?? '');
    expect((await make({ requestId })).id).not.toBe(made[0]?.id);
  });

  test('fifty are allowed and fifty-one are not, also at once; lists are stable and whole', async () => {
    const own = '0198c0de-0000-7000-8000-000000000003';
    const results = await Promise.allSettled(
      Array.from({ length: 55 }, (_, at) =>
        node.webhooks.createEndpoint(endpointAt(shop.url, { merchantId: own, description: `${at}` }), {
          deadlineMs: 20_000,
        }),
      ),
    );
    expect(results.filter((each) => each.status === 'fulfilled')).toHaveLength(50);
    const seen: string[] = [];
    for (let startingAfter = '', hasMore = true; hasMore;) {
      const answer = await node.webhooks.listEndpoints({ merchantId: own, limit: 20, startingAfter, endingBefore: '' });
      seen.push(...answer.endpoints.map((each) => each.id));
      [startingAfter, hasMore] = [seen.at(-1) ?? '', answer.hasMore];
    }
    expect([seen.length, new Set(seen).size]).toEqual([50, 50]);
    const back = await node.webhooks.listEndpoints({
      merchantId: own,
      limit: 10,
      startingAfter: '',
      endingBefore: seen[20] ?? '',
    });
    expect(back.endpoints.map((each) => each.id)).toEqual(seen.slice(10, 20));
  });

  test('a foreign merchant finds nothing and changes nothing', async () => {
    const { id } = await make();
    await stage.say(7_000n, ['created']);
    const delivery = await eventually(
      async () => (await node.webhooks.listDeliveries({ ...anyDelivery, endpointId: id })).deliveries[0],
    );
    const foreign = { merchantId: otherMerchantId, endpointId: id };
    const calls = [
      node.webhooks.getEndpoint(foreign),
      node.webhooks.updateEndpoint({ ...foreign, ...unchanged, status: 'paused' }),
      node.webhooks.deleteEndpoint(foreign),
      node.webhooks.rotateSecret({ ...foreign, seedSecret: '', requestId: '' }),
      node.webhooks.enableEndpoint(foreign),
      node.webhooks.pingEndpoint(foreign),
    ];
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'endpoint_not_found' } });
    await expect(node.webhooks.getEvent({ merchantId: otherMerchantId, eventId: delivery.eventId })).rejects.toThrow(
      refused('event_not_found'),
    );
    await expect(node.webhooks.getDelivery({ merchantId: otherMerchantId, deliveryId: delivery.id })).rejects.toThrow(
      refused('delivery_not_found'),
    );
    await expect(
      node.webhooks.resendDelivery({ merchantId: otherMerchantId, deliveryId: delivery.id }),
    ).rejects.toThrow(refused('delivery_not_found'));
    expect(
      (await node.webhooks.listEvents({ merchantId: otherMerchantId, ...page, type: '', orderId: 7_000n })).events,
    ).toEqual([]);
    expect((await node.timeline.readTimeline({ merchantId: otherMerchantId, orderId: 7_000n })).entries).toEqual([]);
    expect((await node.webhooks.getEndpoint({ merchantId, endpointId: id })).endpoint?.status).toBe('active');
    await remove(id);
  });

  test('row-level security stands behind every table, and bodies and secrets are sealed', async () => {
    await expectTenantIsolation(stage.database.open<object>());
    const { id, secrets } = await make({ seedSecret: 'a secret of the seed' });
    await stage.say(7_001n, ['created', 'paid', { delivered: 1 }]);
    await eventually(
      async () =>
        (await node.webhooks.listDeliveries({ ...anyDelivery, orderId: 7_001n })).deliveries.filter(
          (each) => each.status === 'delivered',
        ).length === 3,
    );
    const { rows } = await stage.database.open<object>().everyMerchant('a test looks at what is stored', (tx) =>
      sql`select row_to_json(e)::text as text, encode(e.body, 'escape') as raw from event e
        union all select row_to_json(p)::text, encode(p.secrets, 'escape') from endpoint p`.execute(tx),
    );
    const dump = JSON.stringify(rows);
    expect(rows.length).toBeGreaterThan(3);
    for (const word of [
      'CODE-7001',
      'marcel@example.com',
      'a secret of the seed',
      secrets?.standard.slice(6) ?? 'none',
    ])
      expect(dump.includes(word)).toBe(false);
    const logged = JSON.stringify(node.log.lines);
    for (const word of ['CODE-7001', 'marcel@', 'a secret of the seed']) expect(logged.includes(word)).toBe(false);
    await remove(id);
  });

  test('after a rotation both standard secrets sign, and the seed header is of the new one', async () => {
    const { id, secrets: before } = await make({ seedSecret: 'the old secret' });
    const rotation = { merchantId, endpointId: id, seedSecret: 'the new secret', requestId: crypto.randomUUID() };
    const { secrets: after } = await node.webhooks.rotateSecret(rotation);
    // Whoever repeats the request has not rotated twice: the secret of before still signs.
    expect((await node.webhooks.rotateSecret(rotation)).secrets).toEqual(after);
    const n = shop.requests.length;
    await stage.say(7_002n, ['created']);
    const request = (await shop.waitFor(n + 1))[n];
    const sign = (secret = '') =>
      signStandard(
        secret,
        String(request?.headers['webhook-id']),
        Number(request?.headers['webhook-timestamp']),
        request?.body ?? Buffer.alloc(0),
      );
    expect(request?.headers['webhook-signature']).toBe(`${sign(after?.standard)} ${sign(before?.standard)}`);
    expect(request?.headers['signature']).toBe(signSeed('the new secret', request?.body.toString() ?? ''));
    // A day later the new one signs alone.
    await stage.database
      .open<object>()
      .everyMerchant('a test turns a rotation back by a day', (tx) =>
        sql`update endpoint set rotated_at = rotated_at - interval '24 hours'`.execute(tx),
      );
    await stage.say(7_003n, ['created']);
    const later = (await shop.waitFor(n + 2))[n + 1];
    expect(String(later?.headers['webhook-signature']).split(' ')).toHaveLength(1);
    await remove(id);
  });
});

describe('a ping', () => {
  test('says what the endpoint said', async () => {
    const { id } = await make();
    const n = shop.requests.length;
    expect(await node.webhooks.pingEndpoint({ merchantId, endpointId: id })).toMatchObject({
      succeeded: true,
      httpStatus: 200,
      error: '',
    });
    const request = shop.requests[n];
    expect(JSON.parse(request?.body.toString() ?? '{}')).toMatchObject({ event: 'ping' });
    expect(request?.headers['signature']).toMatch(/^[0-9a-f]{128}$/);
    shop.behave({ type: 'answer', status: 503 });
    expect(await node.webhooks.pingEndpoint({ merchantId, endpointId: id })).toMatchObject({
      succeeded: false,
      httpStatus: 503,
    });
    shop.behave({ type: 'never' });
    expect(await node.webhooks.pingEndpoint({ merchantId, endpointId: id })).toMatchObject({
      succeeded: false,
      httpStatus: 0,
      error: 'timeout',
    });
    shop.behave({ type: 'answer', status: 200 });
    await remove(id);
  });
});

describe('events, deliveries, timeline', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test('are found by order, with the exact bytes; the trace goes on to the receiver', async () => {
    const { id } = await make();
    const n = shop.requests.length;
    await stage.say(7_010n, ['created', 'failed', 'paid'], { traceparent });
    const requests = (await shop.waitFor(n + 3)).slice(n);
    expect(requests.map((request) => String(request.headers['traceparent']).split('-')[1])).toEqual(
      Array.from({ length: 3 }, () => '0af7651916cd43dd8448eb211c80319c'),
    );
    const { events } = await node.webhooks.listEvents({ merchantId, ...page, type: '', orderId: 7_010n });
    expect(events.map((event) => event.type)).toEqual([
      'order.payment.succeeded',
      'order.payment.failed',
      'order.created',
    ]);
    expect(events.map((event) => event.body)).toEqual(requests.map((request) => request.body.toString()).toReversed());
    expect(JSON.parse(events[1]?.body ?? '')).toMatchObject({
      payment: { payment_error_code: 'AS102', card_last_4: null },
    });
    expect((await node.webhooks.getEvent({ merchantId, eventId: events[0]?.id ?? '' })).event).toEqual(events[0]);
    expect(
      (await node.webhooks.listEvents({ merchantId, ...page, type: 'order.created', orderId: 7_010n })).events,
    ).toHaveLength(1);
    const { deliveries } = await eventually(async () => {
      const answer = await node.webhooks.listDeliveries({
        ...anyDelivery,
        eventId: events[0]?.id ?? '',
        status: 'delivered',
      });
      return answer.deliveries.length === 1 && answer;
    });
    expect(deliveries[0]).toMatchObject({
      endpointId: id,
      orderId: 7_010n,
      attempts: [{ number: 1, trigger: 'scheduled', httpStatus: 200 }],
    });

    const { entries, awaited } = await node.timeline.readTimeline({ merchantId, orderId: 7_010n });
    expect(entries.map((entry) => entry.type).toSorted()).toEqual([
      ...Array(3).fill('webhook_attempted'),
      ...Array(3).fill('webhook_delivered'),
      ...Array(3).fill('webhook_queued'),
    ]);
    expect(new Set(entries.map((entry) => entry.traceId))).toEqual(new Set(['0af7651916cd43dd8448eb211c80319c']));
    expect(awaited).toEqual([]);
    await remove(id);
  });

  test('what an endpoint owes is named, with the time of the next attempt; what waits behind it has none', async () => {
    const { id } = await make();
    shop.behave({ type: 'answer', status: 500 });
    await stage.say(7_011n, ['created', 'failed']);
    const { awaited } = await eventually(async () => {
      const timeline = await node.timeline.readTimeline({ merchantId, orderId: 7_011n });
      const isTried = timeline.entries.some((entry) => entry.type === 'webhook_attempted');
      return isTried && timeline.awaited.length === 2 && timeline;
    });
    expect(awaited.toSorted((a, b) => a.summary.localeCompare(b.summary))).toEqual([
      {
        source: 'webhook-dispatcher',
        type: 'endpoint_answer',
        summary: `Endpoint ${id} to answer to order.created.`,
        until: expect.any(Date),
      },
      {
        source: 'webhook-dispatcher',
        type: 'endpoint_answer',
        summary: `Endpoint ${id} to answer to order.payment.failed.`,
        until: undefined,
      },
    ]);
    await remove(id);
    shop.behave({ type: 'answer', status: 200 });
  });

  test('events happen without endpoints too, and an unknown event is passed over', async () => {
    await stage.say(7_012n, ['created']);
    const { events } = await eventually(async () => {
      const answer = await node.webhooks.listEvents({ merchantId, ...page, type: '', orderId: 7_012n });
      return answer.events.length === 1 && answer;
    });
    expect((await node.webhooks.listDeliveries({ ...anyDelivery, eventId: events[0]?.id ?? '' })).deliveries).toEqual(
      [],
    );
  });
});
