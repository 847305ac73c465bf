/** Jobs as a service shows them, and the way back for those that are dead. */
import { sql, type QueryExecutorProvider } from 'kysely';
import type { JobDatabase } from './database.ts';
import { wakeJobs } from './enqueue.ts';

export interface JobView {
  readonly jobId: string;
  readonly state: 'pending' | 'done' | 'not_wanted' | 'dead';
  readonly tries: number;
  /** Why it is not done; of a pending job also why its destination does not answer. */
  readonly reason: string;
  readonly dueAt: Date | undefined;
  readonly createdAt: Date;
  readonly settledAt: Date | undefined;
  readonly traceparent: string;
}

interface ViewRow {
  job_id: string;
  state: JobView['state'];
  tries: number;
  reason: string;
  due_at: Date | null;
  created_at: Date;
  settled_at: Date | null;
  traceparent: string;
}

/** By their ids, as far as `tx` may see them. */
export async function readJobs(
  tx: QueryExecutorProvider,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, JobView>> {
  if (jobIds.length === 0) return new Map();
  const { rows } = await sql<ViewRow>`
    select job_id, state, tries, case when job.reason = '' and state = 'pending' then coalesce(away.reason, '') else job.reason end as reason,
      due_at, created_at, settled_at, traceparent
    from job left join job_destination away on away.kind = job.kind and away.destination = job.destination
    where job_id = any (${jobIds}::uuid[])`.execute(tx);
  return new Map(
    rows.map((row): [string, JobView] => [
      row.job_id,
      {
        jobId: row.job_id,
        state: row.state,
        tries: row.tries,
        reason: row.reason,
        dueAt: row.due_at ?? undefined,
        createdAt: row.created_at,
        settledAt: row.settled_at ?? undefined,
        traceparent: row.traceparent,
      },
    ]),
  );
}

/** Makes dead jobs pending again, with their ids, as if they were new. Answers how many there were. */
export async function replayJobs(
  database: JobDatabase,
  kind: { readonly kind: string },
  { limit, jobIds }: { readonly limit: number; readonly jobIds?: readonly string[] },
): Promise<number> {
  const which = jobIds === undefined ? sql`true` : sql`job_id = any (${jobIds}::uuid[])`;
  const { numAffectedRows } = await database.everyMerchantStatement('dead jobs are replayed', (one) =>
    sql`
      update job set state = 'pending', tries = 0, reason = '', settled_at = null, leased_until = null,
        due_at = merchant_now(merchant_id), age_from = merchant_now(merchant_id), queued_at = now()
      where job_id in (
        select job_id from job where kind = ${kind.kind} and state = 'dead' and ${which} order by job_id limit ${limit} for update skip locked)`.execute(
      one,
    ),
  );
  wakeJobs(database, kind);
  return Number(numAffectedRows ?? 0n);
}
