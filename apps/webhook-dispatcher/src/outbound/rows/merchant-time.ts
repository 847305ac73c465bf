/**
 * The merchants' time in SQL (D15). The rows of `merchant_clock` are asked, not this process's copy of them, so that all
 * processes schedule by one clock. Who has no row there lives by the database's: the join finds nothing, and that is all
 * it costs.
 */
import type { Database } from '@tillstream/database/database';
import { sql, type RawBuilder } from 'kysely';

/** Goes with the two below. */
export function clockOf(merchant: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`left join merchant_clock clock on clock.merchant_id = ${merchant}`;
}

export const merchantTime = sql`case when clock.merchant_id is null then now() else merchant_now(clock.merchant_id) end`;

/** While it stands nothing becomes due by waiting. */
export const isStanding = sql`(clock.is_standing is true)`;

export interface ClockRow {
  readonly merchant_id: string;
  /** Grows with each setting. */
  readonly sequence: bigint;
  readonly at: Date;
  readonly is_standing: boolean;
}

/**
 * A clock that was set back leaves retries behind that its future had planned. What is further ahead than any retry is
 * planned becomes due now.
 */
export async function recallRetries(
  database: Database<object>,
  merchants: readonly string[],
  furthestMs: number,
): Promise<void> {
  await database.statement(merchants, (tx) =>
    sql`
      update delivery d set due_at = merchant_now(d.merchant_id)
      where d.merchant_id = any (${merchants}::uuid[]) and d.done_at is null
        and d.due_at > merchant_now(d.merchant_id) + ${furthestMs} * interval '1 millisecond'`.execute(tx),
  );
}

/** All clocks that were ever set here. */
export async function readClocks(database: Database<object>): Promise<readonly ClockRow[]> {
  const { rows } = await database.everyMerchantStatement('the clocks of all merchants are looked at', (tx) =>
    sql<ClockRow>`select merchant_id, sequence, at, is_standing from merchant_clock`.execute(tx),
  );
  return rows;
}
