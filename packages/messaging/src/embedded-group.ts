/** One member of a consumer group on the embedded carrier: membership, its share of the partitions, reading, commits. */
import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { AnyDatabase } from '@tillstream/database/database';
import { sql, type Kysely } from 'kysely';
import { probe } from '@tillstream/telemetry/probe';
import type { Log } from './log.ts';
import { startLoop } from './loop.ts';
import type { IncomingMessage, MessageHeaders, RunningSubscription, Subscription } from './message.ts';

// A member that was not seen for this long is dead; its partitions go to the others.
const leaseSeconds = 10;
const heartbeatMs = 3_000;
// Without a signal a message of another process waits at most this long.
const pollMs = 1_000;
const defaultBatch = 200;

interface Owned {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: bigint;
  nextOffset: bigint;
}

interface LogRow {
  topic: string;
  partition: number;
  offset: bigint;
  key: string;
  value: Buffer;
  headers: MessageHeaders;
}

export async function startGroupMember(parts: {
  database: AnyDatabase;
  arrivals: EventEmitter;
  subscription: Subscription;
  log: Log;
}): Promise<RunningSubscription> {
  const { database, arrivals, subscription, log } = parts;
  const { group } = subscription;
  const topics = [...subscription.topics];
  const member = randomUUID();
  const size = subscription.batchSize ?? defaultBatch;
  let owned: Owned[] = [];
  let perShare = size;
  let joinedAt = 0;

  const scoped = <R>(run: (tx: Kysely<object>) => Promise<R>): Promise<R> =>
    database.untyped('consumer groups belong to no merchant', run);

  /** Says that this member lives, gives back what is too much, takes what is free. */
  const rebalance = async (): Promise<void> => {
    const before = new Map(owned.map((each) => [`${each.topic} ${each.partition} ${each.epoch}`, each]));
    const rows = await scoped(async (tx) => {
      // The group's members decide one after the other, so that a partition has one taker.
      await sql`select pg_advisory_xact_lock(hashtext('tillstream group'), hashtext(${group}))`.execute(tx);
      await sql`delete from group_member where consumer_group = ${group} and seen_at < now() - make_interval(secs => ${leaseSeconds})`.execute(
        tx,
      );
      await sql`
        insert into group_member (consumer_group, member, topics) values (${group}, ${member}, ${topics})
        on conflict (consumer_group, member) do update set seen_at = now()`.execute(tx);
      await sql`
        insert into group_offset (consumer_group, topic, partition)
        select ${group}, topic, partition from partition_head where topic = any (${topics}) on conflict do nothing`.execute(
        tx,
      );
      const { rows: shares } = await sql<{ topic: string; partition: number; epoch: bigint; next_offset: bigint }>`
        with alive as (
          select member, row_number() over (order by member) - 1 as place, count(*) over () as many
          from group_member where consumer_group = ${group} and topics && ${topics}::text[]
        ), wanted as (
          select topic, partition from (
            select topic, partition, row_number() over (order by topic, partition) - 1 as place
            from group_offset where consumer_group = ${group} and topic = any (${topics})
          ) as numbered join alive on alive.member = ${member} and numbered.place % alive.many = alive.place
        ), released as (
          update group_offset mine set owner = null, leased_until = null
          where consumer_group = ${group} and owner = ${member}
            and not exists (select from wanted where wanted.topic = mine.topic and wanted.partition = mine.partition)
        )
        update group_offset mine
        set owner = ${member}, leased_until = now() + make_interval(secs => ${leaseSeconds}),
            epoch = case when mine.owner = ${member} then mine.epoch else mine.epoch + 1 end
        from wanted
        where mine.consumer_group = ${group} and mine.topic = wanted.topic and mine.partition = wanted.partition
          and (mine.owner is null or mine.owner = ${member} or mine.leased_until < now())
        returning mine.topic, mine.partition, mine.epoch, mine.next_offset`.execute(tx);
      return shares;
    });
    owned = rows.map(
      (row) =>
        before.get(`${row.topic} ${row.partition} ${row.epoch}`) ?? {
          topic: row.topic,
          partition: row.partition,
          epoch: row.epoch,
          nextOffset: row.next_offset,
        },
    );
    joinedAt = Date.now();
  };

  const turn = async (): Promise<boolean> => {
    if (Date.now() - joinedAt >= heartbeatMs) await rebalance();
    if (owned.length === 0) return false;
    const mine = [...owned];
    const rows = await read(database, mine, perShare, size);
    perShare = nextPerShare(rows, perShare, size);
    if (rows.length === 0) return false;
    const batch = rows.map((row): IncomingMessage => ({ ...row }));
    // A long handler must not lose its partitions while it works.
    const keepAlive = setInterval(() => void rebalanceQuietly(), heartbeatMs);
    try {
      await subscription.handle(batch);
    } finally {
      clearInterval(keepAlive);
    }
    // A crash here gives the batch again: at least once.
    await commit(mine, batch);
    probe('offset committed');
    return true;
  };

  const rebalanceQuietly = async (): Promise<void> => {
    await scoped((tx) =>
      sql`update group_member set seen_at = now() where consumer_group = ${group} and member = ${member}`.execute(tx),
    ).catch(() => undefined);
    await scoped((tx) =>
      sql`update group_offset set leased_until = now() + make_interval(secs => ${leaseSeconds}) where consumer_group = ${group} and owner = ${member}`.execute(
        tx,
      ),
    ).catch(() => undefined);
  };

  const commit = async (mine: readonly Owned[], batch: readonly IncomingMessage[]): Promise<void> => {
    const ends = new Map<string, Owned & { end: bigint }>();
    for (const message of batch) {
      const share = mine.find((each) => each.topic === message.topic && each.partition === message.partition);
      if (share !== undefined) ends.set(`${share.topic} ${share.partition}`, { ...share, end: message.offset + 1n });
    }
    const moved = [...ends.values()];
    const { rows } = await scoped((tx) =>
      sql<{ topic: string; partition: number }>`
        update group_offset mine set next_offset = t.next_offset
        from unnest(${moved.map((each) => each.topic)}::text[], ${moved.map((each) => each.partition)}::integer[], ${moved.map((each) => each.end)}::bigint[], ${moved.map((each) => each.epoch)}::bigint[])
          as t (topic, partition, next_offset, epoch)
        where mine.consumer_group = ${group} and mine.topic = t.topic and mine.partition = t.partition and mine.owner = ${member} and mine.epoch = t.epoch
        returning mine.topic, mine.partition`.execute(tx),
    );
    const kept = new Set(rows.map((row) => `${row.topic} ${row.partition}`));
    for (const each of moved) {
      const share = owned.find(
        (candidate) =>
          candidate.topic === each.topic && candidate.partition === each.partition && candidate.epoch === each.epoch,
      );
      if (share !== undefined && kept.has(`${each.topic} ${each.partition}`)) share.nextOffset = each.end;
    }
    // Another owner has taken over what was not kept: it reads from the last commit.
    if (kept.size < moved.length) joinedAt = 0;
  };

  await rebalance();
  const loop = startLoop({
    name: `group ${group}`,
    turn,
    idleMs: pollMs,
    log,
    onWake: (listener) => {
      for (const topic of topics) arrivals.on(topic, listener);
      return () => {
        for (const topic of topics) arrivals.off(topic, listener);
      };
    },
  });
  return {
    stop: async () => {
      await loop.stop();
      await scoped(async (tx) => {
        await sql`update group_offset set owner = null, leased_until = null where consumer_group = ${group} and owner = ${member}`.execute(
          tx,
        );
        await sql`delete from group_member where consumer_group = ${group} and member = ${member}`.execute(tx);
      }).catch(() => undefined);
    },
  };
}

