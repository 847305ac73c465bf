import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import { enqueueJobs } from '@tillstream/jobs/enqueue';
import { readFigures } from '@tillstream/jobs/figures';
import { jobKind, type LeasedJob, type NewJob, type Outcome } from '@tillstream/jobs/kind';
import { jobsMigrations } from '@tillstream/jobs/migrations';
import { readJobs, replayJobs } from '@tillstream/jobs/read';
import { Jobs } from '@tillstream/jobs/worker';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog } from '@tillstream/testkit/log';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const home: ServiceHome = {
  name: 'caller',
  schema: 'caller',
  role: 'tillstream_caller',
  migrations: new URL('./migrations/', import.meta.url),
  shared: [messagingMigrations, jobsMigrations],
};

interface Tables {
  cause: { id: string; merchant_id: string };
}

let databases: TestDatabase;
let database: Database<Tables>;
let clock: MerchantClocks;
const merchant = randomUUID();
const secondMs = 1_000;

const call = jobKind<{ readonly sum: string }>({
  kind: 'call',
  work: 'calls',
  batch: 10,
  perDestination: 4,
  leaseMs: 30_000,
  schedule: (tries) => (tries < 3 ? tries * 60 * secondMs : undefined),
  longestWaitMs: 3_600_000,
  breaker: { failures: 2, firstMs: 60_000, longestMs: 60_000 },
});

function newJob(more: Partial<NewJob<{ readonly sum: string }>> = {}): NewJob<{ readonly sum: string }> {
  const now = new Date();
  return {
    jobId: randomUUIDv7(),
    merchantId: merchant,
    subject: randomUUID(),
    destination: 'a',
    payload: { sum: '100' },
    now,
    traceparent: '',
    ...more,
  };
}

async function write(...jobs: readonly NewJob<{ readonly sum: string }>[]): Promise<readonly string[]> {
  return database.transaction(
    jobs.map((job) => job.merchantId),
    (tx) => enqueueJobs(tx, call, jobs),
  );
}

function worker(run: (job: LeasedJob<{ readonly sum: string }>) => Promise<Outcome>, kind = call) {
  return new Jobs({ database, clock, log: quietLog(), kind, handler: { run } });
}

async function look(jobId: string) {
  const { rows } = await databases.admin.query(`select * from caller.job where job_id = $1`, [jobId]);
  return rows[0];
}

/** As if the lease, or the pause after a try, were over. */
const later = (jobId: string) =>
  databases.admin.query(
    `update caller.job set leased_until = null, due_at = case when due_at is not null then now() end where job_id = $1`,
    [jobId],
  );

beforeAll(async () => {
  databases = await testDatabase(home);
  database = databases.open<Tables>();
  clock = new MerchantClocks(database);
});
afterAll(() => databases.drop());
beforeEach(() => databases.admin.query('truncate caller.job, caller.job_destination, caller.cause'));

