/**
 * Taking codes from pools, inside the transaction that delivers them. The pool's row is locked first, so no two takers
 * look at the same codes and none finds a pool empty whose codes are merely held by somebody else: it waits for them, for
 * the length of a commit. (`skip locked` would hand out "empty" instead, and an item would wait for a refill for nothing.)
 */
import { sql, type Kysely } from 'kysely';
import { probe } from '@tillstream/telemetry/probe';
import type { FulfillmentTables } from './tables.ts';

type Tx = Kysely<FulfillmentTables>;

/** A delivery that could use codes. */
export interface Want {
  readonly id: string;
  readonly merchantId: string;
  readonly productId: string;
  readonly count: number;
}

interface PoolKey {
  readonly merchantId: string;
  readonly productId: string;
}

/**
 * Sets codes aside, first come, first served in the order of the wants: all that one needs or none, so that a large one
 * at the front does not keep the codes from the small ones behind it.
 */
export async function offerCodes(tx: Tx, wants: readonly Want[]): Promise<ReadonlyMap<string, readonly bigint[]>> {
  const byPool = [...Map.groupBy(wants, keyOf)].map(([key, members]) => {
    const [first] = members;
    return {
      key,
      merchantId: first?.merchantId ?? '',
      productId: first?.productId ?? '',
      count: members.reduce((sum, want) => sum + want.count, 0),
    };
  });
  const locked = await lockPools(tx, byPool);
  const filled = byPool.filter((pool) => (locked.get(pool.key) ?? 0) > 0);
  const codes = filled.length === 0 ? new Map<string, bigint[]>() : await lookAtCodes(tx, filled);
  return new Map(
    wants.map((want) => {
      const left = codes.get(keyOf(want)) ?? [];
      return [want.id, left.length < want.count ? [] : left.splice(0, want.count)];
    }),
  );
}

/** Answers how many codes each has. Always in the same order, so that two batches cannot wait for each other. */
async function lockPools(tx: Tx, keys: readonly PoolKey[]): Promise<ReadonlyMap<string, number>> {
  if (keys.length === 0) return new Map();
  const merchants = keys.map((key) => key.merchantId);
  const products = keys.map((key) => key.productId);
  const lock = async () => {
    const { rows } = await sql<{ merchant_id: string; product_id: string; available: number }>`
      select merchant_id, product_id, available from pool
      where (merchant_id, product_id) in (select * from unnest(${merchants}::uuid[], ${products}::text[]))
      order by merchant_id, product_id for no key update`.execute(tx);
    return rows;
  };
  let rows = await lock();
  if (rows.length < keys.length) {
    // A product that nobody uploaded codes for: its row is what the upload will wait for.
    await sql`
      insert into pool (merchant_id, product_id)
      select * from unnest(${merchants}::uuid[], ${products}::text[]) as t (merchant_id, product_id) order by 1, 2
      on conflict do nothing`.execute(tx);
    rows = await lock();
  }
  probe('code locked');
  return new Map(rows.map((row) => [keyOf({ merchantId: row.merchant_id, productId: row.product_id }), row.available]));
}

/** The oldest codes of each pool. A statement of its own, after the lock: it sees what the last holder committed. */
async function lookAtCodes(
  tx: Tx,
  pools: readonly (PoolKey & { readonly count: number })[],
): Promise<Map<string, bigint[]>> {
  const { rows } = await sql<{ merchant_id: string; product_id: string; code_ids: bigint[] }>`
    select wanted.merchant_id, wanted.product_id, array_agg(code.pool_code_id order by code.pool_code_id) as code_ids
    from unnest(${pools.map((pool) => pool.merchantId)}::uuid[], ${pools.map((pool) => pool.productId)}::text[], ${pools.map((pool) => pool.count)}::int[])
      as wanted (merchant_id, product_id, count)
    cross join lateral (
      select pool_code_id from pool_code
      where merchant_id = wanted.merchant_id and product_id = wanted.product_id and issued_at is null
      order by pool_code_id limit wanted.count) as code
    group by 1, 2`.execute(tx);
  return new Map(rows.map((row) => [keyOf({ merchantId: row.merchant_id, productId: row.product_id }), row.code_ids]));
}

export interface DrawnPool extends PoolKey {
  readonly available: number;
  readonly lowWaterMark: number;
  readonly version: bigint;
  /** With this draw it fell below its mark, for the first time since the last refill. */
  readonly hasCrossed: boolean;
  readonly drawn: number;
}

/** Marks codes that were offered as issued and counts them out of their pools. */
export async function drawCodes(
  tx: Tx,
  codeIds: readonly bigint[],
  issuedAt: readonly Date[],
): Promise<readonly DrawnPool[]> {
  const { rows } = await sql<{
    merchant_id: string;
    product_id: string;
    available: number;
    low_water_mark: number;
    version: bigint;
    was_noticed: boolean;
    low_noticed: boolean;
    drawn: number;
  }>`
    -- By their ids: as a condition of its own "is null" would have all codes read that are left, where few seem to be.
    with taken as (
      update pool_code set issued_at = given.issued_at
      from unnest(${codeIds}::bigint[], ${issuedAt}::timestamptz[]) as given (pool_code_id, issued_at)
      where pool_code.pool_code_id = given.pool_code_id and case when pool_code.issued_at is null then true else false end
      returning merchant_id, product_id),
    counted as (select merchant_id, product_id, count(*)::int as drawn from taken group by 1, 2)
    update pool set
      available = pool.available - drawn, issued = pool.issued + drawn, version = pool.version + 1,
      low_noticed = pool.low_noticed or pool.available - drawn < pool.low_water_mark
    from counted join pool as before using (merchant_id, product_id)
    where pool.merchant_id = counted.merchant_id and pool.product_id = counted.product_id
    returning pool.merchant_id, pool.product_id, pool.available, pool.low_water_mark, pool.version, before.low_noticed as was_noticed, pool.low_noticed, drawn`.execute(
    tx,
  );
  if (rows.reduce((sum, row) => sum + row.drawn, 0) !== codeIds.length)
    throw new Error('a code on offer was taken by somebody else: its pool was not locked');
  return rows.map((row) => ({
    merchantId: row.merchant_id,
    productId: row.product_id,
    available: row.available,
    lowWaterMark: row.low_water_mark,
    version: row.version,
    hasCrossed: row.low_noticed && !row.was_noticed,
    drawn: row.drawn,
  }));
}

function keyOf(pool: PoolKey): string {
  return `${pool.merchantId} ${pool.productId}`;
}
