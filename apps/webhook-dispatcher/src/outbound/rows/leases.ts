/**
 * Who schedules which shard. A lease lasts three renewals; the database's clock decides. Every take-over raises the
 * epoch, and results are written under the epoch they were sent in, so that an owner that slept writes nothing late.
 */
import type { Database } from '@tillstream/database/database';
import { sql } from 'kysely';

export const shardCount = 64;

export interface Lease {
  readonly shard: number;
  readonly epoch: bigint;
}

export interface Leases {
  readonly held: readonly Lease[];
  /** How many each dispatcher that is alive should hold. */
  readonly share: number;
}

interface Row {
  shard: number;
  epoch: bigint;
  share: number;
}

/** One statement: says that we live, gives back what is too much, renews ours and takes free ones up to our share. */
export async function renewLeases(
  database: Database<object>,
  me: string,
  lastsMs: number,
  surplus: readonly number[],
): Promise<Leases> {
  const lasts = `${lastsMs} milliseconds`;
  const { rows } = await database.everyMerchantStatement('shards hold endpoints of all merchants', (tx) =>
    sql<Row>`
      with beat as (
        insert into dispatcher (id, seen_at) values (${me}::uuid, now()) on conflict (id) do update set seen_at = now()
      ), share as (
        select ceil(${shardCount}::numeric / (count(*) + 1))::int as n
        from dispatcher where id <> ${me}::uuid and seen_at > now() - ${lasts}::interval
      ), let_go as (
        update shard_lease set owner = null, expires_at = now() where owner = ${me}::uuid and shard = any (${surplus}::smallint[])
      ), mine as (
        select shard from shard_lease
        where owner = ${me}::uuid and expires_at > now() and shard <> all (${surplus}::smallint[])
      ), free as (
        select shard from shard_lease
        where (owner is null or expires_at <= now()) and shard <> all (${surplus}::smallint[])
        order by shard limit (select greatest(0, share.n - (select count(*) from mine)) from share)
        for update skip locked
      )
      update shard_lease set owner = ${me}::uuid, epoch = epoch + ours.is_new::int, expires_at = now() + ${lasts}::interval
      from (select shard, false as is_new from mine union all select shard, true from free) as ours
      where shard_lease.shard = ours.shard
      returning shard_lease.shard, shard_lease.epoch, (select n from share) as share`.execute(tx),
  );
  const held = rows.map(({ shard, epoch }) => ({ shard, epoch })).toSorted((a, b) => a.shard - b.shard);
  return { held, share: rows[0]?.share ?? shardCount };
}

export async function releaseLeases(database: Database<object>, me: string): Promise<void> {
  await database.everyMerchant('shards hold endpoints of all merchants', async (tx) => {
    await sql`update shard_lease set owner = null, expires_at = now() where owner = ${me}::uuid`.execute(tx);
    await sql`delete from dispatcher where id = ${me}::uuid or seen_at < now() - interval '1 day'`.execute(tx);
  });
}
