import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alongside, makePerformer, type Performer } from '@tillstream/messaging/perform';
import {
  empty,
  envelope,
  home,
  jarKeeper,
  jarMachine,
  merchant,
  now,
  ringAfterMs,
  seen,
  type Jar,
  type JarCommand,
  type JarEvent,
  type JarRefusal,
  type JarTables,
} from './jar.ts';

type JarPerformer = Performer<Jar, JarCommand, JarEvent, JarRefusal>;

let place: TestDatabase;
let database: Database<JarTables>;
let log: RecordedLog;
let jars: JarPerformer;

const performerWith = (keeper = jarKeeper, by = merchant): JarPerformer =>
  makePerformer({ database, machine: jarMachine(by), keeper, name: 'jar', log });

beforeAll(async () => {
  place = await testDatabase(home);
  database = place.open<JarTables>();
});
beforeEach(async () => {
  await empty(database);
  log = quietLog();
  jars = performerWith();
});
afterAll(() => place.drop());

const open = { type: 'open' } as const;
const seal = { type: 'seal' } as const;
const put = (coins: bigint) => ({ type: 'put', coins }) as const;
const words = (answers: readonly { answer: string }[]) => answers.map((each) => each.answer);

describe('perform', () => {
  it('keeps state, announcement and timer of a command in one commit', async () => {
    const id = randomUUID();
    const [answer] = await jars.perform([envelope(id, open)]);
    expect(answer).toMatchObject({ answer: 'accepted', version: 1, state: { status: 'open', coins: 0n } });
    const all = await seen(database);
    expect(all.jars).toEqual([{ id, merchant_id: merchant, status: 'open', coins: 0n, version: 1 }]);
    expect(all.outbox).toHaveLength(1);
    expect(all.outbox[0]).toMatchObject({
      key: id,
      version: 1n,
      sent_at: null,
      headers: {
        ce_id: all.outbox[0]?.event_id,
        ce_time: now.toISOString(),
        ce_source: 'jars',
        ce_type: 'tillstream.jars.v1.JarEvent',
        merchant_id: merchant,
      },
    });
    expect(all.timers).toMatchObject([
      { machine: 'jar', aggregate_id: id, kind: 'ring', due_at: new Date(now.getTime() + ringAfterMs) },
    ]);
  });

  it('answers accepted, ignored and refused, and changes nothing for the last two', async () => {
    const id = randomUUID();
    const [refused] = await jars.perform([envelope(id, put(1n))]);
    expect(refused).toMatchObject({
      answer: 'refused',
      reason: 'jar_not_found',
      version: 0,
      state: { status: 'absent' },
    });
    await jars.perform([envelope(id, open)]);
    const [ignored] = await jars.perform([envelope(id, open)]);
    expect(ignored).toMatchObject({ answer: 'ignored', because: 'already open', version: 1 });
    const all = await seen(database);
    expect([all.jars.length, all.outbox.length, all.timers.length]).toEqual([1, 1, 1]);
  });

  it('performs a batch in order, each command on what the earlier ones left, and answers in the order asked', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const answers = await jars.perform([
      envelope(a, open),
      envelope(b, put(5n)),
      envelope(a, put(2n)),
      envelope(b, open),
      envelope(a, seal),
      envelope(a, put(3n)),
      envelope(b, put(7n)),
    ]);
    expect(words(answers)).toEqual(['accepted', 'refused', 'accepted', 'accepted', 'accepted', 'refused', 'accepted']);
    const all = await seen(database);
    expect(all.jars.find((jar) => jar.id === a)).toMatchObject({ status: 'sealed', coins: 2n, version: 3 });
    expect(all.jars.find((jar) => jar.id === b)).toMatchObject({ status: 'open', coins: 7n, version: 2 });
    const said = (id: string) =>
      all.outbox.filter((row) => row.key === id).map((row) => [row.version, row.value.toString()]);
    expect(said(a)).toEqual([
      [1n, 'opened'],
      [2n, 'put 2'],
      [3n, 'sealed'],
    ]);
    expect(said(b)).toEqual([
      [1n, 'opened'],
      [2n, 'put 7'],
    ]);
    // The sealed jar's timer is gone, although the same batch had set it.
    expect(all.timers.map((timer) => timer.aggregate_id)).toEqual([b]);
  });

  it('does nothing at all when any part of it throws', async () => {
    const id = randomUUID();
    await jars.performOnce([envelope(id, open, { messageId: randomUUIDv7() })]);
    const before = await seen(database);
    const broken = performerWith({
      ...jarKeeper,
      timers: () => {
        throw new Error('after everything else');
      },
    });
    await expect(
      broken.performOnce([envelope(id, put(1n), { messageId: randomUUIDv7() }), envelope(randomUUID(), open)]),
    ).rejects.toThrow('after everything else');
    expect(await seen(database)).toEqual(before);
  });

  it('writes what goes alongside in the same commit, also when the command is ignored', async () => {
    const [id, beside] = [randomUUID(), randomUUID()];
    const messageId = randomUUIDv7();
    const batches: string[][] = [];
    const written = alongside((tx, messageIds: readonly string[]) => {
      batches.push([...messageIds]);
      return sql`insert into inbox (consumer, message_id) select 'alongside', unnest(${messageIds}::uuid[]) on conflict do nothing`.execute(
        tx,
      );
    });
    const write = written(beside);
    const isWritten = async () => {
      const { rows } = await sql`select 1 from inbox where message_id = ${beside}`.execute(database.unscoped);
      return rows.length === 1;
    };
    const broken = performerWith({
      ...jarKeeper,
      timers: () => {
        throw new Error('after everything else');
      },
    });
    await expect(broken.performOnce([envelope(id, open, { messageId })], write)).rejects.toThrow('after everything');
    expect(await isWritten()).toBe(false);
    await jars.performOnce([envelope(id, open, { messageId })]);
    expect(words(await jars.performOnce([envelope(id, open, { messageId })], write))).toEqual(['ignored']);
    expect(await isWritten()).toBe(true);

    // Several calls that share a transaction: one write for all of them.
    batches.length = 0;
    const more = Array.from({ length: 5 }, () => randomUUID());
    await Promise.all(more.map((each) => jars.perform([envelope(id, put(1n))], written(each))));
    expect(batches).toEqual([more]);
  });

  it('says so when a keeper loads without a lock', async () => {
    const id = randomUUID();
    await jars.perform([envelope(id, open)]);
    const unlocked = performerWith({
      ...jarKeeper,
      load: async () => new Map([[id, { state: { status: 'open', merchantId: merchant, coins: 0n }, version: 9 }]]),
    });
    await expect(unlocked.perform([envelope(id, put(1n))])).rejects.toMatchObject({ name: 'VersionConflict' });
  });

  it('gives each event the trace of the command that caused it', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const traceOf = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
    await jars.perform([
      envelope(a, open, { traceparent: traceOf('a') }),
      envelope(b, open, { traceparent: traceOf('b') }),
    ]);
    const lines = log.lines.map((line) => line.fields as { id: string; trace_id: string });
    expect(lines.map((line) => [line.id, line.trace_id])).toEqual([
      [a, 'a'.repeat(32)],
      [b, 'b'.repeat(32)],
    ]);
  });

  it('writes one wide line per command, with nothing of the state in it', async () => {
    const id = randomUUID();
    const cause = randomUUIDv7();
    await jars.perform([envelope(id, open), envelope(id, seal, { messageId: cause }), envelope(id, put(1n))]);
    expect(log.lines.map((line) => line.text)).toEqual(['performed', 'performed', 'performed']);
    expect(log.lines[0]?.fields).toMatchObject({
      machine: 'jar',
      id,
      merchant_id: merchant,
      command: 'open',
      answer: 'accepted',
      events: ['opened'],
      version: 1,
      batch: 3,
    });
    expect(log.lines[1]?.fields).toMatchObject({ command: 'seal', answer: 'accepted', cause });
    expect(log.lines[2]?.fields).toMatchObject({ command: 'put', answer: 'refused', reason: 'jar_sealed' });
    expect(
      JSON.stringify(log.lines, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('coins');
  });
});

