/** What is left to do for a merchant besides messages and timers. */
import type { Database } from '@tillstream/database/database';
import type { Work } from '@tillstream/messaging/work';
import { sql } from 'kysely';
import { mostTries } from '../domain/patience.ts';
import { sharedAddress } from '../domain/provider-account.ts';
import type { PaymentTables } from './tables.ts';

const mostNext = 100;

interface PendingRow {
  due: number;
  stuck: number;
  due_at: Date | null;
  kind: string | null;
  payment_id: string | null;
}

export function pendingWork(database: Database<PaymentTables>): readonly Work[] {
  return [
    {
      what: 'provider_calls',
      async pending(merchantId, now) {
        // One statement, for it is asked again and again: what is there to count stands in each row, and one row there always is.
        const { rows } = await database.statement([merchantId], (tx) =>
          sql<PendingRow>`
            select counts.due, counts.stuck, later.* from (
              select
                (select count(*)::int from attempt where merchant_id = ${merchantId} and due_at <= ${now}) as due,
                (select count(*)::int from attempt
                  where merchant_id = ${merchantId} and due_at is null and settled_at is null and state = 'unknown' and tries >= ${mostTries}) as stuck
            ) as counts left join lateral (
              select due_at, kind, payment_id from attempt where merchant_id = ${merchantId} and due_at > ${now}
              order by due_at limit ${mostNext}) as later on true
            order by later.due_at`.execute(tx),
        );
        const [first] = rows;
        return {
          due: first?.due ?? 0,
          stuck: first?.stuck ?? 0,
          next: rows.flatMap(({ due_at: at, kind, payment_id: objectId }) =>
            at !== null && at.getTime() === first?.due_at?.getTime()
              ? [{ at, kind: kind ?? '', objectId: objectId ?? '' }]
              : [],
          ),
        };
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
              and callback.account_id in (coalesce(payment.account_id, payment.merchant_id), ${sharedAddress}::uuid)
            where callback.applied_at is null and payment.merchant_id = ${merchantId}`.execute(tx),
        );
        return { due: rows[0]?.due ?? 0, stuck: rows[0]?.stuck ?? 0, next: [] };
      },
    },
  ];
}
