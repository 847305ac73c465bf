/** What a service still has to do for one merchant: asked by the time machine before it goes on (D15). */
import type { AnyDatabase } from '@tillstream/database/database';
import { sql } from 'kysely';
import { hurry } from './wake.ts';

export interface Progress {
  readonly outbox: number;
  readonly timersDue: number;
  readonly parked: number;
  readonly nextTimerAt: Date | undefined;
  /** Grows with everything that was said of the merchant. */
  readonly said: bigint;
}

export interface FiredTimer {
  readonly dueAt: Date;
  readonly machine: string;
  readonly kind: string;
  readonly aggregateId: string;
}

interface Row {
  outbox: number;
  timers_due: number;
  parked: number;
  next_timer_at: Date | null;
  said: bigint;
}

// One statement, so that it is one moment; without a transaction around it, for it is asked again and again. None of these
// tables is under row-level security. Timers are named by merchant and time together: by time alone it would go through those of
// everybody, and a test clock may be years ahead.
const readAll = `
  select
    (select count(*)::int from outbox where sent_at is null and headers ->> 'merchant_id' = $1::text) as outbox,
    (select count(*)::int from timer where merchant_id = $1::uuid and (merchant_id, due_at) <= ($1::uuid, $2::timestamptz)) as timers_due,
    (select count(*)::int from parked_message where headers ->> 'merchant_id' = $1::text) as parked,
    (select min(due_at) from timer where merchant_id = $1::uuid and (merchant_id, due_at) > ($1::uuid, $2::timestamptz)) as next_timer_at,
    coalesce((select said from merchant_clock where merchant_id = $1::uuid), 0) as said`;

/** `now` is the merchant's. */
export async function readProgress(database: AnyDatabase, merchantId: string, now: Date): Promise<Progress> {
  const { rows } = await database.pool.query<Row>({ name: 'read-progress', text: readAll, values: [merchantId, now] });
  const [row] = rows;
  // What was sent may not be marked yet, or be gathered: the relay looks at once, and gathers nothing as long as somebody asks.
  hurry(database, (row?.outbox ?? 0) > 0);
  return {
    outbox: row?.outbox ?? 0,
    timersDue: row?.timers_due ?? 0,
    parked: row?.parked ?? 0,
    nextTimerAt: row?.next_timer_at ?? undefined,
    said: row?.said ?? 0n,
  };
}

const mostFired = 1_000;

/** Oldest first, from this setting of the clock on; what is older is forgotten. */
export async function readFired(
  database: AnyDatabase,
  merchantId: string,
  sinceSequence: bigint,
): Promise<readonly FiredTimer[]> {
  const { unscoped } = database;
  await sql`delete from fired_timer where merchant_id = ${merchantId}::uuid and sequence < ${sinceSequence}`.execute(
    unscoped,
  );
  const { rows } = await sql<{ due_at: Date; machine: string; kind: string; aggregate_id: string }>`
    select due_at, machine, kind, aggregate_id from fired_timer
    where merchant_id = ${merchantId}::uuid order by due_at, id limit ${mostFired}`.execute(unscoped);
  return rows.map((row) => ({
    dueAt: row.due_at,
    machine: row.machine,
    kind: row.kind,
    aggregateId: row.aggregate_id,
  }));
}