// A row of each partition in turn: a flood in one does not keep the others waiting for its end. Asked at each arrival and
// each poll, so without a transaction around it: one round trip instead of three.
const readShares = `
  select found.topic, found.partition, found."offset", found.key, found.value, found.headers
  from unnest($1::text[], $2::integer[], $3::bigint[]) as share (topic, partition, next_offset)
  cross join lateral (
    select * from log where log.topic = share.topic and log.partition = share.partition and log."offset" >= share.next_offset
    order by log."offset" limit $4
  ) as found
  order by found."offset" - share.next_offset, found.topic, found.partition limit $5`;

// A backlog in every partition is read a few rows of each at a time: with dozens of partitions whole batches of each would
// be read and thrown away. One partition that has it all is read in whole batches again.
const fewestPerShare = 8;

function nextPerShare(rows: readonly LogRow[], perShare: number, size: number): number {
  if (rows.length >= size) return Math.max(fewestPerShare, Math.ceil(perShare / 2));
  const counts = Map.groupBy(rows, (row) => `${row.topic} ${row.partition}`);
  const isCut = [...counts.values()].some((some) => some.length >= perShare);
  return isCut ? Math.min(size, perShare * 4) : perShare;
}

async function read(
  database: AnyDatabase,
  mine: readonly Owned[],
  perShare: number,
  size: number,
): Promise<readonly LogRow[]> {
  const { rows } = await database.pool.query<LogRow>({
    name: 'read-shares',
    text: readShares,
    values: [
      mine.map((each) => each.topic),
      mine.map((each) => each.partition),
      mine.map((each) => each.nextOffset),
      perShare,
      size,
    ],
  });
  return rows;
}