describe('performing once', () => {
  it('ignores a message that comes again, alone, in a batch, or twice in one batch', async () => {
    const id = randomUUID();
    const [first, second] = [randomUUIDv7(), randomUUIDv7()];
    await jars.performOnce([envelope(id, open)]);
    await jars.performOnce([envelope(id, put(1n), { messageId: first })]);
    const again = await jars.performOnce([
      envelope(id, put(1n), { messageId: first }),
      envelope(id, put(10n), { messageId: second }),
      envelope(id, put(10n), { messageId: second }),
    ]);
    expect(again).toMatchObject([
      { answer: 'ignored', because: 'seen before' },
      { answer: 'accepted' },
      { answer: 'ignored', because: 'seen before' },
    ]);
    expect((await seen(database)).jars).toMatchObject([{ coins: 11n, version: 3 }]);
  });

  it('has seen a message that was refused, too: an answer does not change because it is asked again', async () => {
    const id = randomUUID();
    const messageId = randomUUIDv7();
    expect(words(await jars.performOnce([envelope(id, put(1n), { messageId })]))).toEqual(['refused']);
    await jars.perform([envelope(id, open)]);
    expect(words(await jars.performOnce([envelope(id, put(1n), { messageId })]))).toEqual(['ignored']);
  });

  it('keeps consumers apart: another machine of the service has not seen it', async () => {
    const messageId = randomUUIDv7();
    const other = makePerformer({ database, machine: jarMachine(), keeper: jarKeeper, name: 'other jar', log });
    expect(words(await jars.performOnce([envelope(randomUUID(), open, { messageId })]))).toEqual(['accepted']);
    expect(words(await other.performOnce([envelope(randomUUID(), open, { messageId })]))).toEqual(['accepted']);
  });

  it('has one effect when one message is handled by twenty at once', async () => {
    const id = randomUUID();
    const messageId = randomUUIDv7();
    await jars.perform([envelope(id, open)]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => jars.performOnce([envelope(id, put(1n), { messageId })])),
    );
    expect(words(answers.flat()).filter((word) => word === 'accepted')).toHaveLength(1);
    expect((await seen(database)).jars).toMatchObject([{ coins: 1n }]);
  });
});

