/** What stands in the way of renewals that are to be charged, and what they are charged to. */
import type { Database } from '@tillstream/database/database';
import { readInstrument } from '@tillstream/instrument/instrument';
import { sql } from 'kysely';
import type { AskedCharge, KeptInstrument } from '../ports.ts';
import type { PaymentTables } from './tables.ts';

export interface Standing {
  /** Empty = nothing. */
  readonly obstacle: string;
  /** Of what the order asks for. */
  readonly receivedMinor: bigint;
  /** Undefined = this merchant has no such instrument in this mode. */
  readonly kept: KeptInstrument | undefined;
}

interface Row {
  charged: boolean;
  paid: boolean;
  live: boolean;
  received_minor: bigint;
  method: string | null;
  provider: string | null;
  account_id: string | null;
  instrument: unknown;
}

/** Of each charge that is asked for, in their order. */
export async function readStandings(
  database: Database<PaymentTables>,
  asked: readonly AskedCharge[],
): Promise<readonly Standing[]> {
  if (asked.length === 0) return [];
  const { rows } = await database.statement(
    asked.map(({ merchantId }) => merchantId),
    (tx) =>
      sql<Row>`
        select
          coalesce(slots.charged, false) as charged, coalesce(intent.status in ('paid', 'overpaid'), false) as paid,
          coalesce(orders.live, false) as live, coalesce(intent.received_minor, 0) as received_minor,
          i.method, i.provider, coalesce(i.account_id, i.merchant_id) as account_id, i.instrument
        from unnest(
          ${asked.map((each) => each.merchantId)}::uuid[], ${asked.map((each) => each.orderId)}::bigint[], ${asked.map((each) => each.subscriptionId)}::text[],
          ${asked.map((each) => each.term)}::int[], ${asked.map((each) => each.slot)}::int[], ${asked.map((each) => each.instrumentId || null)}::uuid[],
          ${asked.map((each) => each.livemode)}::boolean[]
        ) with ordinality as t (merchant_id, order_id, subscription_id, term, slot, instrument_id, livemode, at)
        left join lateral (
          select true as charged from payment p
          where p.merchant_id = t.merchant_id and p.subscription_id = t.subscription_id and p.term = t.term and p.slot = t.slot limit 1) as slots on true
        left join lateral (
          select bool_or(p.status in ('created', 'seen', 'processing', 'confirmed')) as live
          from payment p where p.merchant_id = t.merchant_id and p.order_id = t.order_id) as orders on true
        left join payment_intent intent on intent.merchant_id = t.merchant_id and intent.order_id = t.order_id
        left join instrument i on i.instrument_id = t.instrument_id and i.merchant_id = t.merchant_id and i.livemode = t.livemode
        order by t.at`.execute(tx),
  );
  return rows.map((row) => ({
    obstacle: obstacleOf(row),
    receivedMinor: row.received_minor,
    kept:
      row.method === null || row.provider === null || row.account_id === null
        ? undefined
        : {
            method: row.method,
            provider: row.provider,
            accountId: row.account_id,
            instrument: readInstrument(row.instrument),
          },
  }));
}

function obstacleOf(row: Row): string {
  if (row.charged) return 'this charge was made before';
  if (row.paid) return 'the order is paid';
  return row.live ? 'the order is being paid' : '';
}
