/** Codes go in sealed, and are sealed anew when the key changes. */
import { setImmediate } from 'node:timers/promises';
import type { Database } from '@tillstream/database/database';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { schedule } from '@tillstream/messaging/timers';
import { wake } from '@tillstream/messaging/wake';
import { currentTraceparent } from '@tillstream/telemetry/trace';
import type { Vault } from '@tillstream/vault/vault';
import { sql, type Kysely } from 'kysely';
import type { CodeUpload } from '../ports.ts';
import type { FulfillmentTables } from './tables.ts';

/** What a code's seal is bound to: it opens for no other merchant, product or row. */
export function contextOf(row: {
  readonly merchant_id: string;
  readonly product_id: string;
  readonly pool_code_id: bigint;
}): string {
  return `${row.merchant_id}|${row.product_id}|${row.pool_code_id}`;
}

/**
 * Adds what the product never had, and takes up the deliveries that waited for it. Answers how many were new; to a request
 * that is known, how many were new when it came first.
 */
export async function addCodes(
  parts: { readonly database: Database<FulfillmentTables>; readonly vault: Vault; readonly clock: Clock },
  upload: CodeUpload,
): Promise<number> {
  const { database, vault, clock } = parts;
  const { merchantId, productId, codes, lowWaterMark } = upload;
  const ids = await database.statement([merchantId], async (tx) => {
    const { rows } = await sql<{
      id: bigint;
    }>`select nextval('pool_code_number') as id from generate_series(1, ${codes.length}::int)`.execute(tx);
    return rows.map((row) => row.id);
  });
  // Sealed before the transaction: ten thousand take a tenth of a second, in which nobody should wait for locks.
  const sealed: { id: bigint; sealed: Buffer; fingerprint: Buffer }[] = [];
  for (const [at, code] of codes.entries()) {
    const id = ids[at] ?? 0n;
    const context = contextOf({ merchant_id: merchantId, product_id: productId, pool_code_id: id });
    sealed.push({
      id,
      sealed: vault.seal(code, context),
      fingerprint: vault.fingerprint(code, `${merchantId}|${productId}`),
    });
    if (at % 500 === 499) await setImmediate();
  }
  // Two uploads of the same codes meet in the unique index: in one order, they cannot wait for each other.
  sealed.sort((a, b) => a.fingerprint.compare(b.fingerprint));
  const added = await database.transaction([merchantId], async (tx) => {
    const known = upload.requestId === '' ? undefined : await knownUpload(tx, upload, clock.now(merchantId));
    if (known !== undefined) return known;
    const { rows } = await sql<{ count: number }>`
      with added as (
        insert into pool_code (pool_code_id, merchant_id, product_id, sealed, fingerprint, added_at)
        select id, ${merchantId}, ${productId}, sealed, fingerprint, ${clock.now(merchantId)}::timestamptz
        from unnest(${sealed.map((each) => each.id)}::bigint[], ${sealed.map((each) => each.sealed)}::bytea[], ${sealed.map((each) => each.fingerprint)}::bytea[])
          as t (id, sealed, fingerprint)
        on conflict (merchant_id, product_id, fingerprint) do nothing returning 1)
      select count(*)::int as count from added`.execute(tx);
    const count = rows[0]?.count ?? 0;
    // The pool's row last: who takes codes waits for it only until this commits, and then sees them.
    const pool = await sql<{ available: number }>`
      insert into pool (merchant_id, product_id, available, low_water_mark) values (${merchantId}, ${productId}, ${count}, ${lowWaterMark})
      on conflict (merchant_id, product_id) do update set
        available = pool.available + excluded.available, low_water_mark = excluded.low_water_mark, version = pool.version + 1,
        low_noticed = pool.low_noticed and pool.available + excluded.available < excluded.low_water_mark
      returning available`.execute(tx);
    await takeUpWaiting(tx, merchantId, productId, pool.rows[0]?.available ?? 0);
    if (upload.requestId !== '')
      await tx
        .updateTable('upload')
        .set({ added: count })
        .where('merchant_id', '=', merchantId)
        .where('request_id', '=', upload.requestId)
        .execute();
    return count;
  });
  wake(database);
  return added;
}

