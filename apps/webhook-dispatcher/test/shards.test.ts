import type { Database } from '@tillstream/database/database';
import { eventually } from '@tillstream/testkit/eventually';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { quietLog } from '@tillstream/testkit/log';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hearNeighbours, tellNeighbours, type Hints } from '../src/dispatch/neighbours.ts';
import { endpointAt, makeStage, merchantId, type Node, type Stage } from './stage.ts';

let stage: Stage;
let shop: HostileReceiver;
beforeEach(async () => {
  [stage, shop] = [await makeStage(), await hostileReceiver()];
});
afterEach(async () => {
  await stage.stop();
  await shop.stop();
});

/** As a process that the system has stopped: it neither fails nor goes on until it thaws. */
function freezable(): { wrap: (database: Database<object>) => Database<object>; freeze(): void; thaw(): void } {
  let frozen: { promise: Promise<void>; thaw: () => void } | undefined;
  return {
    wrap: (database) => ({
      ...database,
      everyMerchant: async (reason, run) => {
        await frozen?.promise;
        return database.everyMerchant(reason, run);
      },
      everyMerchantStatement: async (reason, run) => {
        await frozen?.promise;
        return database.everyMerchantStatement(reason, run);
      },
    }),
    freeze() {
      const { promise, resolve } = Promise.withResolvers<void>();
      frozen = { promise, thaw: resolve };
    },
    thaw() {
      frozen?.thaw();
      frozen = undefined;
    },
  };
}

async function leases(): Promise<{ owner: string; shards: number }[]> {
  const { rows } = await stage.database.open<object>().everyMerchant('a test looks', (tx) =>
    sql<{
      owner: string;
      shards: number;
    }>`select owner, count(*)::int as shards from shard_lease where owner is not null and expires_at > now() group by owner order by shards desc`.execute(
      tx,
    ),
  );
  return rows;
}

/** As a restart of the server does to those who are connected; the role may end its own. */
async function breakConnections(): Promise<void> {
  await stage.database
    .open<object>()
    .pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = current_user and pid <> pg_backend_pid()',
    );
}

async function deliveries(node: Node) {
  const answer = await node.webhooks.listDeliveries({
    merchantId,
    limit: 100,
    startingAfter: '',
    endingBefore: '',
    endpointId: '',
    eventId: '',
    status: '',
    orderId: 0n,
  });
  return answer.deliveries;
}

