/**
 * Circuit breakers, one per kind and destination. Failures in a row are counted in this process; an open breaker is a row,
 * so that every process and the doctor see it. While it is open, one job at a time probes whether the destination answers.
 */
import type { AnyDatabase } from '@tillstream/database/database';
import type { Log } from '@tillstream/messaging/log';
import { sql } from 'kysely';
import type { AnyKind } from './kind.ts';
import { openForMs } from './settlement.ts';

// A breaker that another process opened is probed by this one at the latest after so long.
const lookAgainMs = 5_000;

/** How often it opened in a row, and what was said last. */
interface Open {
  readonly opened: number;
  readonly reason: string;
}

interface OpenRow extends Open {
  readonly destination: string;
}

export class Destinations {
  readonly #database: AnyDatabase;
  readonly #kind: AnyKind;
  readonly #log: Log;
  readonly #failures = new Map<string, number>();
  #open = new Map<string, Open>();
  #lookAt = -Infinity;

  constructor(database: AnyDatabase, kind: AnyKind, log: Log) {
    this.#database = database;
    this.#kind = kind;
    this.#log = log;
  }

  /** Undefined = its breaker is closed, as far as this process knows. */
  whyOpen(destination: string): string | undefined {
    return this.#open.get(destination)?.reason;
  }

  /** The destinations that this process may probe now; no other process does for the time of a lease. */
  async toProbe(): Promise<readonly string[]> {
    if (performance.now() >= this.#lookAt) await this.#look();
    if (this.#open.size === 0) return [];
    const { kind, leaseMs } = this.#kind;
    const { rows } = await sql<OpenRow>`
        update job_destination set open_until = now() + ${leaseMs} * interval '1 millisecond'
        where kind = ${kind} and open_until <= now()
        returning destination, opened, reason`.execute(this.#database.unscoped);
    for (const row of rows) this.#open.set(row.destination, row);
    return rows.map((row) => row.destination);
  }

  async #look(): Promise<void> {
    const { rows } = await sql<OpenRow>`
        select destination, opened, reason from job_destination where kind = ${this.#kind.kind} order by destination limit 1000`.execute(
      this.#database.unscoped,
    );
    this.#open = new Map(rows.map((row) => [row.destination, row]));
    this.#lookAt = performance.now() + lookAgainMs;
  }

  /** Nothing of it was due: it is probed again when something is. */
  async leave(destination: string): Promise<void> {
    await sql`
        update job_destination set open_until = now() where kind = ${this.#kind.kind} and destination = ${destination}`.execute(
      this.#database.unscoped,
    );
  }

  /** The destination answered. Answers whether its breaker closed by that: what waited for it is due. */
  async answered(destination: string): Promise<boolean> {
    this.#failures.delete(destination);
    if (!this.#open.has(destination)) return false;
    await sql`delete from job_destination where kind = ${this.#kind.kind} and destination = ${destination}`.execute(
      this.#database.unscoped,
    );
    this.#open.delete(destination);
    this.#log.info({ kind: this.#kind.kind, destination }, 'a destination answers again');
    return true;
  }

  /** So many runs in a row had no answer. */
  async failed(destination: string, runs: number, because: string): Promise<void> {
    const failures = (this.#failures.get(destination) ?? 0) + runs;
    this.#failures.set(destination, failures);
    // One failed probe is enough to keep it open.
    if (failures < this.#kind.breaker.failures && !this.#open.has(destination)) return;
    await this.#reopen(destination, because);
  }

  async #reopen(destination: string, because: string): Promise<void> {
    const { kind, breaker } = this.#kind;
    const opened = (this.#open.get(destination)?.opened ?? 0) + 1;
    if (opened === 1) this.#log.warn({ kind, destination, because }, 'a destination does not answer: its jobs wait');
    await sql`
        insert into job_destination (kind, destination, open_until, reason)
        values (${kind}, ${destination}, now() + ${openForMs(opened, breaker, Math.random())} * interval '1 millisecond', ${because})
        on conflict (kind, destination) do update
        set open_until = excluded.open_until, opened = job_destination.opened + 1, reason = excluded.reason`.execute(
      this.#database.unscoped,
    );
    this.#open.set(destination, { opened, reason: because });
  }
}
