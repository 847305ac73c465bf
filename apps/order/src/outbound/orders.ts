/** Reads of orders, as the wire says them; and the numbers of new ones. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type {
  DocumentKey,
  Order as WireOrder,
  OrderDocument,
  PaymentSummary,
} from '@tillstream/proto/order/v1/order_api';
import type { Awaited, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import { unreachable } from '@tillstream/machine/machine';
import { sql, type Kysely } from 'kysely';
import { fulfilmentOf, orderName, type Order, type OrderEvent, type PaymentShown } from '../domain/order.ts';
import { readEvent, readPlaced, stateOf } from './stored-order.ts';
import type { HistoryRow, OrderRow, OrderTables } from './tables.ts';

export interface OrderFilter {
  readonly limit: number;
  readonly startingAfter: bigint;
  readonly endingBefore: bigint;
  readonly status: string;
  readonly fulfilmentStatus: string;
  readonly customerEmail: string;
  readonly externalId: string;
}

interface Found {
  readonly row: OrderRow;
  readonly history: readonly HistoryRow[];
}

// The answer's limit; an order of a hundred items has about as many in its history.
const mostEntries = 200;
// D11.
const unpaidLifetimeMs = 90 * 86_400_000;

export class Orders {
  readonly #database: Database<OrderTables>;
  readonly #checkoutUrl: string;

  constructor(database: Database<OrderTables>, checkoutUrl: string) {
    this.#database = database;
    this.#checkoutUrl = checkoutUrl;
  }

  /** The next order's number and its items'. A number that is not used leaves a gap. */
  async numbers(itemCount: number): Promise<{ orderId: bigint; itemIds: readonly bigint[] }> {
    const { rows } = await this.#database.everyMerchant('order numbers are one series', (tx) =>
      sql<{ order_id: bigint; item_id: bigint }>`
        select o.order_id, nextval('item_number') as item_id from (select nextval('order_number') as order_id) o, generate_series(1, ${itemCount}::integer)`.execute(
        tx,
      ),
    );
    return { orderId: rows[0]?.order_id ?? 0n, itemIds: rows.map((row) => row.item_id) };
  }

  async get(merchantId: string, orderId: bigint): Promise<WireOrder | undefined> {
    const [found] = await this.#read([merchantId], (tx) =>
      tx
        .selectFrom('purchase_order')
        .where('merchant_id', '=', merchantId)
        .where('order_id', '=', orderId)
        .selectAll()
        .execute(),
    );
    return found === undefined ? undefined : this.#toWire(found);
  }

  /** By the token in the customer's link; the same answer, in the same time, for a wrong one. */
  async open(
    orderId: bigint,
    token: string,
  ): Promise<{ merchantId: string; wire: WireOrder; order: Order } | undefined> {
    const [found] = await this.#database.everyMerchant('the token in the link is what lets a customer in', async (tx) =>
      withHistory(tx, await tx.selectFrom('purchase_order').where('order_id', '=', orderId).selectAll().execute()),
    );
    // Compared after all was read: a wrong token takes as long as the right one.
    const isRight = isSame(token, found?.row.token ?? 'nobody');
    if (found === undefined || !isRight) return undefined;
    return { merchantId: found.row.merchant_id, wire: this.#toWire(found), order: orderAt(found) };
  }

  async list(merchantId: string, filter: OrderFilter): Promise<{ orders: readonly WireOrder[]; hasMore: boolean }> {
    const limit = Math.min(Math.max(filter.limit, 1), 100);
    const isBackward = filter.endingBefore !== 0n && filter.startingAfter === 0n;
    const found = await this.#read([merchantId], (tx) => {
      let query = tx
        .selectFrom('purchase_order')
        .where('merchant_id', '=', merchantId)
        .selectAll()
        .limit(limit + 1);
      if (filter.startingAfter !== 0n) query = query.where('order_id', '<', filter.startingAfter);
      if (isBackward) query = query.where('order_id', '>', filter.endingBefore);
      if (filter.status !== '') query = query.where(sql<boolean>`status = ${filter.status}`);
      if (filter.fulfilmentStatus !== '')
        query = query.where(sql<boolean>`fulfilment_status = ${filter.fulfilmentStatus}`);
      if (filter.customerEmail !== '') query = query.where('customer_email', '=', filter.customerEmail.toLowerCase());
      if (filter.externalId !== '') query = query.where('external_id', '=', filter.externalId);
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
        .execute(),
    );
    if (found === undefined) return { entries: [], awaited: [] };
    return { entries: entriesOf(found), awaited: awaitedBy(orderAt(found)) };
  }

  async #read(merchants: readonly string[], find: (tx: Kysely<OrderTables>) => Promise<OrderRow[]>): Promise<Found[]> {
    return this.#database.transaction(merchants, async (tx) => withHistory(tx, await find(tx)));
  }

  #toWire(found: Found): WireOrder {
    const state = orderAt(found);
    const { placed } = state;
    return {
      orderId: placed.orderId,
      orderName: orderName(placed.orderId),
      merchantId: found.row.merchant_id,
      livemode: placed.livemode,
      status: state.status,
      fulfilmentStatus: fulfilmentOf(state),
      externalId: placed.externalId,
      createdAt: placed.createdAt,
      paidAt: state.paidAt,
      currency: placed.currency,
      locale: placed.locale,
      token: placed.token,
      detailUrl: `${this.#checkoutUrl}/order/status/${placed.orderId}/${placed.token}`,
      customer: placed.customer,
      items: placed.items.map((item) => ({ ...item, deliveredAt: state.deliveredAt.get(item.id) })),
      totalMinor: placed.totalMinor,
      additionalData: [...placed.additionalData],
      metadata: { ...placed.metadata },
      payment: state.payment === undefined ? undefined : summaryOf(state.payment, placed.paymentMethod),
      version: found.history.at(-1)?.version ?? 0n,
      timeZone: placed.timeZone,
      paymentMethod: placed.paymentMethod,
      refundDuePaymentIds: [...state.refundDue],
    };
  }
}

