import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Loop } from '@tillstream/messaging/loop';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import { makePerformer } from '@tillstream/messaging/perform';
import { readFired, readProgress } from '@tillstream/messaging/progress';
import { schedule, startTimers, type DueTimer } from '@tillstream/messaging/timers';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { empty, envelope, home, jarKeeper, jarMachine, merchant, type JarTables } from './jar.ts';

let place: TestDatabase;
let database: Database<JarTables>;
let clocks: MerchantClocks;
let sequence = 0n;
const running: Loop[] = [];
const log = quietLog();
const day = 86_400_000;

beforeAll(async () => {
  place = await testDatabase(home);
  database = place.open<JarTables>();
});
beforeEach(async () => {
  await empty(database);
  await database.untyped('a new test', async (tx) => {
    await sql`delete from merchant_clock`.execute(tx);
    await sql`delete from fired_timer`.execute(tx);
  });
  clocks = new MerchantClocks(database);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((loop) => loop.stop()));
});
afterAll(() => place.drop());

const stand = (at: Date, merchantId = merchant) =>
  clocks.set({ merchantId, sequence: (sequence += 1n), at, isStanding: true });
const set = (merchantId: string, at: Date, kind = 'ring') => {
  const aggregateId = randomUUID();
  return database
    .transaction([merchantId], (tx) =>
      schedule(tx, [{ machine: 'jar', aggregateId, merchantId, change: { type: 'set', kind, dueAt: at } }]),
    )
    .then(() => aggregateId);
};
const startFiring = () => {
  const fired: DueTimer[] = [];
  running.push(
    startTimers({
      database,
      handlers: [{ machine: 'jar', fire: async (due) => void fired.push(...due) }],
      clock: clocks,
      log,
    }),
  );
  return fired;
};

it('a merchant who stands in the future finds due what is due there, and nobody else does', async () => {
  const there = new Date(Date.now() + 40 * day);
  const [mine, later] = [
    await set(merchant, new Date(there.getTime() - day)),
    await set(merchant, new Date(there.getTime() + 1)),
  ];
  const others = await set(randomUUID(), new Date(there.getTime() - day));
  const fired = startFiring();
  await stand(there);
  await eventually(() => fired.length > 0);
  expect(fired.map((timer) => timer.aggregateId)).toEqual([mine]);
  await eventually(async () => (await readProgress(database, merchant, there)).timersDue === 0);
  expect(await readFired(database, merchant, sequence)).toMatchObject([
    { machine: 'jar', kind: 'ring', aggregateId: mine },
  ]);
  expect((await readProgress(database, merchant, there)).nextTimerAt).toEqual(new Date(there.getTime() + 1));
  const { rows } = await place.admin.query<{ aggregate_id: string }>('select aggregate_id from jars.timer');
  expect(rows.map((row) => row.aggregate_id).toSorted()).toEqual([later, others].toSorted());
});

// An advance that took half an hour left its clock behind the wall: payments made meanwhile expired at once.
it('a clock that has stood until the wall went past it is not hurried on by the wall', async () => {
  const here = new Date(Date.now() - 1_800_000);
  const mine = await set(merchant, new Date(here.getTime() + 60_000));
  const others = await set(randomUUID(), new Date(here.getTime() + 60_000));
  await stand(here);
  const fired = startFiring();
  await eventually(() => fired.length > 0);
  expect(fired.map((timer) => timer.aggregateId)).toEqual([others]);
  await stand(new Date(here.getTime() + 60_000));
  await eventually(() => fired.length > 1);
  expect(fired.map((timer) => timer.aggregateId)).toEqual([others, mine]);
});

it('a clock stands until it runs on, an older setting changes nothing, and at last it is the wall’s again', async () => {
  const there = new Date(Date.now() + 400 * day);
  await stand(there);
  expect(clocks.now(merchant)).toEqual(there);
  expect(clocks.travellers()).toEqual([merchant]);
  await clocks.set({ merchantId: merchant, sequence: sequence - 1n, at: new Date(0), isStanding: true });
  expect(clocks.now(merchant)).toEqual(there);
  await clocks.set({ merchantId: merchant, sequence: (sequence += 1n), at: there, isStanding: false });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(clocks.now(merchant).getTime()).toBeGreaterThan(there.getTime());
  expect(clocks.now(merchant).getTime()).toBeLessThan(there.getTime() + 60_000);
  await clocks.set({ merchantId: merchant, sequence: (sequence += 1n), at: 'the wall', isStanding: false });
  expect(clocks.travellers()).toEqual([]);
  expect(Math.abs(clocks.now(merchant).getTime() - Date.now())).toBeLessThan(1_000);
});

it('the database tells a merchant’s time as the process does', async () => {
  const there = new Date('2031-05-05T05:05:05Z');
  await stand(there);
  const read = async (merchantId: string) => {
    const { rows } = await place.admin.query<{ at: Date }>('select jars.merchant_now($1) as at', [merchantId]);
    return rows[0]?.at.getTime() ?? 0;
  };
  await place.admin.query('set search_path = jars');
  expect(await read(merchant)).toBe(there.getTime());
  expect(Math.abs((await read(randomUUID())) - Date.now())).toBeLessThan(60_000);
});

it('another process that hears of something later than it knows reads the clocks before it goes on', async () => {
  const other = new MerchantClocks(database);
  const there = new Date(Date.now() + 9 * day);
  await stand(there);
  await other.catchUp([{ merchantId: merchant, at: new Date() }]);
  expect(other.travellers()).toEqual([]);
  await other.catchUp([{ merchantId: merchant, at: there }]);
  expect(other.now(merchant)).toEqual(there);
});

it('a clock that stands follows a message from a later step, and the setting of that step still counts', async () => {
  const [here, there] = [new Date(Date.now() + 7 * day), new Date(Date.now() + 14 * day)];
  const running = randomUUID();
  await stand(here);
  await clocks.set({ merchantId: running, sequence: (sequence += 1n), at: here, isStanding: false });
  await clocks.catchUpWithMessages([
    { merchantId: merchant, at: there },
    { merchantId: running, at: there },
  ]);
  expect(clocks.now(merchant)).toEqual(there);
  // A clock that runs is behind another only by as much as two machines differ.
  expect(clocks.now(running).getTime()).toBeLessThan(there.getTime() - day);
  await clocks.catchUpWithMessages([{ merchantId: merchant, at: here }]);
  expect(clocks.now(merchant)).toEqual(there);
  const after = new Date(there.getTime() + 1);
  await stand(after);
  expect(clocks.now(merchant)).toEqual(after);
});

it('what is said of a traveller is counted in the commit that says it', async () => {
  const jars = makePerformer({ database, machine: jarMachine(), keeper: jarKeeper, name: 'jar', log });
  await stand(new Date(Date.now() + day));
  const before = await readProgress(database, merchant, clocks.now(merchant));
  await jars.perform([envelope(randomUUID(), { type: 'open' }), envelope(randomUUID(), { type: 'open' })]);
  const after = await readProgress(database, merchant, clocks.now(merchant));
  expect(after.said - before.said).toBe(2n);
  expect(after.outbox).toBe(2);
});
