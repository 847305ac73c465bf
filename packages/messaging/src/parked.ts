/** Messages that could not be handled, kept in order per key until somebody has mended the cause and replays them. */
import { sql } from 'kysely';
import type { AnyDatabase } from '@tillstream/database/database';
import type { IncomingMessage, MessageHeaders, Subscription } from './message.ts';

export interface ParkedMessage {
  readonly id: bigint;
  readonly consumer: string;
  readonly topic: string;
  readonly key: string;
  readonly error: string;
  readonly parkedAt: Date;
}

/** The `topic key` of this batch that have a parked message. */
export async function keysParked(database: AnyDatabase, consumer: string, batch: readonly IncomingMessage[]): Promise<ReadonlySet<string>> {
  const { rows } = await database.untyped('parked messages are looked up by key', (tx) =>
    sql<{ topic: string; key: string }>`
      select distinct topic, key from parked_message
      where consumer = ${consumer} and (topic, key) in (
        select * from unnest(${batch.map((each) => each.topic)}::text[], ${batch.map((each) => each.key)}::text[]))`.execute(tx),
  );
  return new Set(rows.map((row) => `${row.topic} ${row.key}`));
}

export async function park(database: AnyDatabase, consumer: string, messages: readonly IncomingMessage[], error: string): Promise<void> {
  await database.untyped('messages of all merchants may be parked', (tx) =>
    sql`
      insert into parked_message (consumer, topic, key, partition, "offset", value, headers, error)
      select ${consumer}, t.topic, t.key, t.partition, t."offset", t.value, t.headers, ${error}
      from unnest(
        ${messages.map((each) => each.topic)}::text[], ${messages.map((each) => each.key)}::text[], ${messages.map((each) => each.partition)}::integer[],
        ${messages.map((each) => each.offset)}::bigint[], ${messages.map((each) => Buffer.from(each.value))}::bytea[],
        ${messages.map((each) => JSON.stringify(each.headers))}::jsonb[]
      ) with ordinality as t (topic, key, partition, "offset", value, headers, place)
      order by t.place
      on conflict (consumer, topic, partition, "offset") do nothing`.execute(tx),
  );
}

/** Newest first, at most a hundred; `before` is the id to go on from. */
export async function listParked(database: AnyDatabase, before?: bigint): Promise<readonly ParkedMessage[]> {
  const { rows } = await database.untyped('parked messages are for operators', (tx) =>
    sql<{ id: bigint; consumer: string; topic: string; key: string; error: string; parked_at: Date }>`
      select id, consumer, topic, key, error, parked_at from parked_message
      where id < ${before ?? 9_223_372_036_854_775_807n} order by id desc limit 100`.execute(tx),
  );
  return rows.map((row) => ({ id: row.id, consumer: row.consumer, topic: row.topic, key: row.key, error: row.error, parkedAt: row.parked_at }));
}

/**
 * Handles the parked messages of one key again, in order, and removes those that were handled. Throws at the first that
 * fails; it and what follows stay parked.
 */
export async function replayParked(database: AnyDatabase, subscription: Subscription, topic: string, key: string): Promise<number> {
  let replayed = 0;
  for (;;) {
    const { rows } = await database.untyped('parked messages are replayed', (tx) =>
      sql<{ id: bigint; partition: number; offset: bigint; value: Buffer; headers: MessageHeaders }>`
        select id, partition, "offset", value, headers from parked_message
        where consumer = ${subscription.group} and topic = ${topic} and key = ${key} order by id limit 100`.execute(tx),
    );
    if (rows.length === 0) return replayed;
    for (const row of rows) {
      await subscription.handle([{ topic, key, partition: row.partition, offset: row.offset, value: row.value, headers: row.headers }]);
      // A crash here handles it once more; the inbox knows it.
      await database.untyped('a replayed message is no longer parked', (tx) => sql`delete from parked_message where id = ${row.id}`.execute(tx));
      replayed += 1;
    }
  }
}

export async function countParked(database: AnyDatabase): Promise<number> {
  const { rows } = await database.untyped('parked messages are counted', (tx) => sql<{ count: bigint }>`select count(*) from parked_message`.execute(tx));
  return Number(rows[0]?.count ?? 0n);
}
