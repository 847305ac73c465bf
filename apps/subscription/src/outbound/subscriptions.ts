/** Reads of subscriptions. */
import type { Database } from '@tillstream/database/database';
import type { Subscription as WireSubscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { sql } from 'kysely';
import type { SubscriptionFilter, SubscriptionReader } from '../ports.ts';
import { showSubscription } from './shown.ts';
import { stateOf } from './stored-subscription.ts';
import type { HistoryRow, SubscriptionRow, SubscriptionTables } from './tables.ts';

/** What a customer is to be told the price of. */
export interface PriceQuestion {
  readonly subscriptionId: string;
  readonly merchantId: string;
  readonly productId: string;
  readonly currency: string;
}

export interface Story {
  readonly row: SubscriptionRow;
  /** Newest first. */
  readonly history: readonly HistoryRow[];
}

export class Subscriptions implements SubscriptionReader {
  readonly #database: Database<SubscriptionTables>;

  constructor(database: Database<SubscriptionTables>) {
    this.#database = database;
  }

  async get(merchantId: string, id: string, now: Date): Promise<WireSubscription | undefined> {
    const row = await this.#database.statement([merchantId], (tx) =>
      tx
        .selectFrom('subscription')
        .selectAll()
        .where('merchant_id', '=', merchantId)
        .where('subscription_id', '=', id)
        .executeTakeFirst(),
    );
    return row === undefined ? undefined : show(row, now);
  }

  /** Newest first, by the number of the parent order. */
  async list(
    merchantId: string,
    filter: SubscriptionFilter,
    now: Date,
  ): Promise<{ subscriptions: WireSubscription[]; hasMore: boolean }> {
    const { limit, startingAfter, endingBefore, status, orderId } = filter;
    const isBackward = endingBefore !== undefined && startingAfter === undefined;
    const rows = await this.#database.statement([merchantId], (tx) => {
      let query = tx
        .selectFrom('subscription')
        .selectAll()
        .where('merchant_id', '=', merchantId)
        .limit(limit + 1);
      if (startingAfter !== undefined)
        query = query.where(
          sql<boolean>`(parent_order_id, parent_item_id) < (${startingAfter.orderId}::bigint, ${startingAfter.itemId}::bigint)`,
        );
      if (isBackward)
        query = query.where(
          sql<boolean>`(parent_order_id, parent_item_id) > (${endingBefore.orderId}::bigint, ${endingBefore.itemId}::bigint)`,
        );
      if (status !== '') query = query.where(sql<boolean>`status = ${status}`);
      if (orderId !== 0n)
        query = query.where('subscription_id', 'in', (of) =>
          of
            .selectFrom('subscription_order')
            .select('subscription_id')
            .where('order_id', '=', orderId)
            .where('merchant_id', '=', merchantId),
        );
      const direction = isBackward ? 'asc' : 'desc';
      return query.orderBy('parent_order_id', direction).orderBy('parent_item_id', direction).execute();
    });
    const shown = rows.slice(0, limit).map((row) => show(row, now));
    if (isBackward) shown.reverse();
    return { subscriptions: shown, hasMore: rows.length > limit };
  }

  /** Of these subscriptions those whose price is not agreed on. */
  async priceQuestions(ids: readonly string[], merchantIds: readonly string[]): Promise<readonly PriceQuestion[]> {
    if (ids.length === 0) return [];
    const rows = await this.#database.statement(merchantIds, (tx) =>
      tx
        .selectFrom('subscription')
        .select(['subscription_id', 'merchant_id', 'product_id', 'currency'])
        .where('subscription_id', '=', sql<string>`any (${ids}::text[])`)
        .where('renewal_price', '=', 'current')
        .execute(),
    );
    return rows.map((row) => ({
      subscriptionId: row.subscription_id,
      merchantId: row.merchant_id,
      productId: row.product_id,
      currency: row.currency,
    }));
  }

  /** Whose open child each of these orders is; an order that is none is left out. */
  async renewedBy(orderIds: readonly bigint[], merchantIds: readonly string[]): Promise<ReadonlyMap<bigint, string>> {
    if (orderIds.length === 0) return new Map();
    const rows = await this.#database.statement(merchantIds, (tx) =>
      tx
        .selectFrom('subscription_order')
        .select(['order_id', 'subscription_id'])
        .where('order_id', '=', sql<bigint>`any (${orderIds}::bigint[])`)
        .where('term', '>', 1)
        .execute(),
    );
    return new Map(rows.map((row) => [row.order_id, row.subscription_id]));
  }

  /** All of it on the parent's timeline; on a child's what concerns its term. At most `limit` of each, the newest. */
  async stories(merchantId: string, orderId: bigint, limit: number): Promise<readonly Story[]> {
    return this.#database.transaction([merchantId], async (tx) => {
      const { rows } = await sql<SubscriptionRow & { asked_term: number }>`
        select subscription.*, o.term as asked_term
        from subscription_order o join subscription using (subscription_id)
        where o.order_id = ${orderId} and o.merchant_id = ${merchantId} order by parent_item_id`.execute(tx);
      if (rows.length === 0) return [];
      const { rows: history } = await sql<HistoryRow>`
        select h.* from unnest(${rows.map((row) => row.subscription_id)}::text[], ${rows.map((row) => row.asked_term)}::integer[]) as asked (id, term)
        cross join lateral (
          select * from subscription_history where subscription_id = asked.id and (asked.term = 1 or term = asked.term)
          order by version desc limit ${limit}) as h`.execute(tx);
      const byId = Map.groupBy(history, (row) => row.subscription_id);
      return rows.map((row) => ({ row, history: byId.get(row.subscription_id) ?? [] }));
    });
  }
}

function show(row: SubscriptionRow, now: Date): WireSubscription {
  const id = { id: row.subscription_id, merchantId: row.merchant_id, version: Number(row.version) };
  return showSubscription(id, stateOf(row), now);
}