describe('a job', () => {
  test('is written in the commit of its cause, or not at all', async () => {
    const job = newJob();
    await expect(
      database.transaction([merchant], async (tx) => {
        await tx.insertInto('cause').values({ id: randomUUID(), merchant_id: merchant }).execute();
        await enqueueJobs(tx, call, [job]);
        throw new Error('the cause failed');
      }),
    ).rejects.toThrow('the cause failed');
    expect(await look(job.jobId)).toBeUndefined();
    await write(job);
    expect(await look(job.jobId)).toMatchObject({ state: 'pending', payload: { sum: '100' }, epoch: 0n.toString() });
  });

  test('of a subject that is asked for once is written once', async () => {
    const subject = randomUUID();
    const [first, second] = [newJob({ subject, isOnce: true }), newJob({ subject, isOnce: true })];
    expect(await write(first)).toEqual([first.jobId]);
    expect(await write(second)).toEqual([]);
    expect(await look(second.jobId)).toBeUndefined();
  });

  test('is called with its id and done once, whoever looks: twenty turns of two processes', async () => {
    const jobs = Array.from({ length: 30 }, () => newJob());
    await write(...jobs);
    const called: string[] = [];
    const run = async (job: LeasedJob<{ readonly sum: string }>): Promise<Outcome> => {
      called.push(job.jobId);
      return { type: 'done' };
    };
    const [one, other] = [worker(run), worker(run)];
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : other).turn()));
    expect(called.toSorted()).toEqual(jobs.map((job) => job.jobId).toSorted());
  });

  test('keeps its id over all tries, waits by the schedule, and is dead after the last; a replay begins anew', async () => {
    const job = newJob();
    await write(job);
    const keys: string[] = [];
    const failing = worker(async ({ jobId }) => {
      keys.push(jobId);
      return { type: 'retry', because: 'busy' };
    });
    const waits: number[] = [];
    for (let tries = 1; tries <= 3; tries += 1) {
      await failing.turn();
      const row = await look(job.jobId);
      if (row.due_at !== null) waits.push(Math.round((row.due_at.getTime() - Date.now()) / (60 * secondMs)));
      await later(job.jobId);
    }
    expect(waits).toEqual([1, 2]);
    expect(keys).toEqual([job.jobId, job.jobId, job.jobId]);
    expect(await look(job.jobId)).toMatchObject({ state: 'dead', reason: 'busy', tries: 3 });
    expect(await readFigures(database, call)).toMatchObject({ waiting: 0, dead: 1 });

    expect(await replayJobs(database, call, { limit: 10 })).toBe(1);
    await worker(async () => ({ type: 'done' })).turn();
    const shown = await database.statement([merchant], (one) => readJobs(one, [job.jobId]));
    expect(shown.get(job.jobId)).toMatchObject({ state: 'done', tries: 1 });
  });

  test('that a process took and died with is taken again after its lease; the late result is refused', async () => {
    const job = newJob();
    await write(job);
    const hold = Promise.withResolvers<Outcome>();
    const begun = Promise.withResolvers<void>();
    const slow = worker(async () => {
      begun.resolve();
      return hold.promise;
    }).turn();
    await begun.promise;
    const idle = worker(async () => ({ type: 'done' }));
    await idle.turn();
    expect((await look(job.jobId)).state).toBe('pending');
    await later(job.jobId);
    await idle.turn();
    expect((await look(job.jobId)).state).toBe('done');
    hold.resolve({ type: 'dead', because: 'late' });
    await slow;
    expect(await look(job.jobId)).toMatchObject({ state: 'done', reason: '' });
  });

  test('that throws is tried again, and harms no other', async () => {
    const [bad, good] = [newJob(), newJob()];
    await write(bad, good);
    await worker(async ({ jobId }) => {
      if (jobId === bad.jobId) throw new Error('a fault of ours');
      return { type: 'done' };
    }).turn();
    expect((await look(good.jobId)).state).toBe('done');
    expect(await look(bad.jobId)).toMatchObject({ state: 'pending', tries: 1, reason: 'failed' });
  });
});

describe('a destination that does not answer', () => {
  test('is not asked for every job, costs no tries, and delays no other destination', async () => {
    const dead = Array.from({ length: 6 }, () => newJob({ destination: 'dead' }));
    const alive = Array.from({ length: 3 }, () => newJob({ destination: 'alive' }));
    await write(...dead, ...alive);
    const asked: string[] = [];
    const worked = worker(async ({ destination }) => {
      asked.push(destination);
      return destination === 'dead' ? { type: 'away', because: 'no answer' } : { type: 'done' };
    });
    await worked.turn();
    await worked.turn();
    expect(asked.filter((each) => each === 'alive')).toHaveLength(3);
    // Four at once to one destination, which opens the breaker; the others were put back untried.
    expect(asked.filter((each) => each === 'dead')).toHaveLength(4);
    for (const { jobId } of dead) expect(await look(jobId)).toMatchObject({ state: 'pending', tries: 0 });
    expect(await readFigures(database, call)).toMatchObject({ away: 1 });

    // When its pause is over one probe asks; the answer closes the breaker, and the rest flows.
    await databases.admin.query('update caller.job_destination set open_until = now()');
    for (const { jobId } of dead) await later(jobId);
    const answered: string[] = [];
    const back = worker(async ({ jobId }) => {
      answered.push(jobId);
      return { type: 'done' };
    });
    while (await back.turn());
    await back.turn();
    expect(answered).toHaveLength(6);
    expect(await readFigures(database, call)).toMatchObject({ waiting: 0, away: 0 });
  });
});

test('a merchant with a test clock has its jobs due by that clock; others wait by the wall', async () => {
  const other = randomUUID();
  const [ahead, here] = [newJob(), newJob({ merchantId: other })];
  await write(ahead, here);
  const failing = worker(async () => ({ type: 'retry', because: 'busy' }));
  await failing.turn();
  await clock.set({ merchantId: merchant, sequence: 1n, at: new Date(Date.now() + 3_600_000), isStanding: true });
  const called: string[] = [];
  await worker(async ({ jobId }) => {
    called.push(jobId);
    return { type: 'done' };
  }).turn();
  expect(called).toEqual([ahead.jobId]);
});

test('a job is seen by its own merchant only', async () => {
  const job = newJob();
  await write(job);
  const own = await database.statement([merchant], (one) => readJobs(one, [job.jobId]));
  const foreign = await database.statement([randomUUID()], (one) => readJobs(one, [job.jobId]));
  expect([own.size, foreign.size]).toEqual([1, 0]);
});
