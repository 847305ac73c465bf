/**
 * Timers are rows. One that is due is fired through the same perform as everything else, with its own id as the message
 * id, so that a crash between perform and delete fires it again and the inbox ignores it.
 */
import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { AnyDatabase } from '@tillstream/database/database';
import { probe } from '@tillstream/telemetry/probe';
import type { Clock } from './clock.ts';
import type { TimerChange } from './keeper.ts';
import type { Log } from './log.ts';
import { startLoop, type Loop } from './loop.ts';
import { catchUpWith } from './merchant-clocks.ts';
import { isOutage } from './outage.ts';
import { onWake } from './wake.ts';

export interface DueTimer {
  /** UUID: the message id. */
  readonly timerId: string;
  readonly machine: string;
  readonly aggregateId: string;
  readonly merchantId: string;
  readonly kind: string;
  readonly dueAt: Date;
  readonly traceparent: string;
}

export interface TimerHandler {
  readonly machine: string;
  /** Resolves when all are performed. Throws = they are fired again after the lease. */
  fire(due: readonly DueTimer[]): Promise<void>;
}

export interface ScheduledChange {
  readonly machine: string;
  readonly aggregateId: string;
  readonly merchantId: string;
  readonly traceparent?: string;
  readonly change: TimerChange;
}

/** Whether one of them is due before it would be found by looking once in a while. */
export function isDueSoon(changes: readonly { readonly change: TimerChange; readonly now: Date }[]): boolean {
  return changes.some(({ change, now }) => change.type === 'set' && change.dueAt.getTime() <= now.getTime() + idleMs);
}

/** Sets and clears timers, in order; the last change of one timer wins. */
export async function schedule<S>(tx: Kysely<S>, changes: readonly ScheduledChange[]): Promise<void> {
  const last = new Map(changes.map((each) => [`${each.machine} ${each.aggregateId} ${each.change.kind}`, each]));
  const set = [...last.values()].flatMap((each) =>
    each.change.type === 'set' ? [{ ...each, dueAt: each.change.dueAt }] : [],
  );
  const cleared = [...last.values()].filter((each) => each.change.type === 'clear');
  if (set.length > 0) {
    await sql`
      insert into timer (machine, aggregate_id, kind, timer_id, merchant_id, due_at, traceparent)
      select * from unnest(
        ${set.map((each) => each.machine)}::text[], ${set.map((each) => each.aggregateId)}::text[], ${set.map((each) => each.change.kind)}::text[],
        ${set.map(() => randomUUIDv7())}::uuid[], ${set.map((each) => each.merchantId)}::uuid[],
        ${set.map((each) => each.dueAt)}::timestamptz[], ${set.map((each) => each.traceparent ?? '')}::text[])
      on conflict (machine, aggregate_id, kind) do update
      set timer_id = excluded.timer_id, due_at = excluded.due_at, traceparent = excluded.traceparent`.execute(tx);
  }
  if (cleared.length > 0) {
    const machines = cleared.map((each) => each.machine);
    const ids = cleared.map((each) => each.aggregateId);
    // Said twice: by the first two it reads these aggregates' timers, and not all there are, however few it believes them to be.
    await sql`
      delete from timer using unnest(${machines}::text[], ${ids}::text[], ${cleared.map((each) => each.change.kind)}::text[]) as gone (machine, aggregate_id, kind)
      where timer.machine = any (${machines}::text[]) and timer.aggregate_id = any (${ids}::text[])
        and timer.machine = gone.machine and timer.aggregate_id = gone.aggregate_id and timer.kind = gone.kind`.execute(
      tx,
    );
  }
}

// Who waits beside a crowd of them waits for one batch; renewals were no faster with larger ones (bench/README.md).
const batch = 50;
// Longer than any batch takes; a crashed process's timers are taken over after it.
const leaseFor = '30 seconds';
// A due timer of another process's commit waits at most this long, and one that is due later is found on time.
const idleMs = 1_000;

/**
 * Answers the ids of those that have fired. When the batch throws they are fired one by one, so that a bad one stops only
 * itself; it is fired again when its lease is over.
 */
async function fireAll(handler: TimerHandler, due: readonly DueTimer[], log: Log): Promise<readonly string[]> {
  try {
    await handler.fire(due);
    return due.map((timer) => timer.timerId);
  } catch (error) {
    if (isOutage(error)) throw error;
    log.warn({ err: error, machine: handler.machine, timers: due.length }, 'timers failed and are fired one by one');
  }
  const fired: string[] = [];
  for (const timer of due) {
    try {
      await handler.fire([timer]);
      fired.push(timer.timerId);
    } catch (error) {
      if (isOutage(error)) return fired;
      log.error(
        { err: error, machine: handler.machine, id: timer.aggregateId, kind: timer.kind },
        'a timer failed and is fired again later',
      );
    }
  }
  return fired;
}

interface Row {
  timer_id: string;
  machine: string;
  aggregate_id: string;
  merchant_id: string;
  kind: string;
  due_at: Date;
  traceparent: string;
}

// Leased, not locked: performing may set the same timer again. Statements without a transaction around them: an idle
// service asks each second.
const columns = 'timer_id, machine, aggregate_id, merchant_id, kind, due_at, traceparent';
const isFree =
  'not exists (select from timer_lease taken where taken.timer_id = timer.timer_id and taken.leased_until > now())';