function entriesOf({ row: { placed }, history }: Found): TimelineEntry[] {
  return history.slice(0, mostEntries).map((row) => {
    const [summary, objectId] = sentenceOf(readEvent(row, readPlaced(placed)));
    const type = row.type.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return { at: row.at, source: 'order', type, summary, traceId: row.trace_id, objectId };
  });
}

/** What happened, and to which payment. */
function sentenceOf(event: OrderEvent): [summary: string, objectId: string] {
  switch (event.type) {
    case 'orderCreated':
      return ['The customer placed the order.', ''];
    case 'orderPaymentFailed': {
      const { reason, paymentId } = event.payment;
      return [`A payment failed${reason === '' ? '' : ` (${reason})`}; the customer may try again.`, paymentId];
    }
    case 'orderPaid':
      return ['The order is paid.', event.payment.paymentId];
    case 'orderPaidAgain':
      return ['A second payment came; it is due for refund.', event.paymentId];
    case 'orderPaidLate':
      return ['Money came after the order was deleted; it is due for refund.', event.paymentId];
    case 'orderItemDelivered':
      return [`Item ${event.itemId} was delivered.`, ''];
    case 'orderDelivered':
      return ['Everything is delivered.', ''];
    case 'orderDeleted':
      return event.reason === 'by_merchant'
        ? ['The merchant deleted the unpaid order.', '']
        : ['The order was deleted: nobody paid it for 90 days.', ''];
    default:
      return unreachable(event);
  }
}

async function withHistory(tx: Kysely<OrderTables>, rows: readonly OrderRow[]): Promise<Found[]> {
  if (rows.length === 0) return [];
  const { rows: history } = await sql<HistoryRow>`
    select * from order_history where order_id = any (${rows.map((row) => row.order_id)}::bigint[])
    order by order_id, version`.execute(tx);
  const byOrder = Map.groupBy(history, (row) => row.order_id);
  return rows.map((row) => ({ row, history: byOrder.get(row.order_id) ?? [] }));
}

function orderAt(found: Found): Order {
  const state = stateOf(found.row.placed, found.history);
  if (state.status === 'absent') throw new Error(`order ${found.row.order_id} has no history`);
  return state;
}

function summaryOf(payment: PaymentShown, method: string): PaymentSummary {
  return {
    paymentId: payment.paymentId,
    status: payment.status,
    method,
    systemName: payment.systemName,
    cardType: payment.cardType,
    cardLast4: payment.cardLast4,
    cardExpiration: payment.cardExpiration,
    errorCode: payment.errorCode,
    errorDescription: payment.errorDescription,
    reason: payment.reason,
    moneyMoved: payment.status === 'booked' ? 'yes' : 'no',
  };
}

function awaitedBy(state: Order): Awaited[] {
  if (state.status === 'not paid') {
    return [
      {
        source: 'order',
        type: 'customer_pays',
        summary: 'The customer to pay; unpaid orders are deleted after 90 days.',
        until: new Date(state.placed.createdAt.getTime() + unpaidLifetimeMs),
      },
    ];
  }
  if (state.status === 'deleted') return [];
  return state.placed.items
    .filter((item) => !state.deliveredAt.has(item.id))
    .map((item) => ({
      source: 'order',
      type: 'item_delivered',
      summary: `The delivery of ${item.name}.`,
      until: undefined,
    }));
}

/** In constant time, also for another length. */
function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(wanted));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
