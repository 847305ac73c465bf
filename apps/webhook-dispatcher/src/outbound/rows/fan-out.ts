/** Events and their deliveries, for a batch of order events, in one transaction. */
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { firstSight } from '@tillstream/messaging/once';
import type { Vault } from '@tillstream/vault/vault';
import { sql } from 'kysely';
import type { Chain } from './heads.ts';
import { clockOf, merchantTime } from './merchant-time.ts';

export interface NewEvent {
  readonly messageId: string;
  readonly sourceEventId: string;
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly itemId: bigint;
  readonly type: string;
  readonly orderId: bigint;
  /** Grows along the order's story. */
  readonly position: bigint;
  readonly occurredAt: Date;
  readonly body: string;
  readonly traceparent: string;
}

/** A chain that has something new, and who schedules it. */
export interface NewChain extends Chain {
  readonly shard: number;
}

/** What the body of an event is sealed for. */
export function bodyContext(merchantId: string, eventId: string): string {
  return `${merchantId}|event|${eventId}`;
}

/**
 * Stores what is new and a delivery for each endpoint that wants it now, the paused and the disabled included: what
 * happens while they are off is held for them, not dropped. Answers the chains that have something new.
 */
export async function storeEvents(
  database: Database<object>,
  vault: Vault,
  group: string,
  candidates: readonly NewEvent[],
): Promise<readonly NewChain[]> {
  if (candidates.length === 0) return [];
  const merchants = [...new Set(candidates.map((each) => each.merchantId))];
  return database.transaction(merchants, async (tx) => {
    const isNew = await firstSight(
      tx,
      group,
      candidates.map((each) => each.messageId),
    );
    const fresh = candidates.filter((each) => isNew.has(each.messageId));
    // Within a millisecond the ids are random: sorted, lists by id show the events as they happened.
    const ids = fresh.map(() => randomUUIDv7()).toSorted();
    const events = fresh.map((each, at) => ({ ...each, id: ids[at] ?? randomUUIDv7() }));
    if (events.length === 0) return [];
    const { rows } = await sql<{ endpoint_id: string; order_id: bigint; shard: number }>`
      with made as (
        insert into event (id, merchant_id, livemode, source_event_id, item_id, type, order_id, position, occurred_at, body, traceparent, created_at)
        select new.*, ${merchantTime} from unnest(
          ${events.map((each) => each.id)}::uuid[], ${events.map((each) => each.merchantId)}::uuid[], ${events.map((each) => each.livemode)}::boolean[],
          ${events.map((each) => each.sourceEventId)}::uuid[], ${events.map((each) => each.itemId)}::bigint[], ${events.map((each) => each.type)}::text[],
          ${events.map((each) => each.orderId)}::bigint[], ${events.map((each) => each.position)}::bigint[],
          ${events.map((each) => each.occurredAt)}::timestamptz[],
          ${events.map((each) => vault.seal(each.body, bodyContext(each.merchantId, each.id)))}::bytea[],
          ${events.map((each) => each.traceparent)}::text[]
        ) as new (id, merchant_id, livemode, source_event_id, item_id, type, order_id, position, occurred_at, body, traceparent)
        ${clockOf(sql.ref('new.merchant_id'))}
        on conflict (merchant_id, source_event_id, item_id) do nothing
        returning id, merchant_id, type, order_id, position, created_at
      )
      insert into delivery (merchant_id, endpoint_id, event_id, shard, order_id, position, status, due_at, created_at)
      select made.merchant_id, e.id, made.id, e.shard, made.order_id, made.position, 'waiting', made.created_at, made.created_at
      from made join endpoint e on e.merchant_id = made.merchant_id and e.status <> 'deleted' and (e.events = '{}' or made.type = any (e.events))
      order by made.order_id, made.position, e.id
      -- A deletion waits for this commit and cancels what it made, or is waited for and leaves nothing to make.
      for key share of e
      returning endpoint_id, order_id, shard`.execute(tx);
    const chains = new Map(
      rows.map((row) => [
        `${row.endpoint_id} ${row.order_id}`,
        { endpointId: row.endpoint_id, orderId: row.order_id, shard: row.shard },
      ]),
    );
    return [...chains.values()];
  });
}
