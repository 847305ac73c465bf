/** Events and their deliveries, for a batch of messages, in one transaction. */
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { firstSight } from '@tillstream/messaging/once';
import type { Vault } from '@tillstream/vault/vault';
import { sql, type Kysely } from 'kysely';
import type { NewChain, NewEvent } from '../../ports.ts';
import { clockOf, merchantTime } from './merchant-time.ts';

/** What the body of an event is sealed for. */
export function bodyContext(merchantId: string, eventId: string): string {
  return `${merchantId}|event|${eventId}`;
}

export interface Stored {
  /** The chains that have something new. */
  readonly chains: readonly NewChain[];
  /**
   * Merchants with an endpoint of the profile `standard` that wants these events, while none were given in it: nothing was
   * stored, and the caller comes again with them.
   */
  readonly missing: readonly string[];
}

interface WantedRow {
  readonly merchant_id: string;
  readonly endpoint_id: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly shard: number;
  /** The event is in the endpoint's profile. */
  readonly is_in_profile: boolean;
}

class MissingDocuments extends Error {
  override readonly name = 'MissingDocuments';
  readonly merchants: readonly string[];

  constructor(merchants: readonly string[]) {
    super('an endpoint wants these events in a profile in which they were not given');
    this.merchants = merchants;
  }
}

/**
 * Stores what is new and a delivery for each endpoint that wants it now, the paused and the disabled included: what
 * happens while they are off is held for them, not dropped. Events in the profile `seed` are always stored, in the profile
 * `standard` only where an endpoint wants them.
 */
export async function storeEvents(
  database: Database<object>,
  vault: Vault,
  group: string,
  candidates: readonly NewEvent[],
): Promise<Stored> {
  if (candidates.length === 0) return { chains: [], missing: [] };
  const merchants = [...new Set(candidates.map((each) => each.merchantId))];
  const complete = new Set(candidates.filter(({ profile }) => profile === 'standard').map((each) => each.merchantId));
  try {
    const rows = await database.transaction(merchants, async (tx) => {
      const isNew = await firstSight(
        tx,
        group,
        candidates.map((each) => each.messageId),
      );
      const found = await insert(
        tx,
        vault,
        candidates.filter((each) => isNew.has(each.messageId)),
      );
      const missing = found.filter((row) => !row.is_in_profile && !complete.has(row.merchant_id));
      // Thrown, so that nothing of it is stored.
      if (missing.length > 0) throw new MissingDocuments([...new Set(missing.map((row) => row.merchant_id))]);
      return found;
    });
    const chains = new Map(
      rows
        .filter((row) => row.is_in_profile)
        .map((row) => [
          `${row.endpoint_id} ${row.subject_kind} ${row.subject_id}`,
          {
            endpointId: row.endpoint_id,
            subjectKind: row.subject_kind,
            subjectId: row.subject_id,
            shard: row.shard,
          },
        ]),
    );
    return { chains: [...chains.values()], missing: [] };
  } catch (error) {
    if (error instanceof MissingDocuments) return { chains: [], missing: error.merchants };
    throw error;
  }
}

/** Answers each endpoint that wants one of the events, also where the event is not in its profile. */
async function insert(tx: Kysely<object>, vault: Vault, fresh: readonly NewEvent[]): Promise<readonly WantedRow[]> {
  if (fresh.length === 0) return [];
  // Within a millisecond the ids are random: sorted, lists by id show the events as they happened.
  const ids = fresh.map(() => randomUUIDv7()).toSorted();
  const events = fresh.map((each, index) => ({ ...each, id: ids[index] ?? randomUUIDv7() }));
  const { rows } = await sql<WantedRow>`
    with made as (
      insert into event (id, merchant_id, livemode, source_event_id, item_id, type, payload_profile, subject_kind, subject_id, order_id, position,
        occurred_at, body, traceparent, created_at)
      select new.*, ${merchantTime} from unnest(
        ${events.map((each) => each.id)}::uuid[], ${events.map((each) => each.merchantId)}::uuid[], ${events.map((each) => each.livemode)}::boolean[],
        ${events.map((each) => each.sourceEventId)}::uuid[], ${events.map((each) => each.itemId)}::bigint[], ${events.map((each) => each.type)}::text[],
        ${events.map((each) => each.profile)}::text[], ${events.map((each) => each.subjectKind)}::text[], ${events.map((each) => each.subjectId)}::text[],
        ${events.map((each) => each.orderId ?? null)}::bigint[], ${events.map((each) => each.position)}::bigint[],
        ${events.map((each) => each.occurredAt)}::timestamptz[],
        ${events.map((each) => vault.seal(each.body, bodyContext(each.merchantId, each.id)))}::bytea[],
        ${events.map((each) => each.traceparent)}::text[]
      ) as new (id, merchant_id, livemode, source_event_id, item_id, type, payload_profile, subject_kind, subject_id, order_id, position,
        occurred_at, body, traceparent)
      ${clockOf(sql.ref('new.merchant_id'))}
      where new.payload_profile = 'seed' or exists (
        select from endpoint e
        where e.merchant_id = new.merchant_id and e.status <> 'deleted' and e.payload_profile = new.payload_profile
          and (e.events = '{}' or new.type = any (e.events)))
      on conflict (merchant_id, source_event_id, item_id) do nothing
      returning id, merchant_id, type, payload_profile, subject_kind, subject_id, order_id, position, created_at
    ), wanted as (
      select made.*, e.id as endpoint_id, e.shard, e.payload_profile = made.payload_profile as is_in_profile
      from made join endpoint e on e.merchant_id = made.merchant_id and e.status <> 'deleted' and (e.events = '{}' or made.type = any (e.events))
      where e.payload_profile = made.payload_profile or made.payload_profile = 'seed'
      -- A deletion waits for this commit and cancels what it made, or is waited for and leaves nothing to make.
      for key share of e
    ), queued as (
      insert into delivery (merchant_id, endpoint_id, event_id, shard, subject_kind, subject_id, order_id, position, status, due_at, created_at)
      select merchant_id, endpoint_id, id, shard, subject_kind, subject_id, order_id, position, 'waiting', created_at, created_at
      from wanted where is_in_profile order by subject_kind, subject_id, position, endpoint_id
    )
    select merchant_id, endpoint_id, subject_kind, subject_id, shard, is_in_profile from wanted`.execute(tx);
  return rows;
}

/** The merchants with an endpoint of the profile `standard` that wants events of one of these types. */
export async function merchantsThatWant(
  database: Database<object>,
  merchants: readonly string[],
  types: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await database.statement(merchants, (one) =>
    sql<{ merchant_id: string }>`
      select distinct e.merchant_id from endpoint e
      where e.merchant_id = any (${merchants}::uuid[]) and e.status <> 'deleted' and e.payload_profile = 'standard'
        and (e.events = '{}' or e.events && ${types}::text[])`.execute(one),
  );
  return new Set(rows.map((row) => row.merchant_id));
}
