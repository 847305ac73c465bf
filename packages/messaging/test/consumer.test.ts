import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { wallClock } from '@tillstream/messaging/clock';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import type { Carrier, IncomingMessage, Subscription } from '@tillstream/messaging/message';
import { carrierHome } from '@tillstream/messaging/migrations';
import { listParked, replayParked } from '@tillstream/messaging/parked';
import { makePerformer } from '@tillstream/messaging/perform';
import { startMessaging, type RunningMessaging } from '@tillstream/messaging/running';
import { messageTo } from './carrier-contract.ts';
import {
  empty,
  envelope,
  home,
  jarKeeper,
  jarMachine,
  seen,
  topic as jarTopic,
  type JarTables,
  keepEffects,
} from './jar.ts';

let place: TestDatabase;
let carrierPlace: TestDatabase;
let database: Database<JarTables>;
let carrier: Carrier;
const running: RunningMessaging[] = [];
const log = quietLog();

beforeAll(async () => {
  [place, carrierPlace] = await Promise.all([testDatabase(home), testDatabase(carrierHome)]);
  database = place.open<JarTables>();
  carrier = embeddedCarrier({ url: carrierPlace.url, log });
});
beforeEach(() => empty(database));
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});
afterAll(async () => {
  await carrier.close();
  await Promise.all([place.drop(), carrierPlace.drop()]);
});

const textOf = (message: IncomingMessage) => Buffer.from(message.value).toString();

const effects = async () => (await seen(database)).effects.map((each) => `${each.key}: ${each.text}`);

/** A service that hears one topic of its own, in a group of its own. */
async function hear(
  before: (message: IncomingMessage) => void | Promise<void>,
  options: { topic?: string; after?: (batch: readonly IncomingMessage[]) => void } = {},
) {
  const topic = options.topic ?? `test.${randomUUID().slice(0, 8)}.v1`;
  if (options.topic === undefined) await carrier.declare([{ name: topic, partitions: 3 }]);
  const subscription: Subscription = {
    group: `group-${randomUUID().slice(0, 8)}`,
    topics: [topic],
    handle: async (batch) => {
      for (const message of batch) await before(message);
      await keepEffects(database, subscription.group, batch);
      options.after?.(batch);
    },
  };
  const messaging = await startMessaging({
    name: 'hearer',
    database,
    carrier,
    topics: [],
    subscriptions: [subscription],
    timers: [],
    clock: wallClock,
    log,
    retryDelaysMs: [10, 20],
  });
  running.push(messaging);
  return { topic, subscription, messaging };
}

const outage = (code: string) => Object.assign(new Error('away'), { code });

describe('one message that cannot be handled', () => {
  it('is parked with what follows it, while the other keys flow; mended and replayed, its key is in order', async () => {
    let isBroken = true;
    const { topic, subscription, messaging } = await hear((message) => {
      if (isBroken && textOf(message) === 'poison') throw new Error('cannot be handled');
    });
    const say = (key: string, ...texts: string[]) => carrier.publish(texts.map((text) => messageTo(topic, key, text)));
    await carrier.publish([
      messageTo(topic, 'sick', 'first'),
      messageTo(topic, 'well', '1'),
      messageTo(topic, 'sick', 'poison'),
      messageTo(topic, 'well', '2'),
    ]);
    await eventually(async () => (await listParked(database)).length > 0);
    await say('sick', 'later');
    await say('well', '3');
    await eventually(
      async () =>
        (await effects()).includes('well: 3') &&
        (await listParked(database)).some((each) => each.error.startsWith('an earlier message')),
    );

    expect((await effects()).filter((each) => each.startsWith('well'))).toEqual(['well: 1', 'well: 2', 'well: 3']);
    expect(await effects()).not.toContain('sick: later');
    const parked = await listParked(database);
    expect(new Set(parked.map((each) => each.key))).toEqual(new Set(['sick']));
    expect(parked.some((each) => each.error === 'Error: cannot be handled')).toBe(true);
    expect((await messaging.figures()).parked).toBe(parked.length);

    await expect(replayParked(database, subscription, topic, 'sick')).rejects.toThrow('cannot be handled');
    expect((await listParked(database)).length).toBeGreaterThan(0);
    isBroken = false;
    await replayParked(database, subscription, topic, 'sick');
    expect((await effects()).filter((each) => each.startsWith('sick'))).toEqual([
      'sick: first',
      'sick: poison',
      'sick: later',
    ]);
    expect(await listParked(database)).toEqual([]);
    await say('sick', 'well again');
    await eventually(async () => (await effects()).includes('sick: well again'));
  });

  it('costs no other key anything, even when there are several of them in one batch', async () => {
    const { topic } = await hear((message) => {
      if (message.key.startsWith('sick')) throw new Error('cannot be handled');
    });
    const batch = Array.from({ length: 16 }, (_, at) =>
      messageTo(topic, `${at % 4 === 0 ? 'sick' : 'well'} ${at}`, 'said'),
    );
    await carrier.publish(batch);
    await eventually(async () => (await effects()).length === 12 && (await listParked(database)).length === 4);
    expect((await effects()).every((each) => each.startsWith('well'))).toBe(true);
    expect((await listParked(database)).every((each) => each.key.startsWith('sick'))).toBe(true);
  });
});

