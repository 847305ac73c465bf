/** The statements of a group on the embedded carrier: who has which partitions, what is in them, how far it was read. */
import type { AnyDatabase } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { IncomingMessage, MessageHeaders } from './message.ts';

// A member that was not seen for this long is dead; its partitions go to the others.
const leaseSeconds = 10;

export interface Member {
  readonly group: string;
  readonly id: string;
  readonly topics: readonly string[];
}

/** A partition while this member owns it. */
export interface Share {
  readonly topic: string;
  readonly partition: number;
  /** Grows with each change of owner: what an old owner writes changes nothing. */
  readonly epoch: bigint;
  nextOffset: bigint;
}

/** A partition that was lost and won again is another share. */
export function nameOf(share: Share): string {
  return `${share.topic} ${share.partition} ${share.epoch}`;
}

interface LogRow {
  topic: string;
  partition: number;
  offset: bigint;
  key: string;
  value: Buffer;
  headers: MessageHeaders;
}

/** Says that the member lives, gives back what is too much, takes what is free; answers what is then its own. */
export function takeShare(database: AnyDatabase, { group, id, topics }: Member): Promise<readonly Share[]> {
  return database.untyped('consumer groups belong to no merchant', async (tx) => {
    // The group's members decide one after the other, so that a partition has one taker.
    await sql`select pg_advisory_xact_lock(hashtext('tillstream group'), hashtext(${group}))`.execute(tx);
    await sql`delete from group_member where consumer_group = ${group} and seen_at < now() - make_interval(secs => ${leaseSeconds})`.execute(
      tx,
    );
    await sql`
      insert into group_member (consumer_group, member, topics) values (${group}, ${id}, ${topics})
      on conflict (consumer_group, member) do update set seen_at = now()`.execute(tx);
    await sql`
      insert into group_offset (consumer_group, topic, partition)
      select ${group}, topic, partition from partition_head where topic = any (${topics}) on conflict do nothing`.execute(
      tx,
    );
    await sql`
      with alive as (
        select member, row_number() over (order by member) - 1 as place, count(*) over () as many
        from group_member where consumer_group = ${group} and topics && ${topics}::text[]
      ), wanted as (
        select topic, partition from (
          select topic, partition, row_number() over (order by topic, partition) - 1 as place
          from group_offset where consumer_group = ${group} and topic = any (${topics})
        ) as numbered join alive on alive.member = ${id} and numbered.place % alive.many = alive.place
      ), released as (
        update group_offset mine set owner = null
        where consumer_group = ${group} and owner = ${id}
          and not exists (select from wanted where wanted.topic = mine.topic and wanted.partition = mine.partition)
      )
      update group_offset mine
      set owner = ${id}, epoch = mine.epoch + 1
      from wanted
      where mine.consumer_group = ${group} and mine.topic = wanted.topic and mine.partition = wanted.partition
        and mine.owner is distinct from ${id}
        and (mine.owner is null or not exists (select from group_member where consumer_group = ${group} and member = mine.owner))`.execute(
      tx,
    );
    const { rows } = await sql<{ topic: string; partition: number; epoch: bigint; next_offset: bigint }>`
      select mine.topic, mine.partition, mine.epoch, mine.next_offset from group_offset mine
      where mine.consumer_group = ${group} and mine.owner = ${id} and mine.topic = any (${topics})`.execute(tx);
    return rows.map(({ next_offset: nextOffset, ...share }) => ({ ...share, nextOffset }));
  });
}

/**
 * Says that the member lives. Answers what the shares depend on: the same answer twice means that there is nothing to give
 * back and nothing to take, if it is settled: everything has an owner, and who lives. (Shares may have been taken at the last moment at
 * which somebody counted as alive who is dead by now: that nothing changes from then on means nothing.)
 */
