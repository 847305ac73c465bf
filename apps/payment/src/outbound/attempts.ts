/** Attempts: leased before the provider is called, settled by the holder of the lease only. */
import type { Database } from '@tillstream/database/database';
import { gatherEach } from '@tillstream/messaging/gather';
import { alongside, type Alongside } from '@tillstream/messaging/perform';
import { schedule } from '@tillstream/messaging/timers';
import { sql, type Kysely, type QueryExecutorProvider, type RawBuilder } from 'kysely';
import { probe } from '@tillstream/telemetry/probe';
import { chargeTimer } from './payment-keeper.ts';
import type { LeasedAttempt } from '../ports.ts';
import type { PaymentRow, PaymentTables } from './tables.ts';

type Kind = 'create' | 'charge';

// Longer than the provider's deadline: nobody else calls while an answer may still come. In wall time, whatever clock the
// merchant lives by: it is about our own processes.
const leaseSeconds = 30;
// Larger batches of charges are not faster, and who waits for a page meanwhile waits for their commits.
const atOnce: Readonly<Record<Kind, number>> = { create: 10, charge: 64 };

export class Attempts {
  readonly #database: Database<PaymentTables>;
  readonly #travellers: () => readonly string[];

  readonly #ofPayment: (lane: string, paymentId: string) => Promise<readonly LeasedAttempt[]>;

  constructor(database: Database<PaymentTables>, travellers: () => readonly string[]) {
    this.#database = database;
    this.#travellers = travellers;
    this.#ofPayment = gatherEach((ids) => this.#leaseOf(ids));
  }

  /** The attempt to open one payment's page, by whoever has just made it, or if it is due and nobody else has it. */
  leaseOne(paymentId: string): Promise<readonly LeasedAttempt[]> {
    return this.#ofPayment('', paymentId);
  }