describe('races', () => {
  it('lets one of twenty first commands through, and the others find what it made', async () => {
    const id = randomUUID();
    const answers = (await Promise.all(Array.from({ length: 20 }, () => jars.perform([envelope(id, open)])))).flat();
    expect(words(answers).toSorted()).toEqual(['accepted', ...Array<string>(19).fill('ignored')]);
    expect((await seen(database)).outbox).toHaveLength(1);
  });

  it('loses no update: twenty at once make twenty versions, announced in their order', async () => {
    const id = randomUUID();
    await jars.perform([envelope(id, open)]);
    await Promise.all(Array.from({ length: 20 }, () => jars.perform([envelope(id, put(1n))])));
    const all = await seen(database);
    expect(all.jars).toMatchObject([{ coins: 20n, version: 21 }]);
    // Rows by id: the order in which the relay sends.
    expect(all.outbox.map((row) => row.version)).toEqual(Array.from({ length: 21 }, (_, at) => BigInt(at + 1)));
  });

  it('does not wait in a ring when batches name the same jars in opposite orders', async () => {
    const ids = Array.from({ length: 10 }, () => randomUUID());
    await jars.perform(ids.map((id) => envelope(id, open)));
    const rounds = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? ids : ids.toReversed()));
    await Promise.all(
      rounds.map((order) => jars.performOnce(order.map((id) => envelope(id, put(1n), { messageId: randomUUIDv7() })))),
    );
    expect((await seen(database)).jars.map((jar) => jar.coins)).toEqual(Array<bigint>(10).fill(10n));
  });
});

describe("another merchant's jar", () => {
  it('is absent to a command, and cannot be made again', async () => {
    const id = randomUUID();
    await jars.perform([envelope(id, open)]);
    const stranger = randomUUID();
    const strange = performerWith(jarKeeper, stranger);
    expect(await strange.perform([envelope(id, put(1n), { merchantId: stranger })])).toMatchObject([
      { answer: 'refused', reason: 'jar_not_found' },
    ]);
    await expect(strange.perform([envelope(id, open, { merchantId: stranger })])).rejects.toThrow('duplicate key');
    expect((await seen(database)).jars).toMatchObject([{ merchant_id: merchant, coins: 0n, version: 1 }]);
  });
});
