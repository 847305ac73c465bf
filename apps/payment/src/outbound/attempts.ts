/** Attempts: leased before the provider is called, settled by the holder of the lease only. */
import type { Database } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { PaymentRow, PaymentTables } from './tables.ts';

export interface LeasedAttempt {
  readonly attemptId: string;
  readonly lease: bigint;
  readonly tries: number;
  readonly payment: PaymentRow;
}

// Longer than the provider's deadline: nobody else calls while an answer may still come.
const leaseSeconds = 30;

export class Attempts {
  readonly #database: Database<PaymentTables>;

  constructor(database: Database<PaymentTables>) {
    this.#database = database;
  }

  /** The attempt of one payment, if it is due and nobody else has it; without an id, up to ten that are due. */
  async lease(paymentId?: string): Promise<readonly LeasedAttempt[]> {
    const which = paymentId === undefined ? sql`true` : sql`payment_id = ${paymentId}::uuid`;
    const { rows } = await this.#database.everyMerchant('attempts of all merchants are taken up', (tx) =>
      sql<PaymentRow & { attempt_id: string; lease: bigint; tries: number }>`
        with taken as (
          update attempt set leased_until = now() + make_interval(secs => ${leaseSeconds}), lease = lease + 1, tries = tries + 1, state = 'sent'
          where attempt_id in (
            select attempt_id from attempt where ${which} and due_at <= now() and (leased_until is null or leased_until < now())
            order by due_at limit 10 for update skip locked)
          returning attempt_id, payment_id, lease, tries
        )
        select payment.*, taken.attempt_id, taken.lease, taken.tries from taken join payment using (payment_id)`.execute(
        tx,
      ),
    );
    return rows.map((row) => ({ attemptId: row.attempt_id, lease: row.lease, tries: row.tries, payment: row }));
  }

  async settle(attempt: LeasedAttempt, state: 'open' | 'declined'): Promise<void> {
    await this.#write(attempt, state, null);
  }

  /** Not settled: the same key is tried again at that time; null = a person must look. */
  async postpone(attempt: LeasedAttempt, dueAt: Date | null): Promise<void> {
    await this.#write(attempt, 'unknown', dueAt);
  }

  async #write(attempt: LeasedAttempt, state: string, dueAt: Date | null): Promise<void> {
    await this.#database.transaction([attempt.payment.merchant_id], (tx) =>
      sql`
        update attempt set state = ${state}, due_at = ${dueAt}, leased_until = null, settled_at = case when ${state} = 'unknown' then null else now() end
        where attempt_id = ${attempt.attemptId} and lease = ${attempt.lease}`.execute(tx),
    );
  }
}
