/** What the time machine waits for: the jobs of a merchant, by the word that their kinds have in common. */
import type { Work } from '@tillstream/messaging/work';
import { sql } from 'kysely';
import type { JobDatabase } from './database.ts';
import type { AnyKind } from './kind.ts';

/** What there is to count stands in each row, and one row there always is. */
interface PendingRow {
  due: number;
  stuck: number;
  due_at: Date | null;
  kind: string | null;
  subject: string | null;
}

interface Named {
  readonly kind: string;
  readonly objectId: string;
}

// A restart of the destination is over by then. A longer outage is for a person to mend, and time need not wait for it.
const awayForLong = '30 seconds';
const maxNext = 100;

/** Of kinds with one `work` word. `name` says what a job that becomes due later is called, from its kind and subject. */
export function jobWork(
  database: JobDatabase,
  kinds: readonly AnyKind[],
  name: (job: { readonly kind: string; readonly subject: string }) => Named = ({ kind, subject }) => ({
    kind,
    objectId: subject,
  }),
): Work {
  const names = kinds.map(({ kind }) => kind);
  // Due by the wall's clock, in seconds: for a merchant's clock they are due now, never later.
  const byWall = kinds.flatMap(({ kind, isByWall }) => (isByWall === true ? [kind] : []));
  const deadStuck = kinds.flatMap(({ kind, isDeadStuck }) => (isDeadStuck === true ? [kind] : []));
  return {
    what: kinds[0]?.work ?? 'jobs',
    async pending(merchantId, now) {
      const open = sql`merchant_id = ${merchantId} and kind = any (${names}::text[]) and due_at is not null`;
      const { rows } = await database.statement([merchantId], (one) =>
        sql<PendingRow>`
          select counts.due, counts.stuck, later.* from (
            select count(*) filter (where not is_away)::int as due,
              count(*) filter (where is_away)::int + (
                select count(*)::int from job where merchant_id = ${merchantId} and kind = any (${deadStuck}::text[]) and state = 'dead') as stuck
            from (
              select exists (
                select from job_destination away
                where away.kind = job.kind and away.destination = job.destination and away.away_since < now() - ${awayForLong}::interval) as is_away
              from job where ${open} and (due_at <= ${now} or leased_until > now() or kind = any (${byWall}::text[]))) as waiting
          ) as counts left join lateral (
            select due_at, kind, subject from job
            where ${open} and (leased_until is null or leased_until <= now()) and (merchant_id, due_at) > (${merchantId}::uuid, ${now}::timestamptz)
              and not kind = any (${byWall}::text[])
            order by due_at limit ${maxNext}) as later on true
          order by later.due_at`.execute(one),
      );
      const [first] = rows;
      return {
        due: first?.due ?? 0,
        stuck: first?.stuck ?? 0,
        next: rows.flatMap(({ due_at: at, kind, subject }) =>
          at !== null && at.getTime() === first?.due_at?.getTime()
            ? [{ at, ...name({ kind: kind ?? '', subject: subject ?? '' }) }]
            : [],
        ),
      };
    },
  };
}
