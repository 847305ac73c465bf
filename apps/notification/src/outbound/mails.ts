/** The rows of mails: queued once, taken under a lease, settled by who holds it. */
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Clock } from '@tillstream/messaging/clock';
import { wake } from '@tillstream/messaging/wake';
import type { PendingWork } from '@tillstream/messaging/work';
import { sql } from 'kysely';
import type { Settled } from '../domain/mail.ts';
import type { NewMail } from '../domain/new-mail.ts';
import type { MailRow, NotificationTables } from './tables.ts';

/** Since it was queued, by the merchant's clock and by the wall's. */
export type TakenMail = MailRow & { readonly age_ms: number; readonly wall_age_ms: number };

type TakenRow = Omit<TakenMail, 'age_ms'>;

export interface SettledMail {
  readonly mail: TakenMail;
  readonly settled: Settled;
}

/** What there is to count stands in each row, and one row there always is. */
interface PendingRow {
  due: number;
  stuck: number;
  due_at: Date | null;
  kind: string | null;
  about: string | null;
}

// A restart is over by then; what is away for longer is somebody's to mend, and time need not wait for it.
const awayForLong = '30 seconds';
const mostNext = 100;
// Two entries each in a timeline of 200.
const mostOfOrder = 100;

export class Mails {
  readonly #database: Database<NotificationTables>;
  readonly #clock: Clock;
  #travelled: readonly string[] | undefined;

  constructor(database: Database<NotificationTables>, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** One that is there already, for this merchant, kind and subject, stays as it is. */
  async queue(mails: readonly NewMail[]): Promise<void> {
    if (mails.length === 0) return;
    // Within a millisecond they come in any order; a batch keeps its own.
    const ids = mails.map(() => randomUUIDv7()).toSorted();
    const queuedAt = mails.map((mail) => this.#clock.now(mail.merchantId));
    await this.#database.statement(
      mails.map((mail) => mail.merchantId),
      (tx) =>
        sql`
        insert into mail (id, merchant_id, kind, about, order_id, item_id, product_id, available, low_water_mark, facts, traceparent, created_at, due_at)
        select * from unnest(
          ${ids}::uuid[], ${mails.map((mail) => mail.merchantId)}::uuid[],
          ${mails.map((mail) => mail.kind)}::text[], ${mails.map((mail) => mail.about)}::text[],
          ${mails.map((mail) => mail.orderId ?? null)}::bigint[], ${mails.map((mail) => mail.itemId ?? null)}::bigint[],
          ${mails.map((mail) => mail.productId ?? null)}::text[], ${mails.map((mail) => mail.available ?? null)}::integer[],
          ${mails.map((mail) => mail.lowWaterMark ?? null)}::integer[],
          ${mails.map((mail) => (mail.facts === undefined ? null : JSON.stringify(mail.facts)))}::jsonb[],
          ${mails.map((mail) => mail.traceparent)}::text[], ${queuedAt}::timestamptz[], ${queuedAt}::timestamptz[])
        on conflict (merchant_id, kind, about) do nothing`.execute(tx),
    );
    wake(this.#database);
  }

  /** The mails that are due, those that waited longest first. Nobody else takes them before the lease is over. */
  async take(lease: string, limit: number, leaseMs: number): Promise<readonly TakenMail[]> {
    const held = sql`status = 'sending', lease = ${lease}, leased_until = now() + ${leaseMs} * interval '1 millisecond'`;
    const isFree = sql`status in ('pending', 'sending') and (leased_until is null or leased_until <= now())`;
    const taken = sql`*, extract(epoch from now() - queued_at)::float8 * 1000 as wall_age_ms`;
    const travellers = this.#clock.travellers();
    if (this.#travelled?.every((merchantId) => travellers.includes(merchantId)) !== true) await this.#comeHome();
    this.#travelled = travellers;
    const due = await this.#database.everyMerchantStatement('the postman carries the mails of all merchants', (one) =>
      sql<TakenRow>`
        update mail set ${held} where id in (
          select id from mail where ${isFree} and due_at <= now() order by due_at, id limit ${limit} for update skip locked)
        returning ${taken}`.execute(one),
    );
    // A clock is never behind the wall, so what the statement above found of theirs is due as well.
    const theirs =
      travellers.length === 0
        ? []
        : await this.#database.statement(travellers, async (one) => {
            const { rows } = await sql<TakenRow>`
              update mail set ${held} where id in (
                select due.id from unnest(${travellers}::uuid[]) as traveller (merchant_id) cross join lateral (
                  select id from mail
                  where merchant_id = traveller.merchant_id and ${isFree} and due_at <= merchant_now(traveller.merchant_id)
                  order by due_at, id limit ${limit} for update skip locked) as due)
              returning ${taken}`.execute(one);
            return rows;
          });
    return [...due.rows, ...theirs]
      .map((row) => ({ ...row, age_ms: Math.max(row.wall_age_ms, this.#ageOf(row)) }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Less than nothing when the clock was set back to the wall's. */
  #ageOf(row: MailRow): number {
    return this.#clock.now(row.merchant_id).getTime() - row.created_at.getTime();
  }

  /** Whose clock is the wall's again does not wait for a try of years ahead. The longest pause is an hour and a quarter. */
  async #comeHome(): Promise<void> {
    await this.#database.everyMerchantStatement('mails of merchants who travelled are due again', (tx) =>
      sql`
        update mail set due_at = merchant_now(merchant_id)
        where status in ('pending', 'sending') and due_at > now() + interval '2 hours'
          and due_at > merchant_now(merchant_id) + interval '2 hours'`.execute(tx),
    );
  }

  /** For what is still being sent; what has been settled is not touched. */
  async renew(lease: string, mails: readonly TakenMail[], leaseMs: number): Promise<void> {
    await this.#database.everyMerchantStatement('the postman keeps the mails that it carries', (tx) =>
      sql`
        update mail set leased_until = now() + ${leaseMs} * interval '1 millisecond'
        where id = any(${mails.map((mail) => mail.id)}::uuid[]) and lease = ${lease}`.execute(tx),
    );
  }

  /** What another has taken over meanwhile is left to it. */
  async settle(lease: string, mails: readonly SettledMail[]): Promise<void> {
    if (mails.length === 0) return;
    const stamps = mails.map(({ mail, settled }) => {
      const now = this.#clock.now(mail.merchant_id);
      return { sentAt: settled.status === 'sent' ? now : null, dueAt: new Date(now.getTime() + settled.dueInMs) };
    });
    await this.#database.everyMerchantStatement('the postman marks the mails of all merchants', (tx) =>
      sql`
        update mail set status = done.status, attempts = done.attempts, reason = done.reason, sent_at = done.sent_at,
          due_at = done.due_at, lease = null,
          leased_until = case when done.pause_ms > 0 then now() + done.pause_ms * interval '1 millisecond' end,
          away_since = case when done.pause_ms > 0 and done.reason <> '' then coalesce(mail.away_since, now()) end
        from unnest(
          ${mails.map(({ mail }) => mail.id)}::uuid[], ${mails.map(({ settled }) => settled.status)}::text[],
          ${mails.map(({ settled }) => settled.attempts)}::integer[], ${mails.map(({ settled }) => settled.reason)}::text[],
          ${stamps.map(({ sentAt }) => sentAt)}::timestamptz[], ${stamps.map(({ dueAt }) => dueAt)}::timestamptz[],
          ${mails.map(({ settled }) => settled.pauseMs)}::float8[]
        ) as done (id, status, attempts, reason, sent_at, due_at, pause_ms)
        where mail.id = done.id and mail.lease = ${lease}`.execute(tx),
    );
  }

