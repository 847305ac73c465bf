import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import type { Database } from '@tillstream/database/database';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { wallClock } from '@tillstream/messaging/clock';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import type { Carrier, IncomingMessage, Subscription } from '@tillstream/messaging/message';
import { carrierHome } from '@tillstream/messaging/migrations';
import { announce } from '@tillstream/messaging/once';
import { park, parkBehind, ParkedKeys, replayParked } from '@tillstream/messaging/parked';
import { startMessaging, type MessagingParts } from '@tillstream/messaging/running';
import { messageTo } from './carrier-contract.ts';
import { empty, home, topic, type JarTables } from './jar.ts';

let place: TestDatabase;
let carrierPlace: TestDatabase;
let database: Database<JarTables>;
let carrier: Carrier;

beforeAll(async () => {
  [place, carrierPlace] = await Promise.all([testDatabase(home), testDatabase(carrierHome)]);
  database = place.open<JarTables>();
  carrier = embeddedCarrier({ url: carrierPlace.url, log: quietLog() });
});
beforeEach(() => empty(database));
afterAll(async () => {
  await carrier.close();
  await Promise.all([place.drop(), carrierPlace.drop()]);
});

const partsOf = (parts: Partial<MessagingParts>): MessagingParts => ({
  name: 'jars',
  database,
  carrier,
  topics: [topic],
  subscriptions: [],
  timers: [],
  clock: wallClock,
  log: quietLog(),
  ...parts,
});
const say = (text: string) =>
  database.everyMerchant('a test announces', (tx) =>
    announce(tx, [messageTo(topic.name, 'k', text)], [{ type: 'jar', id: randomUUID(), version: 1 }]),
  );
const unsent = async () =>
  database.everyMerchant(
    'a test looks',
    async (tx) => (await tx.selectFrom('outbox').select('id').where('sent_at', 'is', null).execute()).length,
  );

describe('a service', () => {
  it('starts while the carrier is away, and sends and hears when it comes', async () => {
    let isAway = true;
    const heard: string[] = [];
    const group = `group-${randomUUID().slice(0, 8)}`;
    const subscription: Subscription = {
      group,
      topics: [topic.name],
      handle: async (batch) => {
        heard.push(...batch.map((each) => Buffer.from(each.value).toString()));
      },
    };
    const moody: Carrier = {
      ...carrier,
      declare: async (topics) => {
        if (isAway) throw new Error('the carrier is away');
        await carrier.declare(topics);
      },
    };
    const running = await startMessaging(partsOf({ carrier: moody, subscriptions: [subscription] }));
    await say('sold while the carrier was away');
    expect(heard).toEqual([]);
    isAway = false;
    await eventually(() => heard.includes('sold while the carrier was away'));
    await running.stop();
  });

  it('sends what is left when it stops', async () => {
    const running = await startMessaging(partsOf({}));
    // Not woken: the relay would find it at its next look.
    await Promise.all([say('a'), say('b')]);
    await running.stop();
    expect(await unsent()).toBe(0);
  });

  it('has one subscription per group: a carrier would give the topics of one to the other', async () => {
    const subscription = { group: 'same', topics: [topic.name], handle: async () => undefined };
    const twice = startMessaging(partsOf({ subscriptions: [subscription, { ...subscription, topics: ['other'] }] }));
    await expect(twice).rejects.toThrow('one subscription');
  });
});

describe('a key that is replayed while news of it arrive', () => {
  const incoming = (text: string, offset: bigint): IncomingMessage => ({
    ...messageTo(topic.name, 'k', text),
    partition: 0,
    offset,
  });

  it('flows again when the replay was quicker: nothing is put behind a message that is gone', async () => {
    const consumer = `group-${randomUUID().slice(0, 8)}`;
    const later = incoming('later', 2n);
    await park(database, consumer, [incoming('bad', 1n)], 'Error: was bad');
    // The consumer has looked and seen the key parked; then the replay empties it.
    expect((await new ParkedKeys(database, consumer).among([later])).size).toBe(1);
    const subscription = { group: consumer, topics: [topic.name], handle: async () => undefined };
    expect(await replayParked(database, subscription, topic.name, 'k')).toBe(1);
    expect((await parkBehind(database, consumer, [later])).size).toBe(0);
    expect((await new ParkedKeys(database, consumer).among([later])).size).toBe(0);
  });

  it('is looked for once in a while, and at once when a partition or a parked message came', async () => {
    const consumer = `group-${randomUUID().slice(0, 8)}`;
    const keys = new ParkedKeys(database, consumer);
    const later = [incoming('later', 2n)];
    expect((await keys.among(later)).size).toBe(0);
    await park(database, consumer, [incoming('bad', 1n)], 'Error: was bad');
    // Remembered: nobody but the owner of the partition parks.
    expect((await keys.among(later)).size).toBe(0);
    keys.forget();
    expect((await keys.among(later)).size).toBe(1);
    expect((await keys.among([{ ...incoming('other', 3n), key: 'another' }])).size).toBe(0);
    expect((await keys.among(later)).size).toBe(1);
  });

  it('takes what arrived meanwhile with it, in order', async () => {
    const consumer = `group-${randomUUID().slice(0, 8)}`;
    const replayed: string[] = [];
    await park(database, consumer, [incoming('1', 1n)], 'Error: was bad');
    const subscription: Subscription = {
      group: consumer,
      topics: [topic.name],
      handle: async ([message]) => {
        if (message !== undefined) replayed.push(Buffer.from(message.value).toString());
        if (replayed.length === 1) await parkBehind(database, consumer, [incoming('2', 2n), incoming('3', 3n)]);
      },
    };
    expect(await replayParked(database, subscription, topic.name, 'k')).toBe(3);
    expect(replayed).toEqual(['1', '2', '3']);
  });
});
