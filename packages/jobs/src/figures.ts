/** What is measured of the jobs of a kind, asked at each export (docs/telemetry.md). */
import { gauge } from '@tillstream/telemetry/metrics';
import { sql } from 'kysely';
import type { JobDatabase } from './database.ts';

export interface JobFigures {
  readonly waiting: number;
  readonly oldestMs: number;
  readonly dead: number;
  /** Destinations whose breaker is open. */
  readonly away: number;
}

interface FiguresRow {
  waiting: number;
  oldest_ms: number;
  dead: number;
  away: number;
}

export async function readFigures(database: JobDatabase, { kind }: { readonly kind: string }): Promise<JobFigures> {
  const { rows } = await database.everyMerchantStatement('the queue of jobs is measured', (one) =>
    sql<FiguresRow>`
      select count(*)::int as waiting, coalesce(extract(epoch from now() - min(queued_at)) * 1000, 0)::float8 as oldest_ms,
        (select count(*)::int from job where kind = ${kind} and state = 'dead') as dead,
        (select count(*)::int from job_destination where kind = ${kind}) as away
      from job where kind = ${kind} and due_at is not null`.execute(one),
  );
  const [row] = rows;
  return { waiting: row?.waiting ?? 0, oldestMs: row?.oldest_ms ?? 0, dead: row?.dead ?? 0, away: row?.away ?? 0 };
}

// The gauges of one export share one question to the database.
const sharedMs = 1_000;

/** Answers what ends the measuring. */
export function observeJobs(database: JobDatabase, kind: { readonly kind: string }): () => void {
  let last: { readonly at: number; readonly figures: Promise<JobFigures> } | undefined;
  const figures = () => {
    if (last === undefined || performance.now() - last.at > sharedMs)
      last = { at: performance.now(), figures: readFigures(database, kind) };
    return last.figures;
  };
  const attributes = { kind: kind.kind, 'tillstream.service': database.schema };
  const ends = [
    gauge('tillstream.jobs.waiting', 'Jobs that are not settled', async () => (await figures()).waiting, attributes),
    gauge(
      'tillstream.jobs.oldest',
      'Seconds that the oldest has waited',
      async () => (await figures()).oldestMs / 1_000,
      attributes,
    ),
    gauge('tillstream.jobs.dead', 'Jobs that wait for a person', async () => (await figures()).dead, attributes),
    gauge(
      'tillstream.jobs.away',
      'Destinations whose circuit breaker is open',
      async () => (await figures()).away,
      attributes,
    ),
  ];
  return () => ends.forEach((end) => end());
}