/** Notes the request, or answers what it has added. The same request at the same time waits here for this one's end. */
async function knownUpload(
  tx: Kysely<FulfillmentTables>,
  { merchantId, productId, requestId }: CodeUpload,
  now: Date,
): Promise<number | undefined> {
  const noted = await tx
    .insertInto('upload')
    .values({ merchant_id: merchantId, request_id: requestId, product_id: productId, added: 0, uploaded_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if ((noted.numInsertedOrUpdatedRows ?? 0n) > 0n) return undefined;
  const { added } = await tx
    .selectFrom('upload')
    .select('added')
    .where('merchant_id', '=', merchantId)
    .where('request_id', '=', requestId)
    .executeTakeFirstOrThrow();
  return added;
}

// Enough to find those that fit, when the oldest ones need more than there is.
const fewestTakenUp = 1_000;

/** Sets their timers to the moment they came, so that the oldest fire first; each then takes what it needs, if it is there. */
async function takeUpWaiting(
  tx: Kysely<FulfillmentTables>,
  merchantId: string,
  productId: string,
  available: number,
): Promise<void> {
  const rows = await tx
    .selectFrom('delivery')
    .select(['item_id', 'created_at'])
    .where('merchant_id', '=', merchantId)
    .where('product_id', '=', productId)
    .where('status', '=', 'waiting')
    .where('code_count', '<=', available)
    .orderBy('created_at')
    .orderBy('item_id')
    .limit(Math.max(available, fewestTakenUp))
    .execute();
  const traceparent = currentTraceparent();
  await schedule(
    tx,
    rows.map((row) => ({
      machine: 'delivery',
      aggregateId: String(row.item_id),
      merchantId,
      traceparent,
      change: { type: 'set', kind: 'offer', dueAt: row.created_at },
    })),
  );
}

const resealBatch = 500;

/**
 * Seals every code anew that an old key sealed, in batches, while the service runs; what is in use meanwhile opens with
 * either key. When it answers and `unreadable` is 0, no row needs the old key any more.
 */
export async function resealCodes(parts: {
  readonly database: Database<FulfillmentTables>;
  readonly vault: Vault;
  readonly log: Log;
  readonly signal?: AbortSignal;
}): Promise<{ resealed: number; unreadable: number }> {
  const { database, vault, log, signal } = parts;
  const found = { resealed: 0, unreadable: 0 };
  for (let after = 0n; ;) {
    if (signal?.aborted === true) break;
    const last = await database.everyMerchant('the codes of all merchants are sealed with the new key', async (tx) => {
      const rows = await tx
        .selectFrom('pool_code')
        .select(['pool_code_id', 'merchant_id', 'product_id', 'sealed'])
        .where('pool_code_id', '>', after)
        .orderBy('pool_code_id')
        .limit(resealBatch)
        .execute();
      const anew = rows.flatMap((row) => {
        try {
          return vault.isCurrent(row.sealed)
            ? []
            : [
                {
                  id: row.pool_code_id,
                  before: row.sealed,
                  sealed: vault.seal(vault.open(row.sealed, contextOf(row)), contextOf(row)),
                },
              ];
        } catch (error) {
          log.error({ err: error, pool_code_id: String(row.pool_code_id) }, 'a code cannot be opened');
          found.unreadable += 1;
          return [];
        }
      });
      if (anew.length > 0) {
        const { numAffectedRows } = await sql`
          update pool_code set sealed = t.sealed
          from unnest(${anew.map((each) => each.id)}::bigint[], ${anew.map((each) => each.before)}::bytea[], ${anew.map((each) => each.sealed)}::bytea[]) as t (id, before, sealed)
          where pool_code_id = t.id and pool_code.sealed = t.before`.execute(tx);
        found.resealed += Number(numAffectedRows ?? 0n);
      }
      return rows.at(-1)?.pool_code_id;
    });
    if (last === undefined) break;
    after = last;
  }
  return found;
}
