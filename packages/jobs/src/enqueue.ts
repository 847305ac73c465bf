/** Writing jobs, in the commit of what causes them. */
import type { AnyDatabase } from '@tillstream/database/database';
import { onWake, wake } from '@tillstream/messaging/wake';
import { sql, type QueryExecutorProvider, type RawBuilder } from 'kysely';
import type { JobKind, NewJob } from './kind.ts';

/**
 * The statement that writes jobs, for a `with` of a larger one: it returns `job_id` of those that it wrote. A job whose
 * kind and subject were to be written once, and were, is left out; so is one whose id is there.
 */
export function insertJobs<Payload>(
  kind: JobKind<Payload, unknown>,
  jobs: readonly NewJob<Payload>[],
): RawBuilder<unknown> {
  const dates = jobs.map((job) => (kind.isByWall === true ? new Date() : job.now));
  return sql`
    insert into job (job_id, merchant_id, kind, subject, once_key, destination, payload, due_at, leased_until, traceparent, created_at, age_from)
    select t.job_id, t.merchant_id, ${kind.kind}, t.subject, t.once_key, t.destination, t.payload, t.due_at,
      case when t.held_ms > 0 then now() + t.held_ms * interval '1 millisecond' end, t.traceparent, t.created_at, t.created_at
    from unnest(
      ${jobs.map((job) => job.jobId)}::uuid[], ${jobs.map((job) => job.merchantId)}::uuid[], ${jobs.map((job) => job.subject)}::text[],
      ${jobs.map((job) => (job.isOnce === true ? job.subject : null))}::text[], ${jobs.map((job) => job.destination)}::text[],
      ${jobs.map((job) => JSON.stringify(job.payload ?? {}))}::jsonb[], ${dates}::timestamptz[],
      ${jobs.map((job) => job.heldForMs ?? 0)}::float8[], ${jobs.map((job) => job.traceparent)}::text[],
      ${jobs.map((job) => job.now)}::timestamptz[]
    ) as t (job_id, merchant_id, subject, once_key, destination, payload, due_at, held_ms, traceparent, created_at)
    on conflict do nothing returning job_id`;
}

/** In the transaction of what causes them. Answers the ids of those that were written; call `wakeJobs` after the commit. */
export async function enqueueJobs<Payload>(
  tx: QueryExecutorProvider,
  kind: JobKind<Payload, unknown>,
  jobs: readonly NewJob<Payload>[],
): Promise<readonly string[]> {
  if (jobs.length === 0) return [];
  const { rows } = await sql<{ job_id: string }>`${insertJobs(kind, jobs)}`.execute(tx);
  return rows.map((row) => row.job_id);
}

const signals = new WeakMap<AnyDatabase, Map<string, object>>();

function signalOf(database: AnyDatabase, kind: string): object {
  const ofDatabase = signals.get(database) ?? new Map<string, object>();
  signals.set(database, ofDatabase);
  const signal = ofDatabase.get(kind) ?? {};
  ofDatabase.set(kind, signal);
  return signal;
}

/** After the commit: the workers of this process look at once. Other processes find the jobs within the kind's idle time. */
export function wakeJobs(database: AnyDatabase, { kind }: { readonly kind: string }): void {
  wake(signalOf(database, kind));
}

export function onJobs(database: AnyDatabase, { kind }: { readonly kind: string }, listener: () => void): () => void {
  return onWake(signalOf(database, kind), listener);
}
