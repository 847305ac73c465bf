/** Inbox and outbox by hand, for effects that are rows without a machine (a fan-out, a mail). Inside one transaction. */
import { sql, type Kysely } from 'kysely';
import { probe } from '@tillstream/telemetry/probe';
import type { OutgoingMessage } from './message.ts';

export interface Origin {
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** Notes the messages as seen by this consumer and answers those that it had not seen. */
export async function firstSight<S>(
  tx: Kysely<S>,
  consumer: string,
  messageIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (messageIds.length === 0) return new Set();
  const { rows } = await sql<{ message_id: string }>`
    insert into inbox (consumer, message_id)
    select ${consumer}, message_id from unnest(${[...new Set(messageIds)]}::uuid[]) as t (message_id) order by message_id
    on conflict do nothing returning message_id`.execute(tx);
  if (rows.length > 0) probe('inbox open');
  return new Set(rows.map((row) => row.message_id));
}

/** Puts messages into the outbox, in this order; the origins are theirs one by one. */
export async function announce<S>(
  tx: Kysely<S>,
  messages: readonly OutgoingMessage[],
  origins: readonly Origin[],
): Promise<void> {
  if (messages.length === 0) return;
  if (messages.length !== origins.length) throw new Error('announce: every message needs its origin');
  // The clock of a merchant who travels in time counts what is said of it (merchant-clocks.ts); others have no row.
  await sql`
    with counted as (
      update merchant_clock set said = said + t.count
      from (select merchant_id, count(*) from unnest(${messages.map((each) => each.headers.merchant_id)}::uuid[]) as m (merchant_id) group by merchant_id) as t
      where merchant_clock.merchant_id = t.merchant_id
    )
    insert into outbox (event_id, topic, key, value, headers, aggregate_type, aggregate_id, version)
    select * from unnest(
      ${messages.map((each) => each.headers.ce_id)}::uuid[],
      ${messages.map((each) => each.topic)}::text[],
      ${messages.map((each) => each.key)}::text[],
      ${messages.map((each) => Buffer.from(each.value))}::bytea[],
      ${messages.map((each) => JSON.stringify(each.headers))}::jsonb[],
      ${origins.map((each) => each.type)}::text[],
      ${origins.map((each) => each.id)}::text[],
      ${origins.map((each) => each.version)}::bigint[]
    )`.execute(tx);
}