  /** How many wait, and for how long the oldest. */
  async figures(): Promise<{ waiting: number; oldestMs: number }> {
    const { rows } = await this.#database.everyMerchantStatement('the queue of mails is measured', (tx) =>
      sql<{ waiting: bigint; oldest_ms: number }>`
        select count(*) as waiting, coalesce(extract(epoch from now() - min(queued_at)) * 1000, 0)::float8 as oldest_ms
        from mail where status in ('pending', 'sending')`.execute(tx),
    );
    return { waiting: Number(rows[0]?.waiting ?? 0n), oldestMs: rows[0]?.oldest_ms ?? 0 };
  }

  /** What the time machine has to wait for. `now` is the merchant's. */
  async pending(merchantId: string, now: Date): Promise<PendingWork> {
    const open = sql`merchant_id = ${merchantId} and status in ('pending', 'sending')`;
    const { rows } = await this.#database.statement([merchantId], (tx) =>
      sql<PendingRow>`
        select counts.due, counts.stuck, later.* from (
          select count(*) filter (where not is_away)::int as due, count(*) filter (where is_away)::int as stuck
          from (
            select coalesce(away_since < now() - ${awayForLong}::interval, false) as is_away
            from mail where ${open} and (status = 'sending' or due_at <= ${now})) as waiting
        ) as counts left join lateral (
          select due_at, kind, about from mail where ${open} and status = 'pending' and (merchant_id, due_at) > (${merchantId}::uuid, ${now}::timestamptz)
          order by due_at limit ${mostNext}) as later on true
        order by later.due_at`.execute(tx),
    );
    const [first] = rows;
    return {
      due: first?.due ?? 0,
      stuck: first?.stuck ?? 0,
      next: rows.flatMap(({ due_at: at, kind, about }) =>
        at !== null && at.getTime() === first?.due_at?.getTime()
          ? [{ at, kind: `retry ${kind}`, objectId: about ?? '' }]
          : [],
      ),
    };
  }

  /** Oldest first, the newest hundred. */
  async ofOrder(merchantId: string, orderId: bigint): Promise<readonly MailRow[]> {
    const newest = await this.#database.statement([merchantId], (tx) =>
      tx
        .selectFrom('mail')
        .selectAll()
        .where('merchant_id', '=', merchantId)
        .where('order_id', '=', orderId)
        .orderBy('id', 'desc')
        .limit(mostOfOrder)
        .execute(),
    );
    return newest.toReversed();
  }
}
