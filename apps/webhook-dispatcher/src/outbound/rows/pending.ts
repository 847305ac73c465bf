/** What there is to send for one merchant, for the time machine (D15). */
import type { Database } from '@tillstream/database/database';
import { publicId } from '@tillstream/database/public-id';
import type { PendingWork } from '@tillstream/messaging/work';
import { sql, type RawBuilder } from 'kysely';

// Whether there is more does not matter to whoever waits for all of it; and so many retries at one moment are shown.
const [mostDue, mostNext] = [100, 100];
// Of what is due by its time, heads and those behind them. Behind the failing heads of a test merchant wait far fewer.
const mostLookedAt = 10_000;

interface Row {
  due: number;
  id: string | null;
  at: Date | null;
}

/**
 * Due are the heads of chains, in flight or not: what waits behind a head is not sent before it, and becomes due with its
 * success. Endpoints that are paused or disabled hold theirs for somebody, not for time: these do not count.
 */
export async function readPending(database: Database<object>, merchantId: string, now: Date): Promise<PendingWork> {
  // By due time first, and only so many: the planner, unsure of row-level security, would rather read all of them. What waits is
  // not done: in these words it has an index by merchant.
  const found = (when: RawBuilder<unknown>) => sql`
    select d.id, d.endpoint_id, d.subject_kind, d.subject_id, d.due_at from delivery d
    where d.merchant_id = ${merchantId}::uuid and d.done_at is null and ${when} order by d.due_at limit ${mostLookedAt}`;
  const isHead = sql`
    exists (select from endpoint e where e.id = d.endpoint_id and case e.status when 'active' then true else false end) and d.id = (
      select f.id from delivery f
      where f.endpoint_id = d.endpoint_id and f.subject_kind = d.subject_kind and f.subject_id = d.subject_id and f.status = 'waiting'
      order by f.position limit 1)`;
  const { rows } = await database.statement([merchantId], (tx) =>
    // Rounded up: a clock that is set to it must find it due, and clocks are set to milliseconds.
    sql<Row>`
      with past as materialized (${found(sql`d.due_at <= ${now}`)}), future as materialized (${found(sql`d.due_at > ${now}`)}),
      due as (select count(*)::int as n from (select from past d where ${isHead} limit ${mostDue}) as heads),
      next as (
        select d.id, date_trunc('milliseconds', d.due_at + interval '999 microseconds') as at
        from future d where ${isHead} order by d.due_at limit ${mostNext}
      )
      select due.n as due, next.id, next.at from due left join next on true order by next.at`.execute(tx),
  );
  const first = rows[0]?.at?.getTime();
  return {
    due: rows[0]?.due ?? 0,
    next: rows.flatMap(({ id, at }) =>
      id === null || at === null || at.getTime() !== first
        ? []
        : [{ at, kind: 'webhook_retry', objectId: publicId('whd', id) }],
    ),
  };
}