describe('when something is away', () => {
  it('parks nothing and loses nothing, however often it is tried', async () => {
    // More failures than a message that is to blame would be forgiven.
    const failures = ['ECONNREFUSED', '57P01', '08006', '53300', 'unavailable'].map(outage);
    const { topic } = await hear(() => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
    });
    await carrier.publish([messageTo(topic, 'k', '1'), messageTo(topic, 'k', '2')]);
    await eventually(async () => (await effects()).length === 2);
    expect(await effects()).toEqual(['k: 1', 'k: 2']);
    expect(failures).toEqual([]);
    expect(await listParked(database)).toEqual([]);
  });

  it('the database itself: connections are cut while messages flow, and each has its effect once', async () => {
    const { topic } = await hear(() => undefined);
    const cut = async () => {
      for (const each of [place, carrierPlace])
        await each.admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
        );
    };
    const expected: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const batch = Array.from({ length: 20 }, (_, at) => messageTo(topic, `k${at}`, String(round)));
      expected.push(...batch.map((each) => `${each.key}: ${round}`));
      // As the relay does: until it is durable, again and again.
      await eventually(async () => carrier.publish(batch).then(() => true));
      if (round % 2 === 0) await cut();
    }
    await eventually(async () => (await effects()).length >= expected.length, 40_000);
    expect((await effects()).toSorted()).toEqual(expected.toSorted());
    for (const texts of Map.groupBy(await effects(), (each) => each.split(':')[0]).values())
      expect(texts).toEqual(texts.toSorted());
  }, 60_000);
});

describe('delivery at least once, effect once', () => {
  it('holds when the consumer dies after its commit and before the carrier knows', async () => {
    let crashes = 3;
    const { topic } = await hear(() => undefined, {
      after: () => {
        crashes -= 1;
        if (crashes >= 0) throw outage('ECONNRESET');
      },
    });
    await carrier.publish(Array.from({ length: 50 }, (_, at) => messageTo(topic, `k${at % 7}`, String(at))));
    await eventually(async () => (await effects()).length === 50 && crashes < 0);
    expect(new Set(await effects()).size).toBe(50);
  });

  it('holds for a whole topic that comes again from its beginning', async () => {
    const handled: string[] = [];
    const { topic, subscription, messaging } = await hear((message) => void handled.push(message.key));
    await carrier.publish(Array.from({ length: 100 }, (_, at) => messageTo(topic, `k${at}`, 'once')));
    await eventually(async () => (await effects()).length === 100);
    await messaging.stop();
    running.splice(0);
    await carrierPlace.admin.query('update carrier.group_offset set next_offset = 0 where consumer_group = $1', [
      subscription.group,
    ]);
    running.push(
      await startMessaging({
        name: 'hearer',
        database,
        carrier,
        topics: [],
        subscriptions: [subscription],
        timers: [],
        clock: wallClock,
        log,
      }),
    );
    await eventually(async () => handled.length === 200 && (await carrier.lag(subscription.group, [topic])) === 0n);
    expect(await effects()).toHaveLength(100);
  });

  it('holds from one machine through outbox, topic and inbox into another, in the order of each aggregate', async () => {
    const speaker = await startMessaging({
      name: 'jars',
      database,
      carrier,
      topics: [jarTopic],
      subscriptions: [],
      timers: [],
      clock: wallClock,
      log,
    });
    running.push(speaker);
    await hear(() => undefined, { topic: jarTopic.name });
    const jars = makePerformer({ database, machine: jarMachine(), keeper: jarKeeper, name: 'jar', log });
    const ids = Array.from({ length: 8 }, () => randomUUID());
    await Promise.all(
      ids.map(async (id) => {
        await jars.perform([envelope(id, { type: 'open' })]);
        for (let coin = 1n; coin <= 5n; coin += 1n) await jars.perform([envelope(id, { type: 'put', coins: coin })]);
        await jars.perform([envelope(id, { type: 'seal' })]);
      }),
    );
    await eventually(async () => (await effects()).length >= ids.length * 7);
    const byKey = Map.groupBy((await seen(database)).effects, (each) => each.key);
    for (const id of ids)
      expect(byKey.get(id)?.map((each) => each.text)).toEqual([
        'opened',
        'put 1',
        'put 2',
        'put 3',
        'put 4',
        'put 5',
        'sealed',
      ]);
    await eventually(async () => (await speaker.figures()).outboxUnsent === 0);
    expect(await speaker.figures()).toEqual({ outboxUnsent: 0, outboxOldestMs: 0, parked: 0 });
  });
});
