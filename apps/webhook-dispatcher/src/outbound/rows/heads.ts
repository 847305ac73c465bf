/** What can be sent: of each chain (endpoint, subject) the first that waits; and what sending it takes. */
import type { Database } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { Chain } from '../../ports.ts';
import { clockOf, isStanding, merchantTime } from './merchant-time.ts';

export interface Head extends Chain {
  readonly deliveryId: string;
  readonly merchantId: string;
  readonly shard: number;
  /** The endpoint has failed since its last success. */
  readonly isFailing: boolean;
  /** By the merchant's clock; negative = overdue. */
  readonly dueInMs: number;
  /** Undefined = never. */
  readonly triedMsAgo: number | undefined;
}

interface HeadRow {
  endpoint_id: string;
  merchant_id: string;
  shard: number;
  is_failing: boolean;
  id: string;
  subject_kind: string;
  subject_id: string;
  due_in_ms: number;
  tried_ms_ago: number | null;
}

// What becomes due until the next look. Of a clock that stands nothing does: its next setting is the next look.
const lookAhead = '5 seconds';

const headColumns = sql`e.id as endpoint_id, e.merchant_id, e.shard, e.first_failure_at is not null as is_failing, head.id, head.subject_kind, head.subject_id,
  extract(epoch from head.due_at - ${merchantTime})::float8 * 1000 as due_in_ms,
  extract(epoch from ${merchantTime} - head.tried_at)::float8 * 1000 as tried_ms_ago`;

/**
 * Heads of the shards' active endpoints that are due, at most `perEndpoint` each, by kind and id of the subject: ids grow with
 * time, so that of each kind the oldest subjects come first. Of a failing
 * endpoint that is new to the caller also those that are not due: one of them will probe it.
 */
export async function scanHeads(
  database: Database<object>,
  where: {
    readonly shards: readonly number[];
    /** Endpoints, or all of a merchant's; undefined = all of the shards'. */
    readonly only: { readonly endpoints: readonly string[]; readonly merchants: readonly string[] } | undefined;
    readonly known: readonly string[];
    readonly without: readonly string[];
    readonly perEndpoint: number;
  },
): Promise<readonly Head[]> {
  const { rows } = await database.everyMerchantStatement('deliveries of all merchants are due', (tx) =>
    sql<HeadRow>`
      select ${headColumns}
      from endpoint e ${clockOf(sql.ref('e.merchant_id'))} cross join lateral (
        select * from (
          select distinct on (d.subject_kind, d.subject_id) d.id, d.subject_kind, d.subject_id, d.due_at, d.tried_at
          from delivery d where d.endpoint_id = e.id and d.status = 'waiting'
          order by d.subject_kind, d.subject_id, d.position
        ) as first
        where case when ${isStanding} then first.due_at <= ${merchantTime}
          else first.due_at <= ${merchantTime} + ${lookAhead}::interval or (e.first_failure_at is not null and e.id <> all (${where.known}::uuid[])) end
        limit ${where.perEndpoint}
      ) as head
      where e.status = 'active' and e.shard = any (${where.shards}::smallint[]) and e.id <> all (${where.without}::uuid[])
        and (${where.only === undefined}::boolean or e.id = any (${where.only?.endpoints ?? []}::uuid[]) or e.merchant_id = any (${where.only?.merchants ?? []}::uuid[]))`.execute(
      tx,
    ),
  );
  return rows.map(toHead);
}

/** The heads of these chains, due or not; of a clock that stands only what is due. */
export async function loadHeads(database: Database<object>, chains: readonly Chain[]): Promise<readonly Head[]> {
  if (chains.length === 0) return [];
  const { rows } = await database.everyMerchantStatement('deliveries of all merchants follow each other', (tx) =>
    // By the endpoints' ids: as a condition of its own their status would have all that are active read for it.
    sql<HeadRow>`
      select ${headColumns}
      from unnest(
        ${chains.map((each) => each.endpointId)}::uuid[], ${chains.map((each) => each.subjectKind)}::text[], ${chains.map((each) => each.subjectId)}::text[]
      ) as chain (endpoint_id, subject_kind, subject_id)
      join endpoint e on e.id = chain.endpoint_id
      ${clockOf(sql.ref('e.merchant_id'))}
      cross join lateral (
        select d.id, d.subject_kind, d.subject_id, d.due_at, d.tried_at from delivery d
        where d.endpoint_id = chain.endpoint_id and d.subject_kind = chain.subject_kind and d.subject_id = chain.subject_id and d.status = 'waiting'
        order by d.position limit 1
      ) as head
      where case when e.status = 'active' then not ${isStanding} or head.due_at <= ${merchantTime} else false end`.execute(
      tx,
    ),
  );
  return rows.map(toHead);
}

