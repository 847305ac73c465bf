/**
 * Messages that could not be handled, kept in order per key until somebody has mended the cause and replays them. While
 * one of a key is here, what follows of that key goes here too.
 */
import { sql, type Kysely } from 'kysely';
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

interface Keyed {
  readonly topic: string;
  readonly key: string;
}

export function keyOf(message: Keyed): string {
  return `${message.topic} ${message.key}`;
}

// Who had a partition before us may park one more when it wakes up from a long pause: it is seen within this time. It was
// given to us as well, so that nothing of its key waits behind it.
const emptyForMs = 10_000;

/**
 * What a consumer knows of its parked messages. Nearly always there are none: that is asked every ten seconds, not for each
 * batch, and again after this consumer parked something or took a partition over. Only who has a key's partition parks it.
 */
export class ParkedKeys {
  readonly #database: AnyDatabase;
  readonly #consumer: string;
  #emptyUntilMs = 0;
  // Of the last forgetting: what was asked before it is not remembered.
  #turn = 0;

  constructor(database: AnyDatabase, consumer: string) {
    this.#database = database;
    this.#consumer = consumer;
  }

  /** The `topic key` of this batch that have a parked message. */
  async among(batch: readonly IncomingMessage[]): Promise<ReadonlySet<string>> {
    const now = performance.now();
    if (now < this.#emptyUntilMs) return new Set();
    const turn = this.#turn;
    const { rows } = await sql<Keyed & { has_any: boolean }>`
      select t.topic, t.key, true as has_any from (select distinct topic, key from parked_message where consumer = ${this.#consumer}
        and (topic, key) in (select * from unnest(${batch.map((each) => each.topic)}::text[], ${batch.map((each) => each.key)}::text[]))) as t
      union all select '', '', false where not exists (select from parked_message where consumer = ${this.#consumer})`.execute(
      this.#database.unscoped,
    );
    if (rows.some((row) => !row.has_any) && turn === this.#turn) this.#emptyUntilMs = now + emptyForMs;
    return new Set(rows.filter((row) => row.has_any).map(keyOf));
  }

  forget(): void {
    this.#turn += 1;
    this.#emptyUntilMs = 0;
  }
}

export async function park(
  database: AnyDatabase,
  consumer: string,
  messages: readonly IncomingMessage[],
  error: string,
): Promise<void> {
  await database.untypedStatement('messages of all merchants may be parked', (one) =>
    insert(one, consumer, messages, error),
  );
}

/**
 * Parks those messages whose key is parked, and answers these keys. Looks again under the key's lock: a replay may have
 * emptied the key since it was looked up, and what is then put behind it would wait for nobody.
 */
export async function parkBehind(
  database: AnyDatabase,
  consumer: string,
  messages: readonly IncomingMessage[],
): Promise<ReadonlySet<string>> {
  return database.untyped('messages of all merchants may be parked', async (tx) => {
    const keys = [...new Map(messages.map((message) => [keyOf(message), message])).values()];
    await lockKeys(tx, consumer, keys);
    const { rows } = await sql<Keyed>`
      select distinct topic, key from parked_message
      where consumer = ${consumer} and (topic, key) in (
        select * from unnest(${keys.map((each) => each.topic)}::text[], ${keys.map((each) => each.key)}::text[]))`.execute(
      tx,
    );
    const parked = new Set(rows.map(keyOf));
    const behind = messages.filter((message) => parked.has(keyOf(message)));
    if (behind.length > 0) await insert(tx, consumer, behind, 'an earlier message of this key is parked');
    return parked;
  });
}

/** Newest first, at most a hundred; `before` is the id to go on from. */
export async function listParked(database: AnyDatabase, before?: bigint): Promise<readonly ParkedMessage[]> {
  const { rows } = await sql<{
    id: bigint;
    consumer: string;
    topic: string;
    key: string;
    error: string;
    parked_at: Date;
  }>`
    select id, consumer, topic, key, error, parked_at from parked_message
    where id < ${before ?? 9_223_372_036_854_775_807n} order by id desc limit 100`.execute(database.unscoped);
  return rows.map((row) => ({
    id: row.id,
    consumer: row.consumer,
    topic: row.topic,
    key: row.key,
    error: row.error,
    parkedAt: row.parked_at,
  }));
}

/**
 * Handles the parked messages of one key again, in order, and removes those that were handled; then the key flows again.
 * Throws at the first that fails; it and what follows stay parked. Two replays of one key at once do no harm: the inbox
 * knows what the other has handled.
 */
export async function replayParked(
  database: AnyDatabase,
  subscription: Subscription,
  topic: string,
  key: string,
): Promise<number> {
  const consumer = subscription.group;
  let replayed = 0;
  for (;;) {
    const { rows } = await sql<{
      id: bigint;
      partition: number;
      offset: bigint;
      value: Buffer;
      headers: MessageHeaders;
    }>`
      select id, partition, "offset", value, headers from parked_message
      where consumer = ${consumer} and topic = ${topic} and key = ${key} order by id limit 100`.execute(
      database.unscoped,
    );
    if (rows.length === 0) return replayed;
    for (const row of rows) {
      await subscription.handle([
        { topic, key, partition: row.partition, offset: row.offset, value: row.value, headers: row.headers },
      ]);
      // A crash here handles it once more; the inbox knows it.
      await database.untyped('a replayed message is no longer parked', async (tx) => {
        await lockKeys(tx, consumer, [{ topic, key }]);
        await sql`delete from parked_message where id = ${row.id}`.execute(tx);
      });
      replayed += 1;
    }
  }
}

export async function countParked(database: AnyDatabase): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`select count(*) from parked_message`.execute(database.unscoped);
  return Number(rows[0]?.count ?? 0n);
}

async function insert(
  tx: Kysely<object>,
  consumer: string,
  messages: readonly IncomingMessage[],
  error: string,
): Promise<void> {
  await sql`
    insert into parked_message (consumer, topic, key, partition, "offset", value, headers, error)
    select ${consumer}, t.topic, t.key, t.partition, t."offset", t.value, t.headers, ${error}
    from unnest(
      ${messages.map((each) => each.topic)}::text[], ${messages.map((each) => each.key)}::text[], ${messages.map((each) => each.partition)}::integer[],
      ${messages.map((each) => each.offset)}::bigint[], ${messages.map((each) => Buffer.from(each.value))}::bytea[],
      ${messages.map((each) => JSON.stringify(each.headers))}::jsonb[]
    ) with ordinality as t (topic, key, partition, "offset", value, headers, place)
    order by t.place
    on conflict (consumer, topic, partition, "offset") do nothing`.execute(tx);
}

/** In a fixed order, so that two batches cannot wait for each other. Two keys with one hash only share a lock. */
async function lockKeys(tx: Kysely<object>, consumer: string, keys: readonly Keyed[]): Promise<void> {
  await sql`
    select pg_advisory_xact_lock(hashtext('tillstream parked'), hash)
    from (select distinct hashtext(name) as hash from unnest(${keys.map((key) => `${consumer} ${keyOf(key)}`)}::text[]) as t (name) order by 1) as sorted`.execute(
    tx,
  );
}
