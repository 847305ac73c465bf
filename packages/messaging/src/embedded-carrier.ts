/**
 * A carrier on Postgres, so that a newcomer needs neither Docker nor Java. Same promises as Kafka: order per key, at
 * least once, consumer groups. One log table; publishing takes the partition's head row, so offsets have no gaps and
 * become visible in order.
 */
import { EventEmitter } from 'node:events';
import { createHash, randomUUID } from 'node:crypto';
import { openDatabase, type AnyDatabase } from '@tillstream/database/database';
import type { DatabaseOptions } from '@tillstream/database/pools';
import { sql, type Kysely } from 'kysely';
import type { PoolClient } from 'pg';
import { startGroupMember, type GroupMember } from './embedded-group.ts';
import { Positions } from './embedded-positions.ts';
import { Tail } from './embedded-tail.ts';
import { gather } from './gather.ts';
import type { Log } from './log.ts';
import { startLoop } from './loop.ts';
import type { Carrier, IncomingMessage, OutgoingMessage, TopicDeclaration } from './message.ts';

const channel = 'tillstream_carrier';
// NOTIFY ends group commit when it is inside transactions; outside and at most this often it costs nothing.
const notifyEveryMs = 20;
const reopenAfterMs = 1_000;
const retention = '7 days';
const sweepEveryMs = 600_000;

export function embeddedCarrier(options: {
  url: string;
  log: Log;
  maxConnections?: number;
  makePool?: DatabaseOptions['makePool'];
}): Carrier {
  const database: AnyDatabase = openDatabase({
    url: options.url,
    schema: 'carrier',
    applicationName: 'carrier',
    maxConnections: options.maxConnections ?? 8,
    ...(options.makePool === undefined ? {} : { makePool: options.makePool }),
  });
  const arrivals = new EventEmitter().setMaxListeners(100);
  const partitionsOf = new Map<string, number>();
  const members = new Set<GroupMember>();
  const tail = new Tail();
  const positions = new Positions(database);
  // NOTIFY reaches its own sender too, who knows already.
  const self = randomUUID();
  const listener = listen(database, arrivals, self);
  let notifying: NodeJS.Timeout | undefined;
  const unsaid = new Set<string>();
  const sweeper = startLoop({
    name: 'carrier sweep',
    turn: () => sweep(database),
    idleMs: sweepEveryMs,
    log: options.log,
  });

  // Nobody else hears: who comes looks once a second, until we know of it with the next heartbeat.
  const isAlone = () => members.size > 0 && [...members].every((member) => member.membersAlive() <= members.size);

  const announceArrival = (topics: Iterable<string>) => {
    for (const topic of topics) {
      arrivals.emit(topic);
      unsaid.add(topic);
    }
    if (isAlone()) unsaid.clear();
    if (unsaid.size === 0) return;
    notifying ??= setTimeout(() => {
      notifying = undefined;
      const payload = [self, ...unsaid].join(' ');
      unsaid.clear();
      database.pool.query('select pg_notify($1, $2)', [channel, payload]).catch(() => undefined);
    }, notifyEveryMs);
  };

  // What several relays give at the same time is one statement and one commit.
  const write = gather(async (placed: readonly Placed[]) => {
    const appended = await database.untypedStatement('the carrier moves the messages of all merchants', (tx) =>
      append(tx, placed),
    );
    tail.add(appended);
    return appended;
  });

  const hurry = (group: string, isBehind: boolean) => {
    for (const member of members) if (member.group === group) member.hurry(isBehind);
  };

  const partitionCount = async (topic: string): Promise<number> => {
    const known = partitionsOf.get(topic);
    if (known !== undefined) return known;
    const { rows } = await database.pool.query<{ partitions: number }>('select partitions from topic where name = $1', [
      topic,
    ]);
    const [found] = rows;
    if (found === undefined) throw new Error(`the topic ${topic} was not declared`);
    partitionsOf.set(topic, found.partitions);
    return found.partitions;
  };

  return {
    async declare(topics) {
      await database.untyped('topics belong to no merchant', (tx) => declareIn(tx, topics));
    },
    async publish(batch) {
      if (batch.length === 0) return;
      const placed: Placed[] = [];
      for (const message of batch)
        placed.push({ message, partition: partitionFor(message.key, await partitionCount(message.topic)) });
      await write('log', placed);
      announceArrival(new Set(batch.map((message) => message.topic)));
    },
    async subscribe(subscription) {
      const member = await startGroupMember({ database, arrivals, tail, positions, subscription, log: options.log });
      members.add(member);
      return {
        stop: async () => {
          members.delete(member);
          await member.stop();
        },
      };
    },
    async lag(group, topics) {
      await positions.write();
      const { rows } = await database.pool.query<{ lag: string }>({
        name: 'read-lag',
        text: `
          select coalesce(sum(head.next_offset - coalesce(mine.next_offset, 0)), 0)::bigint as lag from partition_head head
          left join group_offset mine on mine.topic = head.topic and mine.partition = head.partition and mine.consumer_group = $1
          where head.topic = any ($2)`,
        values: [group, topics],
      });
      const lag = BigInt(rows[0]?.lag ?? 0);
      hurry(group, lag > 0n);
      return lag;
    },
    async heads(topics) {
      const { rows } = await database.pool.query<{ topic: string; partition: number; next_offset: bigint }>({
        name: 'read-heads',
        text: 'select topic, partition, next_offset from partition_head where topic = any ($1)',
        values: [topics],
      });
      return rows.map((row) => ({ topic: row.topic, partition: row.partition, next: row.next_offset }));
    },
    async hasHeard(group, heads) {
      await positions.write();
      const { rows } = await database.pool.query<{ is_behind: boolean }>({
        name: 'has-heard',
        text: `select exists (
          select from unnest($2::text[], $3::integer[], $4::bigint[]) as head (topic, partition, next)
          left join group_offset mine on mine.topic = head.topic and mine.partition = head.partition and mine.consumer_group = $1
          where coalesce(mine.next_offset, 0) < head.next) as is_behind`,
        values: [
          group,
          heads.map((head) => head.topic),
          heads.map((head) => head.partition),
          heads.map((head) => head.next),
        ],
      });
      return rows[0]?.is_behind === false;
    },
    check: () => database.check(),
    async close() {
      await sweeper.stop();
      await Promise.all([...members].map((member) => member.stop()));
      positions.close();
      clearTimeout(notifying);
      await listener.close();
      await database.close();
    },
  };
}