function toHead(row: HeadRow): Head {
  return {
    deliveryId: row.id,
    endpointId: row.endpoint_id,
    merchantId: row.merchant_id,
    shard: row.shard,
    isFailing: row.is_failing,
    subjectKind: row.subject_kind,
    subjectId: row.subject_id,
    dueInMs: row.due_in_ms,
    triedMsAgo: row.tried_ms_ago ?? undefined,
  };
}

export interface Shipment {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly merchantId: string;
  readonly endpointId: string;
  readonly shard: number;
  readonly livemode: boolean;
  readonly step: number;
  readonly url: string;
  readonly isSeed: boolean;
  readonly isStandard: boolean;
  /** Sealed. */
  readonly secrets: Buffer;
  /** Sealed; only during the 24 hours after a rotation. */
  readonly oldSecrets: Buffer | undefined;
  /** Sealed. */
  readonly body: Buffer;
  readonly traceparent: string;
  /** The one before it in its chain was given up. */
  readonly hasGap: boolean;
}

interface ShipmentRow {
  id: string;
  event_id: string;
  type: string;
  merchant_id: string;
  endpoint_id: string;
  shard: number;
  livemode: boolean;
  step: number;
  url: string;
  sign_seed: boolean;
  sign_standard: boolean;
  secrets: Buffer;
  old_secrets: Buffer | null;
  body: Buffer;
  traceparent: string;
  has_gap: boolean | null;
}

/**
 * Read at the moment of sending, so that a new address, a new secret, a pause and a deletion count at once. Without
 * `anyStatus` only what still waits for an active endpoint; with it (a resend) whatever it is, unless the endpoint is deleted.
 */
export async function loadShipments(
  database: Database<object>,
  deliveryIds: readonly string[],
  anyStatus = false,
): Promise<readonly Shipment[]> {
  const { rows } = await database.everyMerchantStatement('deliveries of all merchants are sent', (tx) =>
    // By their ids first: the planner, unsure of row-level security, would rather read all deliveries of each endpoint.
    sql<ShipmentRow>`
      with d as materialized (select * from delivery where id = any (${deliveryIds}::uuid[]))
      select d.id, d.event_id, v.type, d.merchant_id, d.endpoint_id, d.shard, e.livemode, d.step, e.url, e.sign_seed, e.sign_standard, e.secrets,
        -- By the wall: a secret lives by the receivers' clocks.
        case when e.rotated_at > now() - interval '24 hours' then e.old_secrets end as old_secrets, v.body, v.traceparent,
        (select p.status = 'exhausted' from delivery p
          where p.endpoint_id = d.endpoint_id and p.subject_kind = d.subject_kind and p.subject_id = d.subject_id and p.position < d.position
          order by p.position desc limit 1) as has_gap
      from d join endpoint e on e.id = d.endpoint_id join event v on v.id = d.event_id
      where case when ${anyStatus}::boolean then e.status <> 'deleted' else e.status = 'active' and d.status = 'waiting' end`.execute(
      tx,
    ),
  );
  return rows.map((row) => ({
    deliveryId: row.id,
    eventId: row.event_id,
    eventType: row.type,
    merchantId: row.merchant_id,
    endpointId: row.endpoint_id,
    shard: row.shard,
    livemode: row.livemode,
    step: row.step,
    url: row.url,
    isSeed: row.sign_seed,
    isStandard: row.sign_standard,
    secrets: row.secrets,
    oldSecrets: row.old_secrets ?? undefined,
    body: row.body,
    traceparent: row.traceparent,
    hasGap: row.has_gap === true,
  }));
}
