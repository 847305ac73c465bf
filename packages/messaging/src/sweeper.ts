/** Removes what nobody asks for any more, in small batches: sent outbox rows, inbox rows, leases of timers that are gone. */
import type { AnyDatabase } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { Log } from './log.ts';
import { startLoop, type Loop } from './loop.ts';

// "Was it said?" is asked for a week. The inbox must outlive the carriers' retention (7 days) by as much again: a topic
// that is replayed from its beginning is still recognised.
const outboxAge = '7 days';
const inboxAge = '14 days';
const everyMs = 600_000;
const batch = 5_000;

export function startSweeper(database: AnyDatabase, log: Log): Loop {
  const turn = async (): Promise<boolean> => {
    const { unscoped } = database;
    const outbox = await sql`delete from outbox where id = any (array(
        select id from (select id, sent_at from outbox order by id limit ${batch}) as oldest where sent_at < now() - ${outboxAge}::interval))`.execute(
      unscoped,
    );
    const inbox = await sql`
      delete from inbox using (select consumer, message_id from inbox where seen_at < now() - ${inboxAge}::interval limit ${batch}) as old
      where inbox.consumer = old.consumer and inbox.message_id = old.message_id`.execute(unscoped);
    // Of timers that were set anew while they fired, or whose process died between firing and removing.
    await sql`delete from timer_lease where leased_until < now() - interval '1 hour'`.execute(unscoped);
    return Math.max(Number(outbox.numAffectedRows ?? 0n), Number(inbox.numAffectedRows ?? 0n)) >= batch;
  };
  return startLoop({ name: 'sweeper', turn, idleMs: everyMs, log });
}
