/** What child orders are made from: their parents, and the payments of the terms before them. */
import type { Database } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { Lineage } from '../../domain/subscription/child.ts';
import { readPlaced, readRenewal, readShown } from '../stored-order.ts';
import type { OrderTables, StoredPlaced, StoredRenewal } from '../tables.ts';

export interface TermKey {
  readonly merchantId: string;
  readonly subscriptionId: string;
  readonly term: number;
  readonly parentOrderId: bigint;
  readonly previousOrderId: bigint;
}

export interface PlacedLineage extends Lineage {
  /** The term has a child already. */
  readonly isPlaced: boolean;
}

interface Row {
  place: number;
  parent: StoredPlaced;
  payment: unknown;
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
        select asked.place::integer, parent.placed as parent, paid.data -> 'payment' as payment,
          previous.placed ->> 'paymentMethod' as previous_method, previous.placed ->> 'paymentSystemName' as previous_system_name, previous.placed -> 'renewal' as previous_renewal, child.order_id is not null as is_placed
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
    const { payment, previous_method: paymentMethod, previous_system_name, previous_renewal: renewal } = row;
    return {
      parent: readPlaced(row.parent),
      lastPayment: payment === null ? undefined : readShown(payment),
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
