import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Loop } from '@tillstream/messaging/loop';
import type { Carrier, OutgoingMessage } from '@tillstream/messaging/message';
import { announce } from '@tillstream/messaging/once';
import { makePerformer, type Performer } from '@tillstream/messaging/perform';
import { startRelay } from '@tillstream/messaging/relay';
import { messageTo } from './carrier-contract.ts';
import {
  empty,
  envelope,
  home,
  jarKeeper,
  jarMachine,
  merchant,
  seen,
  topic,
  type Jar,
  type JarCommand,
  type JarEvent,
  type JarRefusal,
  type JarTables,
} from './jar.ts';

/** The carrier's side of the contract in a list, with the faults a carrier may have. */
function listCarrier(
  fault: (batch: readonly OutgoingMessage[]) => Promise<void> = async () => undefined,
  faultAfter: () => void = () => undefined,
) {
  const published: OutgoingMessage[] = [];
  const nothing = async () => undefined;
  const carrier: Carrier = {
    declare: nothing,
    async publish(batch) {
      await fault(batch);
      published.push(...batch);
      faultAfter();
    },
    subscribe: async () => ({ stop: nothing }),
    lag: async () => 0n,
    heads: async () => [],
    hasHeard: async () => true,
    check: nothing,
    close: nothing,
  };
  return { carrier, published, ids: () => published.map((each) => each.headers.ce_id) };
}

// Longer than any test: what is sent was sent because the relay was woken.
const never = 3_600_000;

let place: TestDatabase;
let database: Database<JarTables>;
let jars: Performer<Jar, JarCommand, JarEvent, JarRefusal>;
const running: Loop[] = [];
const log = quietLog();

const start = (carrier: Carrier, from = database, idleMs = never): Loop => {
  const loop = startRelay({ name: 'jars', database: from, carrier, log, idleMs });
  running.push(loop);
  return loop;
};
const unsent = async () => (await seen(database)).outbox.filter((row) => row.sent_at === null);

beforeAll(async () => {
  place = await testDatabase(home);
  database = place.open<JarTables>();
  jars = makePerformer({ database, machine: jarMachine(), keeper: jarKeeper, name: 'jar', log });
});
beforeEach(() => empty(database));
afterEach(async () => {
  await Promise.all(running.splice(0).map((loop) => loop.stop()));
});
afterAll(() => place.drop());

const open = { type: 'open' } as const;
const put = (coins: bigint) => ({ type: 'put', coins }) as const;

describe('the relay', () => {
  it('is woken by a commit of its process, sends in order, and marks what it sent', async () => {
    const { carrier, published } = listCarrier();
    start(carrier);
    const id = randomUUID();
    await jars.perform([envelope(id, open), envelope(id, put(1n))]);
    await jars.perform([envelope(id, put(2n))]);
    await eventually(async () => (await unsent()).length === 0);
    expect(published.map((each) => [each.topic, each.key, Buffer.from(each.value).toString()])).toEqual([
      [topic.name, id, 'opened'],
      [topic.name, id, 'put 1'],
      [topic.name, id, 'put 2'],
    ]);
    expect(published[0]?.headers).toMatchObject({ merchant_id: merchant, ce_source: 'jars' });
  });

  it('sends what it finds when it starts, more than one batch of it', async () => {
    await jars.perform(Array.from({ length: 1_203 }, () => envelope(randomUUID(), open)));
    const { carrier, ids } = listCarrier();
    start(carrier);
    await eventually(async () => (await unsent()).length === 0);
    expect(ids()).toEqual((await seen(database)).outbox.map((row) => row.event_id));
  });

  it('publishes again, under the same ids, after a crash between publishing and marking', async () => {
    let crashes = 1;
    const { carrier, ids } = listCarrier(undefined, () => {
      crashes -= 1;
      if (crashes >= 0) throw new Error('the process dies here');
    });
    const id = randomUUID();
    await jars.perform([envelope(id, open), envelope(id, put(1n))]);
    start(carrier);
    await eventually(async () => (await unsent()).length === 0);
    const rows = (await seen(database)).outbox.map((row) => row.event_id);
    expect(ids()).toEqual([...rows, ...rows]);
  });

  it('keeps everything while the carrier is away, and then sends it in order', async () => {
    let isAway = true;
    const { carrier, ids } = listCarrier(async () => {
      if (isAway) throw new Error('connect ECONNREFUSED');
    });
    start(carrier);
    const id = randomUUID();
    await jars.perform([envelope(id, open)]);
    for (let coin = 1n; coin <= 5n; coin += 1n) await jars.perform([envelope(id, put(coin))]);
    expect(await unsent()).toHaveLength(6);
    isAway = false;
    await eventually(async () => (await unsent()).length === 0);
    expect(ids()).toEqual((await seen(database)).outbox.map((row) => row.event_id));
  });

  it('sends a message whose transaction committed late, under a smaller number than what was sent already', async () => {
    const { carrier, ids } = listCarrier();
    start(carrier, database, 50);
    const [late, early] = [messageTo(topic.name, 'late', 'late'), messageTo(topic.name, 'early', 'early')];
    const held = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const lateCommit = database.transaction([merchant], async (tx) => {
      await announce(tx, [late], [{ type: 'jar', id: 'late', version: 1 }]);
      written.resolve();
      await held.promise;
    });
    await written.promise;
    await database.transaction([merchant], (tx) => announce(tx, [early], [{ type: 'jar', id: 'early', version: 1 }]));
    await eventually(() => ids().length === 1);
    held.resolve();
    await lateCommit;
    await eventually(() => ids().length === 2);
    expect(ids()).toEqual([early.headers.ce_id, late.headers.ce_id]);
    const rows = (await seen(database)).outbox.map((row) => row.event_id);
    expect(rows).toEqual([late.headers.ce_id, early.headers.ce_id]);
  });

  it('leads alone: a second one stands by, and takes over when the first stops or loses its connection', async () => {
    const busy = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const first = listCarrier(() => {
      begun.resolve();
      return busy.promise;
    });
    const second = listCarrier();
    const [one, two] = [place.open<JarTables>(), place.open<JarTables>()];
    const leader = start(first.carrier, one, 20);
    await jars.perform([envelope(randomUUID(), open)]);
    await begun.promise;
    // While the first is slow the second has some twenty looks at a message that is not sent.
    start(second.carrier, two, 20);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(second.published).toHaveLength(0);
    busy.resolve();
    await eventually(async () => (await unsent()).length === 0);
    expect(first.published).toHaveLength(1);
    await leader.stop();
    await jars.perform([envelope(randomUUID(), open)]);
    await eventually(() => second.published.length === 1);

    // The server cuts the second off: it notices, and leads again or is followed.
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    await jars.perform([envelope(randomUUID(), open)]);
    await eventually(async () => (await unsent()).length === 0);
    expect(second.published.length).toBeGreaterThanOrEqual(2);
  });

  it('takes the announcements of a commit or none', async () => {
    await expect(
      database.transaction([merchant], async (tx) => {
        await announce(tx, [messageTo(topic.name, 'k', 'said')], [{ type: 'jar', id: 'k', version: 1 }]);
        await sql`select 1 / 0`.execute(tx);
      }),
    ).rejects.toThrow('division by zero');
    await expect(
      database.transaction([merchant], (tx) => announce(tx, [messageTo(topic.name, 'k', 'said')], [])),
    ).rejects.toThrow('origin');
    expect((await seen(database)).outbox).toHaveLength(0);
  });
});
