/** What there is to send for one merchant, for the time machine (D15). */
import type { Database } from '@tillstream/database/database';
import { publicId } from '@tillstream/database/public-id';
import type { PendingWork } from '@tillstream/messaging/work';
import { sql } from 'kysely';

// Whether there is more does not matter to whoever waits for all of it; and so many retries at one moment are shown.
const [mostDue, mostNext] = [100, 100];

/**
 * Due are the heads of chains, in flight or not: what waits behind a head is not sent before it, and becomes due with its
 * success. Endpoints that are paused or disabled hold theirs for somebody, not for time: these do not count.
 */
export async function readPending(database: Database<object>, merchantId: string, now: Date): Promise<PendingWork> {
  const head = sql`
    from delivery d join endpoint e on e.id = d.endpoint_id and e.status = 'active'
    where d.merchant_id = ${merchantId}::uuid and d.status = 'waiting' and not exists (
      select from delivery f
      where f.endpoint_id = d.endpoint_id and f.order_id = d.order_id and f.status = 'waiting' and f.position < d.position)`;
  const { rows } = await database.transaction([merchantId], (tx) =>
    // Rounded up: a clock that is set to it must find it due, and clocks are set to milliseconds.
    sql<{ id: string | null; at: Date | null; due: number }>`
      with due as (select count(*)::int as n from (select 1 ${head} and d.due_at <= ${now} limit ${mostDue}) as found),
      next as (
        select d.id, date_trunc('milliseconds', d.due_at + interval '999 microseconds') as at
        ${head} and d.due_at > ${now} order by d.due_at limit ${mostNext}
      )
      select next.id, next.at, due.n as due from due left join next on true order by next.at`.execute(tx),
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
