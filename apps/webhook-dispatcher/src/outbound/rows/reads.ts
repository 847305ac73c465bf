/** Events and deliveries as merchants and the timeline see them. */
import type { Database } from '@tillstream/database/database';
import type { Vault } from '@tillstream/vault/vault';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { AttemptRow, DeliveryFilter, DeliveryView, EventView, Page } from '../../ports.ts';
import { bodyContext } from './fan-out.ts';
import { all, pageOf, type PageQuery } from './paging.ts';

interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly payload_profile: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly order_id: bigint | null;
  readonly occurred_at: Date;
  /** Sealed. */
  readonly body: Buffer;
  readonly livemode: boolean;
}

// More attempts than this are made by hand only; the newest are shown.
const attemptsShown = 50;
const timelineLimit = 200;

export class Reads {
  readonly #database: Database<object>;
  readonly #vault: Vault;

  constructor(database: Database<object>, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  async getEvent(merchantId: string, id: string): Promise<EventView | undefined> {
    const page = await this.#events(merchantId, sql`v.id = ${id}::uuid`);
    return page[0];
  }

  async listEvents(
    merchantId: string,
    filter: { type: string; orderId: bigint },
    query: PageQuery,
  ): Promise<Page<EventView>> {
    const rows = await this.#events(
      merchantId,
      sql`${all(
        filter.type === '' ? undefined : sql`v.type = ${filter.type}::text`,
        filter.orderId === 0n ? undefined : sql`v.order_id = ${filter.orderId}::bigint`,
        query.where('v.id', merchantId),
      )} ${query.order('v.id')}`,
    );
    return pageOf(rows, query);
  }

  async #events(merchantId: string, condition: RawBuilder<unknown>): Promise<readonly EventView[]> {
    const { rows } = await this.#database.statement([merchantId], (tx) =>
      sql<EventRow>`
        select v.id, v.type, v.payload_profile, v.subject_kind, v.subject_id, v.order_id, v.occurred_at, v.body, v.livemode from event v
        where v.merchant_id = ${merchantId}::uuid and ${condition}`.execute(tx),
    );
    return rows.map((row) => ({
      id: row.id,
      type: row.type,
      profile: row.payload_profile,
      subjectKind: row.subject_kind,
      subjectId: row.subject_id,
      orderId: row.order_id ?? undefined,
      occurredAt: row.occurred_at,
      body: this.#vault.open(row.body, bodyContext(merchantId, row.id)).toString('utf8'),
      livemode: row.livemode,
    }));
  }

  async getDelivery(merchantId: string, id: string): Promise<DeliveryView | undefined> {
    const rows = await this.#database.transaction([merchantId], (tx) =>
      readDeliveries(tx, merchantId, sql`d.id = ${id}::uuid`),
    );
    return rows[0];
  }

  async listDeliveries(merchantId: string, filter: DeliveryFilter, query: PageQuery): Promise<Page<DeliveryView>> {
    const { endpointId, eventId, status, orderId } = filter;
    const rows = await this.#database.transaction([merchantId], (tx) =>
      readDeliveries(
        tx,
        merchantId,
        sql`${all(
          endpointId === undefined ? undefined : sql`d.endpoint_id = ${endpointId}::uuid`,
          eventId === undefined ? undefined : sql`d.event_id = ${eventId}::uuid`,
          orderId === undefined ? undefined : sql`d.order_id = ${orderId}::bigint`,
          status === undefined
            ? undefined
            : sql`${status}::text = case when d.status = 'waiting' and e.status <> 'active' then 'held' else d.status end`,
          query.where('d.id', merchantId),
        )} ${query.order('d.id')}`,
      ),
    );
    return pageOf(rows, query);
  }

  /** Oldest first. */
  ofOrder(merchantId: string, orderId: bigint): Promise<readonly DeliveryView[]> {
    return this.#database.transaction([merchantId], (tx) =>
      readDeliveries(
        tx,
        merchantId,
        sql`d.order_id = ${orderId}::bigint order by d.position, d.id limit ${timelineLimit}`,
      ),
    );
  }
}

async function readDeliveries(
  tx: Kysely<object>,
  merchantId: string,
  condition: RawBuilder<unknown>,
): Promise<readonly DeliveryView[]> {
  const { rows } = await sql<Omit<DeliveryView, 'attempts'>>`
    select d.id, d.event_id, v.type as event_type, d.endpoint_id, d.subject_kind, d.subject_id, d.order_id, v.livemode, v.traceparent, v.occurred_at, d.created_at, d.done_at,
      case when d.status = 'waiting' and e.status <> 'active' then 'held' else d.status end as status,
      case when d.status = 'waiting' then d.due_at end as due_at
    from delivery d join event v on v.id = d.event_id join endpoint e on e.id = d.endpoint_id
    where d.merchant_id = ${merchantId}::uuid and ${condition}`.execute(tx);
  const { rows: attempts } = await sql<AttemptRow>`
    select delivery_id, number, at, trigger, http_status, error, duration_ms, response_start, trace_id from (
      select *, row_number() over (partition by delivery_id order by number desc) as back
      from attempt where delivery_id = any (${rows.map((row) => row.id)}::uuid[]) and merchant_id = ${merchantId}::uuid
    ) as newest where back <= ${attemptsShown} order by delivery_id, number`.execute(tx);
  const byDelivery = Map.groupBy(attempts, (attempt) => attempt.delivery_id);
  return rows.map((row) => ({ ...row, attempts: byDelivery.get(row.id) ?? [] }));
}
