/** What others may know: licences in the clear for those that hand them to the customer (D16), pools in numbers. */
import type { Database } from '@tillstream/database/database';
import { publicId } from '@tillstream/database/public-id';
import type { Licence, OrderKey, PoolSummary } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { Vault } from '@tillstream/vault/vault';
import { sql } from 'kysely';
import { probe } from '@tillstream/telemetry/probe';
import type { DeliveryStory } from '../ports.ts';
import { contextOf } from './codes.ts';
import type { FulfillmentTables } from './tables.ts';

interface LicenceRow {
  licence_id: string;
  order_id: bigint;
  item_id: bigint;
  unit_no: number;
  first_item_id: bigint;
  previous_item_id: bigint;
  issued_at: Date;
  pool_code_id: bigint;
  merchant_id: string;
  product_id: string;
  sealed: Buffer;
}

/** The licences of these orders, by order, item and unit. Throws when one cannot be opened. */
export async function readLicences(
  database: Database<FulfillmentTables>,
  vault: Vault,
  orders: readonly OrderKey[],
): Promise<Licence[]> {
  const merchants = orders.map((order) => order.merchantId);
  // Order by order: the planner, unsure of row-level security, would rather read all licences there are.
  const { rows } = await database.statement(merchants, (tx) =>
    sql<LicenceRow>`
      select found.* from (
        select distinct * from unnest(${merchants}::uuid[], ${orders.map((order) => order.orderId)}::bigint[])) as asked (merchant_id, order_id)
      cross join lateral (
        select licence.licence_id, licence.order_id, licence.item_id, licence.unit_no, delivery.first_item_id, delivery.previous_item_id,
          licence.issued_at, licence.pool_code_id, licence.merchant_id, pool_code.product_id, pool_code.sealed
        from licence join pool_code on pool_code.pool_code_id = licence.pool_code_id join delivery on delivery.item_id = licence.item_id
        where licence.merchant_id = asked.merchant_id and licence.order_id = asked.order_id offset 0) as found
      order by found.order_id, found.item_id, found.unit_no`.execute(tx),
  );
  if (rows.length > 0) probe('licence shown');
  return rows.map((row) => ({
    id: publicId('lic', row.licence_id),
    orderId: row.order_id,
    itemId: row.item_id,
    unitNo: row.unit_no,
    code: vault.open(row.sealed, contextOf(row)).toString(),
    issuedAt: row.issued_at,
    firstItemId: row.first_item_id,
    previousItemId: row.previous_item_id,
  }));
}

/** In the order asked; a product without a pool has an empty one. */
export async function readPools(
  database: Database<FulfillmentTables>,
  merchantId: string,
  productIds: readonly string[],
): Promise<PoolSummary[]> {
  const rows = await database.statement([merchantId], (tx) =>
    tx
      .selectFrom('pool')
      .selectAll()
      .where('merchant_id', '=', merchantId)
      .where('product_id', '=', sql<string>`any (${productIds}::text[])`)
      .execute(),
  );
  const known = new Map(rows.map((row) => [row.product_id, row]));
  return [...new Set(productIds)].map((productId) => {
    const row = known.get(productId);
    return {
      productId,
      available: row?.available ?? 0,
      issued: row?.issued ?? 0,
      lowWaterMark: row?.low_water_mark ?? 0,
    };
  });
}

// Whoever asks wants to know that there are some; more are not counted.
const mostWaiting = 1_000;

/** How many items of the merchant wait for codes: for a refill, which no time brings. */
export async function countWaiting(database: Database<FulfillmentTables>, merchantId: string): Promise<number> {
  return database.statement([merchantId], async (tx) => {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from (
        select 1 from delivery where merchant_id = ${merchantId}::uuid and status = 'waiting' limit ${mostWaiting}) as waiting`.execute(
      tx,
    );
    return rows[0]?.count ?? 0;
  });
}

/** The deliveries of one order, by item. */
export async function readDeliveries(
  database: Database<FulfillmentTables>,
  merchantId: string,
  orderId: bigint,
): Promise<DeliveryStory[]> {
  const rows = await database.statement([merchantId], (tx) =>
    tx
      .selectFrom('delivery')
      .selectAll()
      .where('merchant_id', '=', merchantId)
      .where('order_id', '=', orderId)
      .orderBy('item_id')
      .execute(),
  );
  return rows.map((row) => ({
    itemId: row.item_id,
    productId: row.product_id,
    codeCount: row.code_count,
    status: row.status,
    waitingSince: row.waiting_since,
    waitingTrace: row.waiting_trace,
    deliveredAt: row.delivered_at,
    deliveredTrace: row.delivered_trace,
  }));
}
