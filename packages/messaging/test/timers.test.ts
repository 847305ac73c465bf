import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { wallClock } from '@tillstream/messaging/clock';
import type { Loop } from '@tillstream/messaging/loop';
import { makePerformer, type Performer } from '@tillstream/messaging/perform';
import { startSweeper } from '@tillstream/messaging/sweeper';
import { schedule, startTimers, type DueTimer, type TimerHandler } from '@tillstream/messaging/timers';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  empty,
  envelope,
  home,
  jarKeeper,
  jarMachine,
  merchant,
  ringAfterMs,
  seen,
  type Jar,
  type JarCommand,
  type JarEvent,
  type JarRefusal,
  type JarTables,
} from './jar.ts';

let place: TestDatabase;
let database: Database<JarTables>;
let jars: Performer<Jar, JarCommand, JarEvent, JarRefusal>;
const running: Loop[] = [];
const log = quietLog();

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

const start = (fire: TimerHandler['fire'], machine = 'jar') => {
  const loop = startTimers({ database, handlers: [{ machine, fire }], clock: wallClock, log });
  running.push(loop);
  return loop;
};
const set = (
  ...timers: readonly {
    readonly id: string;
    readonly inMs: number;
    readonly machine?: string;
    readonly kind?: string;
  }[]
) =>
  database.transaction([merchant], (tx) =>
    schedule(
      tx,
      timers.map(({ id, inMs, machine = 'jar', kind = 'ring' }) => ({
        machine,
        aggregateId: id,
        merchantId: merchant,
        change: { type: 'set', kind, dueAt: new Date(Date.now() + inMs) },
      })),
    ),
  );
/** Seals the jar that rang, as a service would. */
const sealRung = (due: readonly DueTimer[]) =>
  jars.performOnce(
    due.map((timer) =>
      envelope(
        timer.aggregateId,
        { type: 'seal' },
        { messageId: timer.timerId, traceparent: timer.traceparent, merchantId: timer.merchantId },
      ),
    ),
  );
const opened = async (due: Date): Promise<string> => {
  const id = randomUUID();
  await jars.perform([envelope(id, { type: 'open' }, { now: new Date(due.getTime() - ringAfterMs) })]);
  return id;
};
const statuses = async () => (await seen(database)).jars.map((jar) => jar.status);