describe('shards', () => {
  test('are shared by those who live, and taken over from one who leaves', async () => {
    const first = await stage.start({ SHARD_LEASE_MS: 900 });
    await eventually(async () => (await leases())[0]?.shards === 64);
    await stage.start({ SHARD_LEASE_MS: 900 });
    await eventually(async () => (await leases()).map((each) => each.shards).join() === '32,32');
    await first.stop();
    await eventually(async () => (await leases()).map((each) => each.shards).join() === '64');
  });

  test('of an owner that sleeps go to another, and what it writes late is refused', async () => {
    const ice = freezable();
    const sleeper = await stage.start({ SHARD_LEASE_MS: 900, ATTEMPT_TIMEOUT_MS: 5_000 }, { wrap: ice.wrap });
    await eventually(async () => (await leases())[0]?.shards === 64);
    await sleeper.webhooks.createEndpoint(endpointAt(shop.url));
    // The first request is in flight when the owner falls asleep.
    shop.behave((_request, n) => (n === 1 ? { type: 'never' } : { type: 'answer', status: 200 }));
    await stage.say(1n, ['created', 'paid']);
    await shop.waitFor(1);
    ice.freeze();
    const waker = await stage.start({ SHARD_LEASE_MS: 900 });
    const requests = await shop.waitFor(3);
    expect(requests.map((request) => JSON.parse(request.body.toString()).event)).toEqual([
      'order.created',
      'order.created',
      'order.payment.succeeded',
    ]);
    expect(requests[1]?.headers['webhook-id']).toBe(requests[0]?.headers['webhook-id']);
    await eventually(async () => (await deliveries(waker)).every((each) => each.status === 'delivered'));
    // Its request ends without an answer, and the sleeper wants to write that down.
    await shop.down();
    await shop.up();
    ice.thaw();
    await eventually(() => sleeper.log.lines.some((line) => line.text.includes('gone to somebody else')));
    const settled = await deliveries(waker);
    expect(settled.map((each) => each.status)).toEqual(['delivered', 'delivered']);
    expect(settled.map((each) => each.attempts.length)).toEqual([1, 1]);
  });

  test('hear from each other what is new, at once', async () => {
    const database = stage.database.open<object>();
    const heard: Hints[] = [];
    const listening = new AbortController();
    const ended = hearNeighbours(database, (hints) => heard.push(hints), listening.signal, quietLog());
    // Until it listens.
    await eventually(async () => {
      await tellNeighbours(database, { chains: [], changed: [] });
      return heard.length > 0;
    });
    const chains = Array.from({ length: 250 }, (_, at) => [merchantId, 'order', String(at)] as const);
    await tellNeighbours(database, { chains, changed: [merchantId] });
    await eventually(() => heard.flatMap((hints) => hints.chains).length === 250);
    expect(heard.flatMap((hints) => hints.chains)).toEqual(chains);
    expect(heard.flatMap((hints) => hints.changed)).toEqual([merchantId]);
    listening.abort();
    await ended;
  });

  test('of two processes: orders go on whoever hears of them and whoever sends', async () => {
    const nodes = [await stage.start({ SHARD_LEASE_MS: 900 }), await stage.start({ SHARD_LEASE_MS: 900 })];
    await eventually(async () => (await leases()).map((each) => each.shards).join() === '32,32');
    for (let at = 0; at < 4; at += 1) await nodes[at % 2]?.webhooks.createEndpoint(endpointAt(`${shop.url}/${at}`));
    for (let at = 0; at < 10; at += 1) await stage.say(BigInt(200 + at), ['created', 'paid', { delivered: 1 }]);
    await shop.waitFor(120);
    for (let at = 0; at < 4; at += 1) {
      for (let order = 200; order < 210; order += 1) {
        const bodies = shop.requests
          .filter((request) => request.path === `/${at}`)
          .map((request) => JSON.parse(request.body.toString()));
        expect(bodies.filter((body) => body.order_id === order).map((body) => body.event)).toEqual([
          'order.created',
          'order.payment.succeeded',
          'product.delivered',
        ]);
      }
    }
  });

  test('a restart finds what waited, and asks a failing endpoint at once', async () => {
    const first = await stage.start({ RETRY_DELAYS_MS: [3_600_000] });
    await first.webhooks.createEndpoint(endpointAt(shop.url));
    await shop.down();
    await stage.say(2n, ['created', 'paid']);
    await eventually(async () => (await deliveries(first)).some((each) => each.attempts.length > 0));
    await first.stop();
    await shop.up();
    // An hour before its next attempt.
    const second = await stage.start({ RETRY_DELAYS_MS: [3_600_000] });
    await shop.waitFor(2);
    await eventually(async () => (await deliveries(second)).every((each) => each.status === 'delivered'));
  });

  test('all connections to the database break in the middle: everything arrives, in order', async () => {
    const node = await stage.start();
    await node.webhooks.createEndpoint(endpointAt(shop.url));
    const orders = Array.from({ length: 12 }, (_, at) => BigInt(300 + at));
    for (const order of orders) {
      await eventually(() => stage.say(order, ['created', 'paid', { delivered: 1 }]));
      if (Number(order) % 5 === 2) await breakConnections();
    }
    await eventually(async () => {
      const all = await deliveries(node);
      return all.length === 36 && all.every((each) => each.status === 'delivered');
    }, 25_000);
    for (const order of orders) {
      const events = shop.requests
        .map((request) => JSON.parse(request.body.toString()))
        .filter((body) => body.order_id === Number(order))
        .map((body) => body.event);
      // What was sent and could not be stored is sent again, before anything later.
      expect(events.filter((event, at) => event !== events[at - 1])).toEqual([
        'order.created',
        'order.payment.succeeded',
        'product.delivered',
      ]);
    }
  });

  test('a stop lets what is in flight end and be stored', async () => {
    const node = await stage.start();
    await node.webhooks.createEndpoint(endpointAt(shop.url));
    await Promise.all(Array.from({ length: 40 }, (_, at) => stage.say(BigInt(100 + at), ['created'])));
    await shop.waitFor(5);
    await node.stop();
    const count = shop.requests.length;
    const next = await stage.start();
    await eventually(
      async () =>
        (await deliveries(next)).every((each) => each.status === 'delivered') && (await deliveries(next)).length === 40,
    );
    expect(shop.requests.length).toBe(40);
    expect(count).toBeLessThanOrEqual(40);
  });
});
