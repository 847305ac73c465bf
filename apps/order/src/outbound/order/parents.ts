/** What child orders are made from: their parents, and the payments of the terms before them. */
import type { Database } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { PlacedLineage, TermKey } from '../../ports.ts';
import { readPlaced, readRenewal } from '../stored-order.ts';
import type { HistoryRow, OrderTables, StoredPlaced, StoredRenewal } from '../tables.ts';
import { paymentOf } from './history.ts';

interface Row {
  place: number;
  parent: StoredPlaced;
  paid_data: HistoryRow['data'] | null;
  paid_version: number | null;
  previous_method: string | null;
  previous_system_name: string | null;
  previous_renewal: StoredRenewal | null;
  is_placed: boolean;
}

/** In the order asked, one statement for all; undefined where there is no such parent of that merchant. */
export async function findLineages(
  database: Database<OrderTables>,
  keys: readonly TermKey[],
): Promise<readonly (PlacedLineage | undefined)[]> {
  if (keys.length === 0) return [];
  const { rows } = await database.statement(
    keys.map((key) => key.merchantId),
    (tx) =>
      sql<Row>`
        select asked.place::integer, parent.placed as parent, paid.data as paid_data, paid.schema_version as paid_version,
          previous.placed ->> 'paymentMethod' as previous_method, previous.placed ->> 'paymentSystemName' as previous_system_name,
          previous.placed -> 'renewal' as previous_renewal, child.order_id is not null as is_placed
        from unnest(
          ${keys.map((key) => key.merchantId)}::uuid[], ${keys.map((key) => key.subscriptionId)}::text[], ${keys.map((key) => key.term)}::integer[],
          ${keys.map((key) => key.parentOrderId)}::bigint[], ${keys.map((key) => key.previousOrderId)}::bigint[]
        ) with ordinality as asked (merchant_id, subscription_id, term, parent_id, previous_id, place)
        join purchase_order parent on parent.order_id = asked.parent_id and parent.merchant_id = asked.merchant_id
        left join purchase_order previous on previous.order_id = asked.previous_id and previous.merchant_id = asked.merchant_id
        left join order_history paid on paid.order_id = asked.previous_id and paid.merchant_id = asked.merchant_id and paid.type = 'orderPaid'
        left join purchase_order child on child.subscription_id = asked.subscription_id and child.term = asked.term`.execute(
        tx,
      ),
  );
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  return keys.map((_, at) => {
    const row = byPlace.get(at + 1);
    if (row === undefined) return undefined;
    const { paid_data: data, paid_version, previous_method: paymentMethod, previous_system_name } = row;
    const { previous_renewal: renewal } = row;
    return {
      parent: readPlaced(row.parent),
      lastPayment: data === null ? undefined : paymentOf({ type: 'orderPaid', data, schema_version: paid_version }),
      previous:
        paymentMethod === null
          ? undefined
          : {
              paymentMethod,
              paymentSystemName: previous_system_name ?? '',
              renewal: renewal === null ? undefined : readRenewal(renewal),
            },
      isPlaced: row.is_placed,
    };
  });
}