interface Placed {
  readonly message: OutgoingMessage;
  readonly partition: number;
}

/** Stable over processes and versions: a key never changes its partition. */
function partitionFor(key: string, partitions: number): number {
  return createHash('sha1').update(key).digest().readUInt32BE(0) % partitions;
}

type Tx = Kysely<object>;

async function declareIn(tx: Tx, topics: readonly TopicDeclaration[]): Promise<void> {
  const sorted = topics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  await sql`
    insert into topic (name, partitions) select * from unnest(${sorted.map((each) => each.name)}::text[], ${sorted.map((each) => each.partitions)}::integer[])
    on conflict do nothing`.execute(tx);
  await sql`
    insert into partition_head (topic, partition)
    select name, generate_series(0, partitions - 1) from topic where name = any (${sorted.map((each) => each.name)}) order by 1, 2
    on conflict do nothing`.execute(tx);
}

/**
 * One statement: takes the heads in a fixed order (so that two publishers cannot wait for each other), and appends. Answers
 * what was appended, with its offsets.
 */
async function append(tx: Tx, placed: readonly Placed[]): Promise<readonly IncomingMessage[]> {
  const { rows } = await sql<{ topic: string; partition: number; base: bigint }>`
    with incoming as (
      select *, row_number() over (partition by topic, partition order by place) - 1 as nth
      from unnest(
        ${placed.map((each) => each.message.topic)}::text[], ${placed.map((each) => each.partition)}::integer[],
        ${placed.map((each) => each.message.key)}::text[], ${placed.map((each) => Buffer.from(each.message.value))}::bytea[],
        ${placed.map((each) => JSON.stringify(each.message.headers))}::jsonb[]
      ) with ordinality as t (topic, partition, key, value, headers, place)
    ), counted as (
      select topic, partition, count(*) as many from incoming group by topic, partition
    ), locked as (
      select head.topic, head.partition, counted.many from partition_head head join counted using (topic, partition)
      order by head.topic, head.partition for update of head
    ), moved as (
      update partition_head head set next_offset = head.next_offset + locked.many from locked
      where head.topic = locked.topic and head.partition = locked.partition
      returning head.topic, head.partition, head.next_offset - locked.many as base
    ), written as (
      insert into log (topic, partition, "offset", key, value, headers)
      select incoming.topic, incoming.partition, moved.base + incoming.nth, incoming.key, incoming.value, incoming.headers
      from incoming join moved using (topic, partition)
    )
    select topic, partition, base from moved`.execute(tx);
  const next = new Map(rows.map((row) => [`${row.topic} ${row.partition}`, row.base]));
  return placed.flatMap(({ message, partition }) => {
    const name = `${message.topic} ${partition}`;
    const offset = next.get(name);
    if (offset === undefined) return [];
    next.set(name, offset + 1n);
    return [{ ...message, partition, offset }];
  });
}

async function sweep(database: AnyDatabase): Promise<boolean> {
  const limit = 5_000;
  const result = await database.pool.query(
    // From the beginning of each partition, where the oldest are.
    `delete from log where ctid = any (array(
       select old.ctid from partition_head head cross join lateral (
         select log.ctid, created_at from log where log.topic = head.topic and log.partition = head.partition order by "offset" limit 500
       ) as old where old.created_at < now() - $1::interval limit ${limit}))`,
    [retention],
  );
  return (result.rowCount ?? 0) === limit;
}

/** Hears of other processes' publications; a broken connection is opened again, and polling covers the gap. */
function listen(database: AnyDatabase, arrivals: EventEmitter, self: string): { close(): Promise<void> } {
  let isClosed = false;
  let client: PoolClient | undefined;
  let reopening: NodeJS.Timeout | undefined;
  const open = async (): Promise<void> => {
    let fresh: PoolClient | undefined;
    const lose = () => {
      if (fresh === undefined) return;
      // Given back as broken: a connection that is only dropped would keep its place in the pool.
      fresh.release(true);
      fresh = undefined;
      client = undefined;
      if (!isClosed) reopening = setTimeout(() => void open(), reopenAfterMs);
    };
    try {
      fresh = await database.pool.connect();
      client = fresh;
      fresh.on('notification', ({ payload = '' }) => {
        const [sender, ...topics] = payload.split(' ');
        if (sender !== self) for (const topic of topics) arrivals.emit(topic, true);
      });
      fresh.once('end', lose);
      await fresh.query(`listen ${channel}`);
    } catch {
      if (fresh === undefined && !isClosed) reopening = setTimeout(() => void open(), reopenAfterMs);
      lose();
    }
  };
  const opening = open();
  return {
    close: async () => {
      isClosed = true;
      clearTimeout(reopening);
      await opening;
      const last = client;
      client = undefined;
      last?.removeAllListeners('end');
      last?.release(true);
    },
  };
}
