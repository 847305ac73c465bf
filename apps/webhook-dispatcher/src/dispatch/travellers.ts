/** Whose clock stands, and whose was set since the last look (D15). Rows tell; this is what was last seen of them. */
import type { Database } from '@tillstream/database/database';
import type { Clock } from '@tillstream/messaging/clock';
import { catchUpWith } from '@tillstream/messaging/merchant-clocks';
import { readClocks, recallRetries, type ClockRow } from '../outbound/rows/merchant-time.ts';

export class Travellers {
  readonly #database: Database<object>;
  readonly #clock: Clock;
  readonly #furthestRetryMs: number;
  #seen = new Map<string, ClockRow>();

  constructor(parts: { database: Database<object>; clock: Clock; furthestRetryMs: number }) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#furthestRetryMs = parts.furthestRetryMs;
  }

  /** Its time goes from step to step: nothing of it becomes due by waiting. */
  isStanding(merchantId: string): boolean {
    return this.#seen.get(merchantId)?.is_standing === true;
  }

  /** Answers those whose clock was set since the last look. */
  async look(): Promise<readonly string[]> {
    const rows = await readClocks(this.#database);
    const moved = rows.filter((row) => this.#seen.get(row.merchant_id)?.sequence !== row.sequence);
    this.#seen = new Map(rows.map((row) => [row.merchant_id, row]));
    // Another process may have heard of it: what is sent next is stamped by the new time here too.
    await catchUpWith(
      this.#clock,
      moved.map((row) => ({ merchantId: row.merchant_id, at: row.at })),
    );
    const set = moved.map((row) => row.merchant_id);
    const running = moved.filter((row) => !row.is_standing).map((row) => row.merchant_id);
    if (running.length > 0) await recallRetries(this.#database, running, this.#furthestRetryMs);
    return set;
  }
}
