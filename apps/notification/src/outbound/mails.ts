/** The rows of mails: queued once, taken under a lease, settled by who holds it. */
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Clock } from '@tillstream/messaging/clock';
import { wake } from '@tillstream/messaging/wake';
import { sql } from 'kysely';
import type { Settled } from '../domain/mail.ts';
import type { NewMail } from '../domain/new-mail.ts';
import type { MailRow, NotificationTables } from './tables.ts';

export type TakenMail = MailRow & { readonly age_ms: number };

export interface SettledMail {
  readonly mail: TakenMail;
  readonly settled: Settled;
}

export class Mails {
  readonly #database: Database<NotificationTables>;
  readonly #clock: Clock;

  constructor(database: Database<NotificationTables>, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** One that is there already, for this merchant, kind and subject, stays as it is. */
  async queue(mails: readonly NewMail[]): Promise<void> {
    if (mails.length === 0) return;
    await this.#database.transaction(
      mails.map((mail) => mail.merchantId),
      (tx) =>
        sql`
        insert into mail (id, merchant_id, kind, about, order_id, item_id, product_id, available, low_water_mark, traceparent, created_at)
        select * from unnest(
          ${mails.map(() => randomUUIDv7())}::uuid[], ${mails.map((mail) => mail.merchantId)}::uuid[],
          ${mails.map((mail) => mail.kind)}::text[], ${mails.map((mail) => mail.about)}::text[],
          ${mails.map((mail) => mail.orderId ?? null)}::bigint[], ${mails.map((mail) => mail.itemId ?? null)}::bigint[],
          ${mails.map((mail) => mail.productId ?? null)}::text[], ${mails.map((mail) => mail.available ?? null)}::integer[],
          ${mails.map((mail) => mail.lowWaterMark ?? null)}::integer[], ${mails.map((mail) => mail.traceparent)}::text[],
          ${mails.map((mail) => this.#clock.now(mail.merchantId))}::timestamptz[])
        on conflict (merchant_id, kind, about) do nothing`.execute(tx),
    );
    wake(this.#database);
  }

  /** The mails that are due, those that waited longest first. Nobody else takes them before the lease is over. */
  async take(lease: string, limit: number, leaseMs: number): Promise<readonly TakenMail[]> {
    const { rows } = await this.#database.everyMerchant('the postman carries the mails of all merchants', (tx) =>
      sql<TakenMail>`
        update mail set status = 'sending', lease = ${lease}, due_at = now() + ${leaseMs} * interval '1 millisecond'
        where id in (
          select id from mail where status in ('pending', 'sending') and due_at <= now()
          order by due_at, id limit ${limit} for update skip locked)
        returning *, extract(epoch from now() - queued_at)::float8 * 1000 as age_ms`.execute(tx),
    );
    return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** For what is still being sent; what has been settled is not touched. */
  async renew(lease: string, mails: readonly TakenMail[], leaseMs: number): Promise<void> {
    await this.#database.everyMerchant('the postman keeps the mails that it carries', (tx) =>
      sql`
        update mail set due_at = now() + ${leaseMs} * interval '1 millisecond'
        where id = any(${mails.map((mail) => mail.id)}::uuid[]) and lease = ${lease}`.execute(tx),
    );
  }

  /** What another has taken over meanwhile is left to it. */
  async settle(lease: string, mails: readonly SettledMail[]): Promise<void> {
    if (mails.length === 0) return;
    await this.#database.everyMerchant('the postman marks the mails of all merchants', (tx) =>
      sql`
        update mail set status = done.status, attempts = done.attempts, reason = done.reason, sent_at = done.sent_at, lease = null,
          due_at = now() + done.due_in_ms * interval '1 millisecond'
        from unnest(
          ${mails.map(({ mail }) => mail.id)}::uuid[], ${mails.map(({ settled }) => settled.status)}::text[],
          ${mails.map(({ settled }) => settled.attempts)}::integer[], ${mails.map(({ settled }) => settled.reason)}::text[],
          ${mails.map(({ mail, settled }) => (settled.status === 'sent' ? this.#clock.now(mail.merchant_id) : null))}::timestamptz[],
          ${mails.map(({ settled }) => settled.dueInMs)}::float8[]
        ) as done (id, status, attempts, reason, sent_at, due_in_ms)
        where mail.id = done.id and mail.lease = ${lease}`.execute(tx),
    );
  }

  /** How many wait, and for how long the oldest. */
  async figures(): Promise<{ waiting: number; oldestMs: number }> {
    const { rows } = await this.#database.everyMerchant('the queue of mails is measured', (tx) =>
      sql<{ waiting: bigint; oldest_ms: number }>`
        select count(*) as waiting, coalesce(extract(epoch from now() - min(queued_at)) * 1000, 0)::float8 as oldest_ms
        from mail where status in ('pending', 'sending')`.execute(tx),
    );
    return { waiting: Number(rows[0]?.waiting ?? 0n), oldestMs: rows[0]?.oldest_ms ?? 0 };
  }

  /** Oldest first, at most a hundred. */
  async ofOrder(merchantId: string, orderId: bigint): Promise<readonly MailRow[]> {
    return this.#database.transaction([merchantId], (tx) =>
      tx
        .selectFrom('mail')
        .selectAll()
        .where('merchant_id', '=', merchantId)
        .where('order_id', '=', orderId)
        .orderBy('id')
        .limit(100)
        .execute(),
    );
  }
}
