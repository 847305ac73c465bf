/** What is left to do for a merchant besides messages and timers. */
import type { Database } from '@tillstream/database/database';
import type { Work } from '@tillstream/messaging/work';
import { sql } from 'kysely';
import { mostTries } from '../domain/patience.ts';
import type { PaymentTables } from './tables.ts';

const mostNext = 100;

export function pendingWork(database: Database<PaymentTables>): readonly Work[] {
  return [
    {
      what: 'provider_calls',
      async pending(merchantId, now) {
        return database.transaction([merchantId], async (tx) => {
          const { rows } = await sql<{ due: number; stuck: number }>`
            select
              (select count(*)::int from attempt where merchant_id = ${merchantId} and due_at <= ${now}) as due,
              (select count(*)::int from attempt
                where merchant_id = ${merchantId} and due_at is null and settled_at is null and state = 'unknown' and tries >= ${mostTries}) as stuck`.execute(
            tx,
          );
          const later = await sql<{ due_at: Date; kind: string; payment_id: string }>`
            select due_at, kind, payment_id from attempt where merchant_id = ${merchantId} and due_at > ${now}
            order by due_at limit ${mostNext}`.execute(tx);
          const [first] = later.rows;
          return {
            due: rows[0]?.due ?? 0,
            stuck: rows[0]?.stuck ?? 0,
            next: later.rows
              .filter((row) => row.due_at.getTime() === first?.due_at.getTime())
              .map((row) => ({ at: row.due_at, kind: row.kind, objectId: row.payment_id })),
          };
        });
      },
    },
    {
      // Received and not applied. They are tried again by the wall's clock, in seconds: they are due, never later.
      what: 'callbacks',
      async pending(merchantId) {
        const { rows } = await database.everyMerchantStatement(
          'callbacks do not say whose they are; their payments do',
          (tx) =>
            sql<{ due: number; stuck: number }>`
            select count(*) filter (where callback.due_at is not null)::int as due, count(*) filter (where callback.due_at is null)::int as stuck
            from callback join payment on payment.payment_id = callback.reference
            where callback.applied_at is null and payment.merchant_id = ${merchantId}`.execute(tx),
        );
        return { due: rows[0]?.due ?? 0, stuck: rows[0]?.stuck ?? 0, next: [] };
      },
    },
  ];
}
