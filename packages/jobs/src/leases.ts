/** Who runs a job: leased for a time under an epoch, settled under that epoch only. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { alongside, type Alongside } from '@tillstream/messaging/perform';
import { sql, type QueryExecutorProvider, type RawBuilder } from 'kysely';
import type { JobDatabase } from './database.ts';
import type { JobKind, LeasedJob, Written } from './kind.ts';
import { settle } from './settlement.ts';

interface JobRow {
  taken_job_id: string;
  taken_merchant_id: string;
  taken_subject: string;
  taken_destination: string;
  taken_payload: unknown;
  taken_epoch: bigint;
  taken_tries: number;
  taken_traceparent: string;
  taken_created_at: Date;
  taken_age_from: Date;
  taken_wall_age_ms: number;
}

const isFree = sql`(leased_until is null or leased_until <= now())`;
// While its breaker is open, only a probe takes a job of it (destinations.ts).
const answers = sql`not exists (select from job_destination away where away.kind = job.kind and away.destination = job.destination)`;

export class Leases<Payload, Details> {
  readonly #database: JobDatabase;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kind: JobKind<Payload, Details>;
  #travelled: readonly string[] | undefined;

  constructor(
    { database, clock, log }: { readonly database: JobDatabase; readonly clock: Clock; readonly log: Log },
    kind: JobKind<Payload, Details>,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
    this.#kind = kind;
  }

  /** A batch of those that are due, the longest due first. */
  async takeDue(): Promise<readonly LeasedJob<Payload, Details>[]> {
    const travellers = this.#clock.travellers();
    if (this.#travelled?.every((merchantId) => travellers.includes(merchantId)) !== true) await this.#comeHome();
    this.#travelled = travellers;
    return this.#takeWhere(answers, this.#kind.batch);
  }

  /** One job of a destination whose breaker is open. */
  takeProbe(destination: string): Promise<readonly LeasedJob<Payload, Details>[]> {
    return this.#takeWhere(sql`destination = ${destination}`, 1);
  }

  /** These, if they are due and free, or were written by this process and are held for it. */
  async takeThese(jobIds: readonly string[]): Promise<readonly LeasedJob<Payload, Details>[]> {
    // By the ids: without coalesce the planner would read all that is due.
    return this.#take(sql`
      select job_id from job
      where job_id = any (${jobIds}::uuid[]) and kind = ${this.#kind.kind} and coalesce(due_at <= ${this.#nowOf()}, false)
        and (epoch = 0 or ${isFree}) and ${answers}
      order by job_id for update skip locked`);
  }

  #nowOf(): RawBuilder<unknown> {
    return this.#kind.isByWall === true ? sql`now()` : sql`merchant_now(merchant_id)`;
  }

  async #takeWhere(which: RawBuilder<unknown>, limit: number): Promise<readonly LeasedJob<Payload, Details>[]> {
    const { kind } = this.#kind;
    const due = await this.#take(sql`
      select job_id from job where kind = ${kind} and due_at <= now() and ${isFree} and ${which}
      order by due_at, job_id limit ${limit} for update skip locked`);
    const travellers = this.#kind.isByWall === true ? [] : this.#clock.travellers();
    if (travellers.length === 0 || due.length >= limit) return due;
    // Each by its own clock, which is never behind the wall's: what the statement above found of theirs is due as well.
    const theirs = await this.#take(sql`
      select due.job_id from unnest(${travellers}::uuid[]) as traveller (merchant_id) cross join lateral (
        select job_id from job
        where merchant_id = traveller.merchant_id and kind = ${kind} and due_at <= merchant_now(traveller.merchant_id) and ${isFree} and ${which}
        order by due_at, job_id limit ${limit} for update skip locked) as due`);
    return [...due, ...theirs];
  }

  async #take(which: RawBuilder<unknown>): Promise<readonly LeasedJob<Payload, Details>[]> {
    const { leaseMs, details } = this.#kind;
    const columns = details === undefined ? sql`` : sql`, ${details.columns}`;
    const { rows } = await this.#database.everyMerchantStatement('jobs of all merchants are taken up', (one) =>
      sql<JobRow>`
        with taken as (
          update job set leased_until = now() + ${leaseMs} * interval '1 millisecond', epoch = epoch + 1
          where job_id in (${which})
          returning job_id, merchant_id, subject, destination, payload, epoch, tries, traceparent, created_at, age_from,
            extract(epoch from now() - queued_at)::float8 * 1000 as wall_age_ms
        )
        select taken.job_id as taken_job_id, taken.merchant_id as taken_merchant_id, taken.subject as taken_subject,
          taken.destination as taken_destination, taken.payload as taken_payload, taken.epoch as taken_epoch, taken.tries as taken_tries,
          taken.traceparent as taken_traceparent, taken.created_at as taken_created_at, taken.age_from as taken_age_from,
          taken.wall_age_ms as taken_wall_age_ms${columns}
        from taken ${details?.join ?? sql``}`.execute(one),
    );
    return rows.map((row) => this.#toJob(row)).toSorted((a, b) => (a.jobId < b.jobId ? -1 : 1));
  }

  #toJob(row: JobRow): LeasedJob<Payload, Details> {
    const own = this.#clock.now(row.taken_merchant_id).getTime() - row.taken_age_from.getTime();
    return {
      jobId: row.taken_job_id,
      merchantId: row.taken_merchant_id,
      subject: row.taken_subject,
      destination: row.taken_destination,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by enqueue under the same kind
      payload: row.taken_payload as Payload,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- read by the kind's own columns
      details: row as Details,
      epoch: row.taken_epoch,
      tries: row.taken_tries,
      traceparent: row.taken_traceparent,
      createdAt: row.taken_created_at,
      // A clock that was set back to the wall's shows less than the time that passed.
      ageMs: Math.max(row.taken_wall_age_ms, own),
      wallAgeMs: row.taken_wall_age_ms,
    };
  }

  /** A merchant whose clock is the wall's again does not wait for a try of years ahead. */
  async #comeHome(): Promise<void> {
    const { kind, longestWaitMs } = this.#kind;
    await this.#database.everyMerchantStatement('jobs of merchants whose test clock ended are due again', (one) =>
      sql`
        update job set due_at = merchant_now(merchant_id)
        where kind = ${kind} and due_at > now() + ${longestWaitMs} * interval '1 millisecond'
          and due_at > merchant_now(merchant_id) + ${longestWaitMs} * interval '1 millisecond'`.execute(one),
    );
  }

  /** For jobs that still run; one that was settled, or taken by another process, is not touched. */
  async renew(jobs: readonly LeasedJob<Payload, Details>[]): Promise<void> {
    await this.#database.everyMerchantStatement('a worker keeps the jobs that it runs', (one) =>
      sql`
        update job set leased_until = now() + ${this.#kind.leaseMs} * interval '1 millisecond'
        from ${keysOf(jobs)} where job.job_id = t.job_id and job.epoch = t.epoch and job.due_at is not null`.execute(
        one,
      ),
    );
  }

  /** One statement for all. Answers how many were refused: another process has taken them, or they are settled. */
  async settle(results: readonly Result<Payload, Details>[]): Promise<number> {
    if (results.length === 0) return 0;
    const taken = await this.#database.everyMerchantStatement('a worker settles the jobs that it ran', (one) =>
      write(
        one,
        results.map((result) => this.#rowOf(result)),
      ),
    );
    return results.length - taken;
  }

  /** In the transaction of the command that the run leads to: what was answered and that the call is over are one commit. */
  settleBeside(job: LeasedJob<Payload, Details>, outcome: Written): Alongside {
    return writeBeside(this.#rowOf({ job, outcome }));
  }

  #rowOf({ job, outcome }: Result<Payload, Details>): SettledRow {
    const now = this.#kind.isByWall === true ? new Date() : this.#clock.now(job.merchantId);
    const { state, tries, reason, dueInMs, pauseMs } = settle(outcome, job, this.#kind, Math.random());
    const isPending = state === 'pending';
    if (state === 'dead')
      this.#log.warn(
        { job: job.jobId, kind: this.#kind.kind, subject: job.subject, merchant_id: job.merchantId, reason, tries },
        'a job is given up',
      );
    return {
      jobId: job.jobId,
      epoch: job.epoch,
      state,
      tries,
      reason,
      dueAt: isPending ? new Date(now.getTime() + dueInMs) : null,
      settledAt: isPending ? null : now,
      pauseMs,
    };
  }
}

export interface Result<Payload, Details> {
  readonly job: LeasedJob<Payload, Details>;
  readonly outcome: Written;
}

interface SettledRow {
  readonly jobId: string;
  readonly epoch: bigint;
  readonly state: string;
  readonly tries: number;
  readonly reason: string;
  readonly dueAt: Date | null;
  readonly settledAt: Date | null;
  readonly pauseMs: number;
}

/** Answers how many it wrote. */
async function write(tx: QueryExecutorProvider, rows: readonly SettledRow[]): Promise<number> {
  const { numAffectedRows } = await sql`
    update job set state = t.state, tries = t.tries, reason = t.reason, due_at = t.due_at, settled_at = t.settled_at,
      leased_until = case when t.pause_ms > 0 then now() + t.pause_ms * interval '1 millisecond' end
    from unnest(
      ${rows.map((row) => row.jobId)}::uuid[], ${rows.map((row) => row.epoch)}::bigint[], ${rows.map((row) => row.state)}::text[],
      ${rows.map((row) => row.tries)}::integer[], ${rows.map((row) => row.reason)}::text[], ${rows.map((row) => row.dueAt)}::timestamptz[],
      ${rows.map((row) => row.settledAt)}::timestamptz[], ${rows.map((row) => row.pauseMs)}::float8[]
    ) as t (job_id, epoch, state, tries, reason, due_at, settled_at, pause_ms)
    where job.job_id = t.job_id and job.epoch = t.epoch and job.due_at is not null`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

const writeBeside = alongside(write);

function keysOf(jobs: readonly LeasedJob<unknown, unknown>[]): RawBuilder<unknown> {
  return sql`unnest(${jobs.map((job) => job.jobId)}::uuid[], ${jobs.map((job) => job.epoch)}::bigint[]) as t (job_id, epoch)`;
}
