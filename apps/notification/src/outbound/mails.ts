/** The rows of mails: what each mail is. Sending it is a job of the same id, written by the same statement. */
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { insertJobs, wakeJobs } from '@tillstream/jobs/enqueue';
import { jobKind, type JobKind } from '@tillstream/jobs/kind';
import { readJobs } from '@tillstream/jobs/read';
import type { Clock } from '@tillstream/messaging/clock';
import { sql } from 'kysely';
import { longestWaitMs, waitAfter } from '../domain/mail.ts';
import type { NewMail } from '../domain/new-mail.ts';
import type { MailOfOrder, MailRow } from '../ports.ts';
import { connections } from './smtp.ts';
import type { NotificationTables } from './tables.ts';

// One installation has one mail server; its address may change while mails wait.
const destination = 'mail_server';
// Two entries each in a timeline of 200.
const maxOfOrder = 100;
const statuses = { pending: 'pending', done: 'sent', not_wanted: 'not_wanted', dead: 'failed_permanently' } as const;

export type MailJobs = JobKind<object, MailRow>;

export function mailJobs(policy: { readonly firstMs: number; readonly giveUpMs: number }): MailJobs {
  return jobKind<object, MailRow>({
    kind: 'send_mail',
    work: 'mails',
    batch: 40,
    // A crash sends once more what the server has taken and the database does not know of: so many at most.
    perDestination: connections,
    // A crash delays what was being sent by this much.
    leaseMs: 15_000,
    schedule: (tries, random) => waitAfter(tries, policy.firstMs, random),
    longestWaitMs,
    giveUpMs: policy.giveUpMs,
    breaker: { failures: 3, firstMs: 1_000, longestMs: 10_000 },
    details: { columns: sql`mail.*`, join: sql`join mail on mail.id = taken.job_id` },
  });
}

/** How the time machine names the next try of a mail. */
export function nameOfTry({ subject }: { readonly subject: string }): {
  readonly kind: string;
  readonly objectId: string;
} {
  const [kind = '', about = ''] = subject.split(' ');
  return { kind: `retry ${kind}`, objectId: about };
}

export class Mails {
  readonly #database: Database<NotificationTables>;
  readonly #clock: Clock;
  readonly #kind: MailJobs;

  constructor(database: Database<NotificationTables>, clock: Clock, kind: MailJobs) {
    this.#database = database;
    this.#clock = clock;
    this.#kind = kind;
  }

  /** One that is there already, for this merchant, kind and subject, stays as it is. */
  async queue(mails: readonly NewMail[]): Promise<void> {
    if (mails.length === 0) return;
    // Within a millisecond they come in any order; a batch keeps its own.
    const ids = mails.map(() => randomUUIDv7()).toSorted();
    const jobs = insertJobs(
      this.#kind,
      mails.map((mail, index) => ({
        jobId: ids[index] ?? '',
        merchantId: mail.merchantId,
        subject: `${mail.kind} ${mail.about}`,
        isOnce: true,
        destination,
        now: this.#clock.now(mail.merchantId),
        traceparent: mail.traceparent,
      })),
    );
    await this.#database.statement(
      mails.map((mail) => mail.merchantId),
      (tx) =>
        sql`
        with queued as (${jobs})
        insert into mail (id, merchant_id, kind, about, order_id, item_id, product_id, available, low_water_mark, facts)
        select t.id, t.merchant_id, t.kind, t.about, t.order_id, t.item_id, t.product_id, t.available, t.low_water_mark, t.facts
        from unnest(
          ${ids}::uuid[], ${mails.map((mail) => mail.merchantId)}::uuid[],
          ${mails.map((mail) => mail.kind)}::text[], ${mails.map((mail) => mail.about)}::text[],
          ${mails.map((mail) => mail.orderId ?? null)}::bigint[], ${mails.map((mail) => mail.itemId ?? null)}::bigint[],
          ${mails.map((mail) => mail.productId ?? null)}::text[], ${mails.map((mail) => mail.available ?? null)}::integer[],
          ${mails.map((mail) => mail.lowWaterMark ?? null)}::integer[],
          ${mails.map((mail) => (mail.facts === undefined ? null : JSON.stringify(mail.facts)))}::jsonb[]
        ) as t (id, merchant_id, kind, about, order_id, item_id, product_id, available, low_water_mark, facts)
        join queued on queued.job_id = t.id`.execute(tx),
    );
    wakeJobs(this.#database, this.#kind);
  }

  /** Oldest first, the newest hundred. */
  async ofOrder(merchantId: string, orderId: bigint): Promise<readonly MailOfOrder[]> {
    const newest = await this.#database.statement([merchantId], (tx) =>
      tx
        .selectFrom('mail')
        .selectAll()
        .where('merchant_id', '=', merchantId)
        .where('order_id', '=', orderId)
        .orderBy('id', 'desc')
        .limit(maxOfOrder)
        .execute(),
    );
    const ids = newest.map((mail) => mail.id);
    const jobs = await this.#database.statement([merchantId], (tx) => readJobs(tx, ids));
    return newest.toReversed().flatMap((mail): MailOfOrder[] => {
      const job = jobs.get(mail.id);
      if (job === undefined) return [];
      const { reason, traceparent, createdAt, settledAt, dueAt } = job;
      const { kind, facts } = mail;
      return [
        {
          kind,
          facts: facts ?? undefined,
          status: statuses[job.state],
          reason,
          traceparent,
          createdAt,
          settledAt,
          dueAt,
        },
      ];
    });
  }
}