  async #leaseOf(paymentIds: readonly string[]): Promise<readonly (readonly LeasedAttempt[])[]> {
    // By the payments: without coalesce the planner would read all that is due of anybody, which mostly is next to nothing.
    const leased = await this.#lease(sql`
      select attempt_id from attempt
      where payment_id = any (${paymentIds}::uuid[]) and kind = 'create' and coalesce(due_at <= merchant_now(merchant_id), false)
        and (state = 'intended' or leased_until is null or leased_until < now())
      for update skip locked`);
    return paymentIds.map((id) => leased.filter((attempt) => attempt.payment.payment_id === id));
  }

  /** Some that are due and that nobody else has. */
  async lease(kind: Kind): Promise<readonly LeasedAttempt[]> {
    const limit = atOnce[kind];
    const taken = await this.#lease(sql`
      select attempt_id from attempt
      where kind = ${kind} and due_at <= now() and (leased_until is null or leased_until < now())
      order by due_at limit ${limit} for update skip locked`);
    const travellers = this.#travellers();
    if (travellers.length === 0) return taken;
    // Each by its own clock, which is never behind the wall's.
    const theirs = await this.#lease(sql`
      select due.attempt_id from unnest(${travellers}::uuid[]) as traveller (merchant_id) cross join lateral (
        select attempt_id from attempt
        where merchant_id = traveller.merchant_id and kind = ${kind} and due_at <= merchant_now(traveller.merchant_id)
          and (leased_until is null or leased_until < now())
        order by due_at limit ${limit} for update skip locked) as due`);
    return [...taken, ...theirs];
  }

  async #lease(which: RawBuilder<unknown>): Promise<readonly LeasedAttempt[]> {
    const { rows } = await this.#database.everyMerchantStatement('attempts of all merchants are taken up', (tx) =>
      sql<PaymentRow & { attempt_id: string; lease: bigint; tries: number; provider_token: string }>`
        with taken as (
          update attempt set leased_until = now() + make_interval(secs => ${leaseSeconds}), lease = lease + 1, tries = tries + 1, state = 'sent'
          where attempt_id in (${which})
          returning attempt_id, payment_id, lease, tries
        )
        select payment.*, taken.attempt_id, taken.lease, taken.tries, coalesce(instrument.provider_token, '') as provider_token
        from taken join payment using (payment_id) left join instrument using (instrument_id)`.execute(tx),
    );
    if (rows.length > 0) probe('job leased');
    return rows.map(({ attempt_id, lease, tries, provider_token, ...payment }) => ({
      attemptId: attempt_id,
      lease,
      tries,
      payment,
      providerToken: provider_token,
    }));
  }

  /**
   * In the transaction that records what the provider answered. A page that comes after the payment was given up is to be closed,
   * also where the attempt was taken up meanwhile and settled because there was no page yet: it is due again, at once.
   */
  settled(attempt: LeasedAttempt, state: 'open' | 'declined', at: Date): Alongside {
    return written({ attempt, state, dueAt: null, settledAt: at });
  }

  /** Not settled: the same key is tried again at that time; undefined = a person must look. */
  postponed(attempt: LeasedAttempt, dueAt: Date | undefined): Alongside {
    return written({ attempt, state: 'unknown', dueAt: dueAt ?? null, settledAt: null });
  }

  /** Charges that got no answer: the same key is tried again when a timer says so; undefined = a person must look. */
  async postponeCharges(attempts: readonly LeasedAttempt[], until: (attempt: LeasedAttempt) => Date | undefined) {
    if (attempts.length === 0) return;
    await this.#transaction(attempts, async (tx) => {
      await write(
        tx,
        attempts.map((attempt) => ({ attempt, state: 'unknown', dueAt: null, settledAt: null })),
      );
      const timers = attempts.flatMap((attempt) => {
        const { payment_id: aggregateId, merchant_id: merchantId, traceparent } = attempt.payment;
        const dueAt = until(attempt);
        const change = { type: 'set' as const, kind: chargeTimer };
        return dueAt === undefined
          ? []
          : [{ machine: 'payment', aggregateId, merchantId, traceparent, change: { ...change, dueAt } }];
      });
      await schedule(tx, timers);
    });
  }

  /** Leased but not called, because the time of the lease was up before its turn. */
  async release(attempts: readonly LeasedAttempt[]): Promise<void> {
    if (attempts.length === 0) return;
    await this.#statement(attempts, (tx) =>
      sql`
        update attempt set leased_until = null, tries = attempt.tries - 1, state = case when attempt.tries = 1 then 'intended' else 'unknown' end
        from ${keysOf(attempts)} where attempt.attempt_id = t.attempt_id and attempt.lease = t.lease`.execute(tx),
    );
  }

  /** Charges without an answer are called again, with the same key. */
  async recall(charges: readonly { merchantId: string; paymentId: string; at: Date }[]): Promise<void> {
    if (charges.length === 0) return;
    await this.#database.statement(
      charges.map(({ merchantId }) => merchantId),
      (tx) =>
        sql`
          update attempt set due_at = t.at
          from unnest(${charges.map(({ paymentId }) => paymentId)}::uuid[], ${charges.map(({ at }) => at)}::timestamptz[]) as t (payment_id, at)
          where attempt.payment_id = t.payment_id and kind = 'charge' and state = 'unknown' and settled_at is null`.execute(
          tx,
        ),
    );
  }

  #statement<R>(attempts: readonly LeasedAttempt[], run: (tx: Kysely<PaymentTables>) => Promise<R>): Promise<R> {
    return this.#database.statement(
      attempts.map((attempt) => attempt.payment.merchant_id),
      run,
    );
  }

  #transaction<R>(attempts: readonly LeasedAttempt[], run: (tx: Kysely<PaymentTables>) => Promise<R>): Promise<R> {
    return this.#database.transaction(
      attempts.map((attempt) => attempt.payment.merchant_id),
      run,
    );
  }
}

interface Outcome {
  readonly attempt: LeasedAttempt;
  readonly state: 'open' | 'declined' | 'unknown';
  readonly dueAt: Date | null;
  readonly settledAt: Date | null;
}

async function write(tx: QueryExecutorProvider, outcomes: readonly Outcome[]): Promise<void> {
  await sql`
    update attempt set leased_until = null,
      state = case when is_late then 'unknown' else t.state end,
      due_at = case when is_late then t.settled_at else t.due_at end,
      settled_at = case when is_late then null else t.settled_at end
    from unnest(
      ${outcomes.map(({ attempt }) => attempt.attemptId)}::uuid[], ${outcomes.map(({ attempt }) => attempt.lease)}::bigint[],
      ${outcomes.map(({ state }) => state)}::text[], ${outcomes.map(({ dueAt }) => dueAt)}::timestamptz[],
      ${outcomes.map(({ settledAt }) => settledAt)}::timestamptz[]
    ) as t (attempt_id, lease, state, due_at, settled_at)
    join attempt a using (attempt_id) join payment p using (payment_id)
    cross join lateral (select t.state = 'open' and p.status in ('expired', 'withdrawn') as is_late) as page
    where attempt.attempt_id = t.attempt_id and (is_late or attempt.lease = t.lease and attempt.settled_at is null)`.execute(
    tx,
  );
}

const written = alongside(write);

function keysOf(attempts: readonly LeasedAttempt[]): RawBuilder<unknown> {
  return sql`unnest(${attempts.map((attempt) => attempt.attemptId)}::uuid[], ${attempts.map((attempt) => attempt.lease)}::bigint[]) as t (attempt_id, lease)`;
}