// A clock that stands while it is led on may fall behind the wall when that takes long: what is due by the wall is not yet
// due by it.
const runs =
  'not exists (select from merchant_clock standing where standing.merchant_id = timer.merchant_id and standing.is_standing)';

export const findDue = `
  select ${columns} from timer where due_at <= now() and machine = any ($1) and ${isFree} and ${runs} order by due_at limit ${batch}`;

// The same for those whose clock is not the wall's (D15), each by its own. One that runs is never behind the wall, so what
// the statement above finds of theirs is due as well.
export const findTravellers = `
  select mine.* from unnest($2::uuid[]) as traveller (merchant_id) cross join lateral (
    select ${columns} from timer
    where merchant_id = traveller.merchant_id
      and (merchant_id, due_at) <= (traveller.merchant_id, merchant_now(traveller.merchant_id)) and machine = any ($1) and ${isFree}
    order by due_at limit ${batch}) as mine`;

// Of two that find the same timer one inserts its lease, and the other gets nothing.
export const takeLeases = `
  insert into timer_lease (timer_id, leased_until)
  select timer_id, now() + interval '${leaseFor}' from unnest($1::uuid[]) as t (timer_id) order by timer_id
  on conflict (timer_id) do update set leased_until = excluded.leased_until where timer_lease.leased_until <= now()
  returning timer_id`;

/** Those that are due and now ours. */
async function lease(
  database: AnyDatabase,
  machines: readonly string[],
  travellers: readonly string[],
): Promise<readonly Row[]> {
  const found = await database.pool.query<Row>({ name: 'find-due', text: findDue, values: [machines] });
  const theirs =
    travellers.length === 0
      ? []
      : (
          await database.pool.query<Row>({
            name: 'find-due-of-travellers',
            text: findTravellers,
            values: [machines, travellers],
          })
        ).rows;
  const due = new Map([...found.rows, ...theirs].map((row) => [row.timer_id, row]));
  if (due.size === 0) return [];
  const { rows: taken } = await database.pool.query<{ timer_id: string }>({
    name: 'take-leases',
    text: takeLeases,
    values: [[...due.keys()]],
  });
  const ours = new Set(taken.map((row) => row.timer_id));
  return [...due.values()].filter((row) => ours.has(row.timer_id));
}

async function forget(database: AnyDatabase, fired: readonly DueTimer[], travellers: readonly string[]): Promise<void> {
  const noted = fired.filter((timer) => travellers.includes(timer.merchantId));
  if (noted.length > 0) {
    await sql`
      insert into fired_timer (timer_id, merchant_id, sequence, machine, kind, aggregate_id, due_at)
      select t.timer_id, t.merchant_id, clock.sequence, t.machine, t.kind, t.aggregate_id, t.due_at
      from unnest(
        ${noted.map((timer) => timer.timerId)}::uuid[], ${noted.map((timer) => timer.merchantId)}::uuid[], ${noted.map((timer) => timer.machine)}::text[],
        ${noted.map((timer) => timer.kind)}::text[], ${noted.map((timer) => timer.aggregateId)}::text[], ${noted.map((timer) => timer.dueAt)}::timestamptz[]
      ) as t (timer_id, merchant_id, machine, kind, aggregate_id, due_at)
      join merchant_clock clock on clock.merchant_id = t.merchant_id and clock.is_standing
      order by t.due_at on conflict do nothing`.execute(database.unscoped);
  }
  const ids = fired.map((timer) => timer.timerId);
  await sql`
    with done as (delete from timer where timer_id = any (${ids}::uuid[]))
    delete from timer_lease where timer_id = any (${ids}::uuid[])`.execute(database.unscoped);
}

export function startTimers(parts: {
  database: AnyDatabase;
  handlers: readonly TimerHandler[];
  clock: Clock;
  log: Log;
}): Loop {
  const { database, handlers, clock, log } = parts;
  const machines = handlers.map((handler) => handler.machine);
  if (machines.length === 0) return { stop: async () => undefined };
  const turn = async (): Promise<boolean> => {
    const travellers = clock.travellers();
    const rows = await lease(database, machines, travellers);
    if (rows.length > 0) probe('job leased');
    const due = rows
      .map((row) => ({
        timerId: row.timer_id,
        machine: row.machine,
        aggregateId: row.aggregate_id,
        merchantId: row.merchant_id,
        kind: row.kind,
        dueAt: row.due_at,
        traceparent: row.traceparent,
      }))
      .toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
    await catchUpWith(
      clock,
      due.map((timer) => ({ merchantId: timer.merchantId, at: timer.dueAt })),
    );
    for (const handler of handlers) {
      const mine = due.filter((timer) => timer.machine === handler.machine);
      if (mine.length === 0) continue;
      const fired = await fireAll(handler, mine, log);
      if (fired.length === 0) continue;
      // A crash here fires them again; the inbox knows their ids. One that was set anew has another id and stays.
      await forget(
        database,
        mine.filter((timer) => fired.includes(timer.timerId)),
        travellers,
      );
    }
    return rows.length >= batch;
  };
  return startLoop({
    name: 'timers',
    turn,
    idleMs,
    log,
    onWake: (listener) => onWake(database, (hasDue) => hasDue && listener()),
  });
}
