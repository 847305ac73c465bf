/** What came of attempts: stored in batches, under the epoch in which they were sent. */
import type { Database } from '@tillstream/database/database';
import { sql, type Kysely } from 'kysely';
import { clockOf, merchantTime } from './merchant-time.ts';

export interface Result {
  readonly deliveryId: string;
  readonly merchantId: string;
  readonly shard: number;
  readonly epoch: bigint;
  readonly outcome: 'delivered' | 'waiting' | 'exhausted';
  /** The receiver said 410. */
  readonly isGone: boolean;
  readonly isAway: boolean;
  /** An extra attempt leaves the schedule as it is. */
  readonly isCounted: boolean;
  /** Of a counted one that waits again. */
  readonly retryInMs: number;
  readonly at: Date;
  readonly httpStatus: number;
  readonly error: string;
  readonly durationMs: number;
  readonly responseStart: string;
  readonly traceId: string;
}

/**
 * Answers the ids that were stored, each with whether more waits in its chain; the others belong to somebody else now. What
 * is stored for the chain later is told by whoever stores it. A crash before this commit sends them once
 * more (at least once). `recovered` are endpoints that answered after having been away: what waited only because of
 * that becomes due now.
 */
export async function storeResults(
  database: Database<object>,
  me: string,
  results: readonly Result[],
  recovered: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  if (recovered.length === 0)
    return database.everyMerchantStatement('results of all merchants are stored together', (one) =>
      writeResults(one, me, results),
    );
  return database.everyMerchant('results of all merchants are stored together', async (tx) => {
    const stored = await writeResults(tx, me, results);
    await sql`
      update delivery d set due_at = there.now
      from endpoint e ${clockOf(sql.ref('e.merchant_id'))} cross join lateral (select ${merchantTime} as now) as there
      where e.id = any (${recovered}::uuid[]) and d.endpoint_id = any (${recovered}::uuid[]) and d.endpoint_id = e.id and d.status = 'waiting' and d.was_away and d.due_at > there.now`.execute(
      tx,
    );
    return stored;
  });
}

// Five days of nothing but failures: nobody is there.
const disabledAfter = '5 days';

async function writeResults(
  tx: Kysely<object>,
  me: string,
  results: readonly Result[],
): Promise<ReadonlyMap<string, boolean>> {
  const column = <T>(read: (result: Result) => T): T[] => results.map(read);
  // The share lock on the leases makes a take-over wait for this commit, or this find itself fenced.
  const { rows } = await sql<{ id: string; has_next: boolean }>`
    with result as (
      select t.*, ${merchantTime} as there from unnest(
        ${column((each) => each.deliveryId)}::uuid[], ${column((each) => each.merchantId)}::uuid[], ${column((each) => each.shard)}::smallint[], ${column((each) => each.epoch)}::bigint[],
        ${column((each) => each.outcome)}::text[], ${column((each) => each.isGone)}::boolean[], ${column((each) => each.isAway)}::boolean[],
        ${column((each) => each.isCounted)}::boolean[], ${column((each) => each.retryInMs)}::float8[], ${column((each) => each.at)}::timestamptz[],
        ${column((each) => each.httpStatus)}::smallint[], ${column((each) => each.error)}::text[], ${column((each) => Math.round(each.durationMs))}::int[],
        ${column((each) => each.responseStart)}::text[], ${column((each) => each.traceId)}::text[]
      ) as t (id, merchant_id, shard, epoch, outcome, is_gone, is_away, is_counted, retry_in_ms, at, http_status, error, duration_ms, response_start, trace_id)
      ${clockOf(sql.ref('t.merchant_id'))}
    ), lease as (
      select shard, epoch from shard_lease where owner = ${me}::uuid and shard in (select shard from result) order by shard for share
    ), ours as (
      select result.* from result join lease using (shard, epoch)
    ), done as (
      update delivery d set
        status = case when d.status = 'waiting' then ours.outcome else d.status end,
        done_at = case when d.status = 'waiting' and ours.outcome <> 'waiting' then ours.there else d.done_at end,
        step = d.step + (ours.is_counted and ours.outcome <> 'delivered')::int,
        due_at = case when ours.is_counted and ours.outcome = 'waiting' then ours.there + ours.retry_in_ms * interval '1 millisecond' else d.due_at end,
        attempt_count = d.attempt_count + 1, tried_at = ours.at, was_away = ours.is_away
      from ours where d.id = ours.id
      returning d.id, d.merchant_id, d.endpoint_id, d.subject_kind, d.subject_id, d.attempt_count
    ), logged as (
      insert into attempt (delivery_id, number, merchant_id, endpoint_id, at, trigger, http_status, error, duration_ms, response_start, trace_id)
      select done.id, done.attempt_count, done.merchant_id, done.endpoint_id, ours.at, 'scheduled', ours.http_status, ours.error,
        ours.duration_ms, ours.response_start, ours.trace_id
      from done join ours using (id)
    ), spoken as (
      select done.endpoint_id, bool_or(ours.outcome = 'delivered') as has_answered, bool_or(ours.is_gone) as is_gone, max(ours.there) as there
      from done join ours using (id) group by done.endpoint_id
    ), judged as (
      update endpoint e set
        first_failure_at = case when has_answered then null else coalesce(e.first_failure_at, there) end,
        status = case when e.status <> 'active' then e.status
          when is_gone or (not has_answered and e.first_failure_at < there - ${disabledAfter}::interval) then 'disabled' else e.status end,
        disabled_reason = case when e.status <> 'active' then e.disabled_reason when is_gone then 'gone'
          when not has_answered and e.first_failure_at < there - ${disabledAfter}::interval then 'failing' else e.disabled_reason end
      from spoken
      where e.id = spoken.endpoint_id
        and (is_gone or has_answered <> (e.first_failure_at is null) or e.first_failure_at < there - ${disabledAfter}::interval)
    )
    select done.id, ours.outcome = 'waiting' or exists (
      select from delivery n
      where n.endpoint_id = done.endpoint_id and n.subject_kind = done.subject_kind and n.subject_id = done.subject_id and n.status = 'waiting' and n.id <> done.id) as has_next
    from done join ours using (id)`.execute(tx);
  return new Map(rows.map((row) => [row.id, row.has_next]));
}

