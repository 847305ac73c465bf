/** Reads of orders, as the wire says them; and the numbers of new ones. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { beyond } from '@tillstream/database/page';
import { gatherEach } from '@tillstream/messaging/gather';
import type {
  DocumentKey,
  ListOrdersRequest,
  Order as WireOrder,
  OrderDocument,
} from '@tillstream/proto/order/v1/order_api';
import type { Awaited, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import { sql, type Kysely } from 'kysely';
import type { Order } from '../domain/order.ts';
import type { NewNumbers, OpenedOrder } from '../ports.ts';
import { showOrder } from './order/shown.ts';
import { awaitedBy, entriesOf } from './order/timeline.ts';
import { stateOf } from './order/history.ts';
import type { HistoryRow, OrderRow, OrderTables } from './tables.ts';

interface Found {
  readonly row: OrderRow;
  readonly history: readonly HistoryRow[];
}

type FoundRow = OrderRow & {
  readonly history:
    | readonly (Pick<HistoryRow, 'schema_version' | 'type' | 'trace_id' | 'data'> & { version: number; at: string })[]
    | null;
};

// One question for both, so that they are of the same moment, too.
const history = sql<FoundRow['history']>`(
  select json_agg(json_build_object('version', h.version, 'schema_version', h.schema_version, 'type', h.type, 'at', h.at, 'trace_id', h.trace_id, 'data', h.data) order by h.version)
  from order_history h where h.order_id = purchase_order.order_id)`.as('history');

export class Orders {
  readonly #database: Database<OrderTables>;
  readonly #checkoutUrl: string;
  readonly #anyones: (lane: string, orderId: bigint) => Promise<Found | undefined>;
  readonly #numbers: (lane: string, itemCount: number) => Promise<NewNumbers>;

  constructor(database: Database<OrderTables>, checkoutUrl: string) {
    this.#database = database;
    this.#checkoutUrl = checkoutUrl;
    this.#anyones = gatherEach((ids) => this.#readAnyones(ids));
    this.#numbers = gatherEach((counts) => this.#takeNumbers(counts));
  }

  /** The next order's number and its items'. A number that is not used leaves a gap. */
  numbers(itemCount: number): Promise<NewNumbers> {
    return this.#numbers('', itemCount);
  }

  async #takeNumbers(itemCounts: readonly number[]): Promise<readonly NewNumbers[]> {
    const { rows } = await this.#database.everyMerchantStatement('order numbers are one series', (tx) =>
      sql<{ place: number; order_id: bigint; item_id: bigint }>`
        select o.place, o.order_id, nextval('item_number') as item_id
        from (select t.place::integer, t.items, nextval('order_number') as order_id from unnest(${itemCounts}::integer[]) with ordinality as t (items, place)) o,
          generate_series(1, o.items)`.execute(tx),
    );
    return itemCounts.map((_, at) => {
      const mine = rows.filter(({ place }) => place === at + 1);
      return { orderId: mine[0]?.order_id ?? 0n, itemIds: mine.map((row) => row.item_id) };
    });
  }

  /** Of so many orders of one item each, in one statement. */
  async numbersOfChildren(count: number): Promise<readonly { orderId: bigint; itemId: bigint }[]> {
    const { rows } = await this.#database.everyMerchantStatement('order numbers are one series', (tx) =>
      sql<{ order_id: bigint; item_id: bigint }>`
        select nextval('order_number') as order_id, nextval('item_number') as item_id from generate_series(1, ${count}::integer)`.execute(
        tx,
      ),
    );
    return rows.map((row) => ({ orderId: row.order_id, itemId: row.item_id }));
  }

  async get(merchantId: string, orderId: bigint): Promise<WireOrder | undefined> {
    const [found] = await this.#read([merchantId], (tx) =>
      tx
        .selectFrom('purchase_order')
        .where('merchant_id', '=', merchantId)
        .where('order_id', '=', orderId)
        .selectAll()
        .select(history)
        .execute(),
    );
    return found === undefined ? undefined : this.#toWire(found);
  }

  /** By the token in the customer's link; the same answer, in the same time, for a wrong one. */
  async open(orderId: bigint, token: string): Promise<OpenedOrder | undefined> {
    const found = await this.#anyones('', orderId);
    // Compared after all was read: a wrong token takes as long as the right one.
    const isRight = isSame(token, found?.row.token ?? 'nobody');
    if (found === undefined || !isRight) return undefined;
    return { merchantId: found.row.merchant_id, wire: this.#toWire(found), order: orderAt(found) };
  }

  async #readAnyones(orderIds: readonly bigint[]): Promise<readonly (Found | undefined)[]> {
    const rows = await this.#database.everyMerchantStatement(
      'the token in the link is what lets a customer in',
      (one) =>
        one
          .selectFrom('purchase_order')
          .where(sql<boolean>`order_id = any (${orderIds}::bigint[])`)
          .selectAll()
          .select(history)
          .execute(),
    );
    const byId = new Map(rows.map((row) => [row.order_id, toFound(row)]));
    return orderIds.map((id) => byId.get(id));
  }

  async list(
    merchantId: string,
    filter: ListOrdersRequest,
  ): Promise<{ orders: readonly WireOrder[]; hasMore: boolean }> {
    const limit = Math.min(Math.max(filter.limit, 1), 100);
    const isBackward = filter.endingBefore !== 0n && filter.startingAfter === 0n;
    const found = await this.#read([merchantId], (tx) => {
      let query = tx
        .selectFrom('purchase_order')
        .where('merchant_id', '=', merchantId)
        .selectAll()
        .select(history)
        .limit(limit + 1);
      if (filter.startingAfter !== 0n)
        query = query.where(beyond('order_id', '<', { merchantId, id: filter.startingAfter }));
      if (isBackward) query = query.where(beyond('order_id', '>', { merchantId, id: filter.endingBefore }));
      if (filter.status !== '') query = query.where(sql<boolean>`status = ${filter.status}`);
      if (filter.fulfilmentStatus !== '')
        query = query.where(sql<boolean>`fulfilment_status = ${filter.fulfilmentStatus}`);
      if (filter.customerEmail !== '') query = query.where('customer_email', '=', filter.customerEmail.toLowerCase());
      // The second condition lets the planner use the index of the orders that have one.
      if (filter.externalId !== '')
        query = query.where('external_id', '=', filter.externalId).where(sql<boolean>`external_id <> ''`);
      return query.orderBy('order_id', isBackward ? 'asc' : 'desc').execute();
    });
    const shown = found.slice(0, limit);
    if (isBackward) shown.reverse();
    return { orders: shown.map((each) => this.#toWire(each)), hasMore: found.length > limit };
  }

  /** The orders as they were at the given versions; unknown and foreign ones are left out. */
  async documents(keys: readonly DocumentKey[]): Promise<readonly OrderDocument[]> {
    if (keys.length === 0) return [];
    const found = await this.#read(
      keys.map((key) => key.merchantId),
      (tx) =>
        tx
          .selectFrom('purchase_order')
          .where(sql<boolean>`order_id = any (${keys.map((key) => key.orderId)}::bigint[])`)
          .selectAll()
          .select(history)
          .execute(),
    );
    const byId = new Map(found.map((each) => [each.row.order_id, each]));
    return keys.flatMap((key): OrderDocument[] => {
      const order = byId.get(key.orderId);
      if (order === undefined || order.row.merchant_id !== key.merchantId) return [];
      const history = key.version === 0n ? order.history : order.history.filter((row) => row.version <= key.version);
      // A version that is still to come is not known: to answer an earlier one would be a lie.
      if (key.version !== 0n && history.at(-1)?.version !== key.version) return [];
      const { placed } = order.row;
      return [
        {
          key,
          order: this.#toWire({ row: order.row, history }),
          shopName: placed.shopName,
          supportEmail: placed.supportEmail,
          occurredAt: history.at(-1)?.at,
        },
      ];
    });
  }

  async timeline(merchantId: string, orderId: bigint): Promise<{ entries: TimelineEntry[]; awaited: Awaited[] }> {
    const [found] = await this.#read([merchantId], (tx) =>
      tx
        .selectFrom('purchase_order')
        .where('merchant_id', '=', merchantId)
        .where('order_id', '=', orderId)
        .selectAll()
        .select(history)
        .execute(),
    );
    if (found === undefined) return { entries: [], awaited: [] };
    return { entries: entriesOf(found.row.placed, found.history), awaited: awaitedBy(orderAt(found)) };
  }

  async #read(merchants: readonly string[], find: (tx: Kysely<OrderTables>) => Promise<FoundRow[]>): Promise<Found[]> {
    return (await this.#database.statement(merchants, find)).map(toFound);
  }

  #toWire(found: Found): WireOrder {
    return showOrder(found.row, orderAt(found), found.history.at(-1)?.version ?? 0n, this.#checkoutUrl);
  }
}

function toFound({ history: rows, ...row }: FoundRow): Found {
  const { order_id, merchant_id } = row;
  return {
    row,
    history: (rows ?? []).map((each) => ({
      ...each,
      order_id,
      merchant_id,
      version: BigInt(each.version),
      at: new Date(each.at),
    })),
  };
}

function orderAt(found: Found): Order {
  const state = stateOf(found.row.placed, found.history);
  if (state.status === 'absent') throw new Error(`order ${found.row.order_id} has no history`);
  return state;
}

/** In constant time, also for another length. */
function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(wanted));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