export async function beat(
  { unscoped }: AnyDatabase,
  { group, id, topics }: Member,
): Promise<{ readonly around: string; readonly isSettled: boolean; readonly membersAlive: number }> {
  const { rows } = await sql<{ member: string | null; owned: string | null }>`
    with alive as (update group_member set seen_at = now() where consumer_group = ${group} and member = ${id})
    select member::text, null::text as owned from group_member where consumer_group = ${group} and topics && ${topics}::text[]
      and (member = ${id} or seen_at > now() - make_interval(secs => ${leaseSeconds}))
    union all
    select mine.owner::text, count(*)::text from partition_head head left join group_offset mine
      on mine.consumer_group = ${group} and mine.topic = head.topic and mine.partition = head.partition
    where head.topic = any (${topics}) group by mine.owner
    union all
    select 'all', count(*)::text from group_member where seen_at > now() - make_interval(secs => ${leaseSeconds})
    order by 1, 2`.execute(unscoped);
  const membersAlive = Number(rows.find((row) => row.member === 'all')?.owned ?? 0);
  const mine = rows.filter((row) => row.member !== 'all');
  const alive = new Set(mine.flatMap(({ member, owned }) => (owned === null ? [member] : [])));
  const isSettled = mine.every(({ member, owned }) => owned === null || alive.has(member));
  return { around: JSON.stringify(mine), isSettled, membersAlive };
}

/** Of several groups; answers the `group topic partition` of those that still have the same owner. */
export async function commitOffsets(
  { unscoped }: AnyDatabase,
  moved: readonly { readonly member: Member; readonly share: Share; readonly nextOffset: bigint }[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ consumer_group: string; topic: string; partition: number }>`
    update group_offset mine set next_offset = t.next_offset
    from unnest(
      ${moved.map(({ member }) => member.group)}::text[], ${moved.map(({ member }) => member.id)}::uuid[],
      ${moved.map(({ share }) => share.topic)}::text[], ${moved.map(({ share }) => share.partition)}::integer[],
      ${moved.map(({ nextOffset }) => nextOffset)}::bigint[], ${moved.map(({ share }) => share.epoch)}::bigint[]
    ) as t (consumer_group, owner, topic, partition, next_offset, epoch)
    where mine.consumer_group = t.consumer_group and mine.topic = t.topic and mine.partition = t.partition
      and mine.owner = t.owner and mine.epoch = t.epoch
    returning mine.consumer_group, mine.topic, mine.partition`.execute(unscoped);
  return new Set(rows.map((row) => `${row.consumer_group} ${row.topic} ${row.partition}`));
}

export async function leave({ unscoped }: AnyDatabase, { group, id }: Member): Promise<void> {
  await sql`
    with gone as (delete from group_member where consumer_group = ${group} and member = ${id})
    update group_offset set owner = null where consumer_group = ${group} and owner = ${id}`.execute(unscoped);
}

/** A row of each partition in turn: a flood in one does not keep the others waiting for its end. */
export async function readShares(
  { unscoped }: AnyDatabase,
  shares: readonly Share[],
  perShare: number,
  size: number,
): Promise<readonly IncomingMessage[]> {
  const { rows } = await sql<LogRow>`
    select found.topic, found.partition, found."offset", found.key, found.value, found.headers
    from unnest(${shares.map((each) => each.topic)}::text[], ${shares.map((each) => each.partition)}::integer[], ${shares.map((each) => each.nextOffset)}::bigint[])
      as share (topic, partition, next_offset)
    cross join lateral (
      select * from log where log.topic = share.topic and log.partition = share.partition and log."offset" >= share.next_offset
      order by log."offset" limit ${perShare}
    ) as found
    order by found."offset" - share.next_offset, found.topic, found.partition limit ${size}`.execute(unscoped);
  return rows;
}

// A backlog in every partition is read a few rows of each at a time: with dozens of partitions whole batches of each would
// be read and thrown away. One partition that has it all is read in whole batches again.
const fewestPerShare = 8;

/** How many rows of each partition to read the next time. */
export function nextPerShare(rows: readonly IncomingMessage[], perShare: number, size: number): number {
  if (rows.length >= size) return Math.max(fewestPerShare, Math.ceil(perShare / 2));
  const counts = Map.groupBy(rows, (row) => `${row.topic} ${row.partition}`);
  const isCut = [...counts.values()].some((some) => some.length >= perShare);
  return isCut ? Math.min(size, perShare * 4) : perShare;
}