export interface ManualAttempt {
  readonly merchantId: string;
  readonly deliveryId: string;
  readonly isDelivered: boolean;
  readonly at: Date;
  readonly httpStatus: number;
  readonly error: string;
  readonly durationMs: number;
  readonly responseStart: string;
  readonly traceId: string;
}

/** A resend: logged, and a success settles what had not been delivered. The schedule is not touched. */
export async function storeManualAttempt(database: Database<object>, attempt: ManualAttempt): Promise<void> {
  await database.statement([attempt.merchantId], (tx) =>
    sql`
      with done as (
        update delivery set attempt_count = attempt_count + 1,
          status = case when ${attempt.isDelivered}::boolean and status in ('waiting', 'exhausted') then 'delivered' else status end,
          done_at = case when ${attempt.isDelivered}::boolean and status in ('waiting', 'exhausted') then merchant_now(merchant_id) else done_at end
        where id = ${attempt.deliveryId}::uuid and merchant_id = ${attempt.merchantId}::uuid
        returning id, attempt_count, merchant_id, endpoint_id
      )
      insert into attempt (delivery_id, number, merchant_id, endpoint_id, at, trigger, http_status, error, duration_ms, response_start, trace_id)
      select id, attempt_count, merchant_id, endpoint_id, ${attempt.at}::timestamptz, 'manual', ${attempt.httpStatus}::smallint, ${attempt.error}::text,
        ${Math.round(attempt.durationMs)}::int, ${attempt.responseStart}::text, ${attempt.traceId}::text
      from done`.execute(tx),
  );
}

const retentionMs = 30 * 86_400_000;

/** The smallest UUID v7 of that moment. */
function firstIdOf(atMs: number): string {
  const hex = atMs.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/**
 * Once in a while: deliveries that waited longer than the schedule lasts are given up (30 days for an endpoint that is
 * paused or disabled), by their merchant's clock. Events past their retention go with all their deliveries and attempts, in
 * small bites, by the wall's: who has travelled a year in a minute has still to read of it. Their ids are as old as they.
 */
export async function sweepDeliveries(database: Database<object>): Promise<void> {
  await database.everyMerchant('what is too old is given up for all merchants', async (tx) => {
    await sql`
      update delivery d set status = 'exhausted', done_at = there.now
      from endpoint e ${clockOf(sql.ref('e.merchant_id'))} cross join lateral (select ${merchantTime} as now) as there
      where e.id = d.endpoint_id and d.status = 'waiting' and d.created_at < there.now - interval '4 days'
        and greatest(d.created_at, e.resumed_at) < there.now - case when e.status = 'active' then interval '4 days' else interval '30 days' end`.execute(
      tx,
    );
    await sql`
      delete from event where id in (
        select id from event v where id < ${firstIdOf(Date.now() - retentionMs)}::uuid
          and not exists (select from delivery d where d.event_id = v.id and d.status = 'waiting')
        order by id limit 1000)`.execute(tx);
  });
}