describe('timers', () => {
  it('fire when they are due, in the order of their due times, each with what it needs to be performed', async () => {
    // More than are taken at once, the oldest last.
    const ids = Array.from({ length: 250 }, (_, at) => ({ id: randomUUID(), inMs: (at + 1) * -1_000 }));
    const later = randomUUID();
    await set(...ids, { id: later, inMs: 3_600_000 });
    const fired: DueTimer[] = [];
    start(async (due) => void fired.push(...due));
    await eventually(() => fired.length === 250);
    expect(fired.map((timer) => timer.aggregateId)).toEqual(
      ids.toSorted((a, b) => a.inMs - b.inMs).map((each) => each.id),
    );
    expect(fired[0]).toMatchObject({ machine: 'jar', kind: 'ring', merchantId: merchant });
    await eventually(async () => (await seen(database)).timers.length === 1);
    expect((await seen(database)).timers).toMatchObject([{ aggregate_id: later }]);
  });

  it('change a machine through perform, and are cleared by it', async () => {
    const rung = await opened(new Date(Date.now() - 1_000));
    await opened(new Date(Date.now() + 3_600_000));
    start(async (due) => void (await sealRung(due)));
    await eventually(async () => (await statuses()).includes('sealed'));
    expect((await seen(database)).jars.find((jar) => jar.id === rung)).toMatchObject({ status: 'sealed' });
    expect(await statuses()).toContain('open');
  });

  it('fire again after a crash between effect and removal, and then have no effect', async () => {
    const id = randomUUID();
    const { timers: _, ...withoutTimers } = jarKeeper;
    const quiet = makePerformer({ database, machine: jarMachine(), keeper: withoutTimers, name: 'jar', log });
    await quiet.perform([envelope(id, { type: 'open' })]);
    await set({ id, inMs: -1_000 });
    const answers: string[] = [];
    start(async (due) => {
      const done = await quiet.performOnce(
        due.map((timer) => envelope(timer.aggregateId, { type: 'put', coins: 1n }, { messageId: timer.timerId })),
      );
      answers.push(...done.map((each) => each.answer));
      if (answers.length === 1) throw new Error('the process dies here');
    });
    await eventually(async () => (await seen(database)).timers.length === 0);
    expect(answers).toEqual(['accepted', 'ignored']);
    expect((await seen(database)).jars).toMatchObject([{ coins: 1n }]);
  });

  it('that a process has taken are its own until its lease is over', async () => {
    const [held, free] = [randomUUID(), randomUUID()];
    await set({ id: held, inMs: -1_000 }, { id: free, inMs: -1_000 });
    await place.admin.query(
      `insert into jars.timer_lease select timer_id, now() + interval '1 hour' from jars.timer where aggregate_id = $1`,
      [held],
    );
    const fired: string[] = [];
    start(async (due) => void fired.push(...due.map((timer) => timer.aggregateId)));
    await eventually(async () => (await seen(database)).timers.length === 1);
    expect(fired).toEqual([free]);
    await place.admin.query(`update jars.timer_lease set leased_until = now() - interval '1 second'`);
    await eventually(() => fired.includes(held));
  });

  it('that are set anew while they fire are kept', async () => {
    const id = randomUUID();
    await set({ id, inMs: -1_000 });
    let fired = 0;
    start(async () => {
      fired += 1;
      if (fired === 1) await set({ id, inMs: 3_600_000 });
    });
    await eventually(() => fired === 1);
    await set({ id: randomUUID(), inMs: -1_000 });
    await eventually(() => fired === 2);
    await eventually(async () => (await seen(database)).timers.length === 1);
    expect((await seen(database)).timers).toMatchObject([{ aggregate_id: id }]);
  });

  it('hold one row per machine, aggregate and kind: the last setting wins, and a clearing clears', async () => {
    const id = randomUUID();
    await set(
      { id, inMs: 1_000_000 },
      { id, inMs: 2_000_000 },
      { id, inMs: 1_000_000, kind: 'remind' },
      { id, inMs: 1_000_000, machine: 'other' },
    );
    const before = (await seen(database)).timers;
    expect(before.map((timer) => `${timer.machine} ${timer.kind}`).toSorted()).toEqual([
      'jar remind',
      'jar ring',
      'other ring',
    ]);
    expect(before.find((timer) => timer.machine === 'jar' && timer.kind === 'ring')?.due_at.getTime()).toBeGreaterThan(
      Date.now() + 1_500_000,
    );
    await database.transaction([merchant], (tx) =>
      schedule(tx, [
        {
          machine: 'jar',
          aggregateId: id,
          merchantId: merchant,
          change: { type: 'set', kind: 'ring', dueAt: new Date() },
        },
        { machine: 'jar', aggregateId: id, merchantId: merchant, change: { type: 'clear', kind: 'ring' } },
      ]),
    );
    expect((await seen(database)).timers.map((timer) => `${timer.machine} ${timer.kind}`).toSorted()).toEqual([
      'jar remind',
      'other ring',
    ]);
  });

  it('of one bad aggregate do not hold up the others', async () => {
    const [bad, good] = [randomUUID(), Array.from({ length: 5 }, () => randomUUID())];
    const fired = new Set<string>();
    await set(...[bad, ...good].map((id, at) => ({ id, inMs: -10_000 + at })));
    start(async (due) => {
      if (due.some((timer) => timer.aggregateId === bad)) throw new Error('cannot be performed');
      for (const timer of due) fired.add(timer.aggregateId);
    });
    await eventually(() => fired.size === good.length);
    expect((await seen(database)).timers).toMatchObject([{ aggregate_id: bad }]);
  });

  it('of twenty due at once are fired once each by two processes', async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    await set(...ids.map((id) => ({ id, inMs: -1_000 })));
    const fired: string[] = [];
    const fire = async (due: readonly DueTimer[]) => void fired.push(...due.map((timer) => timer.aggregateId));
    start(fire);
    start(fire);
    await eventually(async () => (await seen(database)).timers.length === 0);
    expect(fired.toSorted()).toEqual(ids.toSorted());
  });

  it('of other machines are left to whoever knows them', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    await set({ id: mine, inMs: -1_000 }, { id: other, inMs: -1_000, machine: 'other' });
    const fired: string[] = [];
    start(async (due) => void fired.push(...due.map((timer) => timer.aggregateId)));
    await eventually(async () => (await seen(database)).timers.length === 1);
    expect(fired).toEqual([mine]);
  });
});

describe('the sweeper', () => {
  it('removes what was sent a week and seen two weeks ago, and nothing that was not sent', async () => {
    for (let at = 0; at < 4; at += 1)
      await jars.performOnce([envelope(randomUUID(), { type: 'open' }, { messageId: randomUUID() })]);
    const rows = (await seen(database)).outbox;
    const [oldSent, youngSent, oldUnsent] = rows.map((row) => row.id);
    await place.admin.query(
      `update jars.outbox set created_at = now() - interval '30 days', sent_at = now() - interval '8 days' where id = $1`,
      [oldSent],
    );
    await place.admin.query(
      `update jars.outbox set created_at = now() - interval '30 days', sent_at = now() - interval '6 days' where id = $1`,
      [youngSent],
    );
    await place.admin.query(`update jars.outbox set created_at = now() - interval '30 days' where id = $1`, [
      oldUnsent,
    ]);
    await place.admin.query(
      `update jars.inbox set seen_at = now() - interval '15 days' where message_id = (select min(message_id::text)::uuid from jars.inbox)`,
    );
    await place.admin.query(
      `update jars.inbox set seen_at = now() - interval '13 days' where message_id = (select max(message_id::text)::uuid from jars.inbox)`,
    );
    running.push(startSweeper(database, log));
    await eventually(async () => {
      const { outbox, inbox } = await seen(database);
      return outbox.length === 3 && inbox.length === 3;
    });
    expect((await seen(database)).outbox.map((row) => row.id)).not.toContain(oldSent);
  });
});
