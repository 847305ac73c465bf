/** Keeps the order machine: its row, its history, the cart that it consumed, its messages and its timer. */
import type { Change, Keeper, TimerChange, VersionedEvent } from '@tillstream/messaging/keeper';
import { VersionConflict } from '@tillstream/messaging/keeper';
import type { OutgoingMessage } from '@tillstream/messaging/message';
import { toMessage } from '@tillstream/messaging/outgoing';
import { orderEvents } from '@tillstream/messaging/topics';
import { OrderEvent as WireEvent, type Renewal as WireRenewal } from '@tillstream/proto/order/v1/order_events';
import { traceIdOf } from '@tillstream/telemetry/trace';
import { sql, type Kysely } from 'kysely';
import { fulfilmentOf, type Order, type OrderEvent, type OrderState } from '../domain/order.ts';
import type { Placed } from '../domain/placed.ts';
import { remindersOf } from '../domain/reminders.ts';
import type { SubscriptionNote } from '../domain/subscription/subscription.ts';
import { historyVersion, stateOf } from './order/history.ts';
import { storeEvent, storePlaced } from './stored-order.ts';
import type { HistoryRow, OrderRow, OrderTables } from './tables.ts';

type OrderChange = Change<OrderState, OrderEvent>;

/** The cart has become an order or was changed in between; whoever asked looks again. */
export class CartTaken extends Error {
  override readonly name = 'CartTaken';
}

// D11: an unpaid order is deleted 90 days after its creation.
const unpaidLifetimeMs = 90 * 86_400_000;

export const orderKeeper: Keeper<OrderTables, OrderState, OrderEvent> = {
  async load(tx, ids) {
    const numbers = ids.map(BigInt);
    const { rows } =
      await sql<OrderRow>`select * from purchase_order where order_id = any (${numbers}::bigint[]) order by order_id for no key update`.execute(
        tx,
      );
    if (rows.length === 0) return new Map();
    const history =
      await sql<HistoryRow>`select * from order_history where order_id = any (${rows.map((row) => row.order_id)}::bigint[]) order by order_id, version`.execute(
        tx,
      );
    const byOrder = Map.groupBy(history.rows, (row) => row.order_id);
    return new Map(
      rows.map((row) => [
        String(row.order_id),
        { state: stateOf(row.placed, byOrder.get(row.order_id) ?? []), version: Number(row.version) },
      ]),
    );
  },

  async save(tx, changes) {
    const made = changes.filter((change) => change.versionBefore === 0);
    const kept = changes.filter((change) => change.versionBefore > 0);
    if (made.length > 0) await insert(tx, made);
    if (kept.length > 0) await update(tx, kept);
    await remember(tx, changes);
  },

  announce(change) {
    return change.events.map((event) => toWire(change, event));
  },

  timers(change) {
    const { before, after } = change;
    if (before.status === 'absent' && after.status === 'not paid') return timersOf(after.placed);
    return before.status === 'not paid' && after.status !== 'not paid'
      ? timersOf(before.placed).map(({ kind }) => ({ type: 'clear', kind }))
      : [];
  },
};

/** Of an unpaid order. */
function timersOf(placed: Placed): readonly Extract<TimerChange, { type: 'set' }>[] {
  const deletedAt = new Date(placed.createdAt.getTime() + unpaidLifetimeMs);
  const reminders = remindersOf(placed).map((dueAt, at) => ({ type: 'set', kind: `remind ${at + 1}`, dueAt }) as const);
  return [{ type: 'set', kind: 'delete unpaid', dueAt: deletedAt }, ...reminders];
}

async function insert(tx: Kysely<OrderTables>, made: readonly OrderChange[]): Promise<void> {
  const rows = made.map((change) => {
    const { placed, status, paidAt } = existing(change.after);
    return {
      order_id: change.id,
      merchant_id: change.merchantId,
      livemode: placed.livemode,
      status,
      fulfilment_status: fulfilmentOf(existing(change.after)),
      version: change.version,
      token: placed.token,
      placed: storePlaced(placed),
      customer_email: placed.customer.email.toLowerCase(),
      external_id: placed.externalId,
      paid_at: paidAt ?? null,
      created_at: placed.createdAt,
      subscription_id: placed.renewal?.subscriptionId,
      term: placed.renewal?.term,
    };
  });
  await sql`insert into purchase_order select * from jsonb_populate_recordset(null::purchase_order, ${JSON.stringify(rows)}::jsonb)`.execute(
    tx,
  );
  const carts = made.map((change) => existing(change.after).placed).filter((placed) => placed.source === 'cart');
  if (carts.length === 0) return;
  // The cart is consumed in the commit that makes the order: a second submission finds it taken (R8).
  const { numAffectedRows } = await sql`
    update cart set order_id = t.order_id, order_token = t.token, touched_at = now()
    from unnest(${carts.map((placed) => placed.cartId)}::text[], ${carts.map((placed) => placed.orderId)}::bigint[], ${carts.map((placed) => placed.token)}::text[],
      ${carts.map((placed) => placed.cartVersion)}::integer[]) as t (cart_id, order_id, token, version)
    where cart.cart_id = t.cart_id and cart.order_id is null and cart.version = t.version`.execute(tx);
  if (Number(numAffectedRows ?? 0n) !== carts.length) throw new CartTaken('the cart is an order or was changed');
}

async function update(tx: Kysely<OrderTables>, kept: readonly OrderChange[]): Promise<void> {
  const states = kept.map((change) => existing(change.after));
  const { numAffectedRows } = await sql`
    update purchase_order set status = t.status, fulfilment_status = t.fulfilment, paid_at = t.paid_at, version = t.version
    from unnest(
      ${kept.map((change) => BigInt(change.id))}::bigint[], ${kept.map((change) => change.versionBefore)}::bigint[], ${kept.map((change) => change.version)}::bigint[],
      ${states.map((state) => state.status)}::text[], ${states.map(fulfilmentOf)}::text[], ${states.map((state) => state.paidAt ?? null)}::timestamptz[]
    ) as t (order_id, was, version, status, fulfilment, paid_at)
    where purchase_order.order_id = t.order_id and purchase_order.version = t.was`.execute(tx);
  if (Number(numAffectedRows ?? 0n) !== kept.length) throw new VersionConflict('order');
}

async function remember(tx: Kysely<OrderTables>, changes: readonly OrderChange[]): Promise<void> {
  const rows = changes.flatMap((change) =>
    change.events.map(({ event, version, now, traceparent }) => ({
      order_id: change.id,
      version,
      merchant_id: change.merchantId,
      type: event.type,
      at: now,
      trace_id: traceIdOf(traceparent),
      data: storeEvent(event),
      schema_version: historyVersion,
    })),
  );
  await sql`insert into order_history select * from jsonb_populate_recordset(null::order_history, ${JSON.stringify(rows)}::jsonb)`.execute(
    tx,
  );
}

function existing(state: OrderState): Order {
  if (state.status === 'absent') throw new Error('an absent order is not kept');
  return state;
}

function toWire(change: OrderChange, versioned: VersionedEvent<OrderEvent>): OutgoingMessage {
  const { id, merchantId } = change;
  const { eventId, now, traceparent, version } = versioned;
  const value = WireEvent.encode({
    header: { eventId, merchantId, aggregateVersion: BigInt(version), occurredAt: now, schemaVersion: 1, traceparent },
    orderId: BigInt(id),
    payload: payloadOf(versioned.event, existing(change.after)),
  }).finish();
  return toMessage(orderEvents, 'order', id, { eventId, now, traceparent, merchantId }, value);
}

function payloadOf(event: OrderEvent, state: Order): WireEvent['payload'] {
  const { placed } = state;
  const renewal = renewalOf(placed);
  switch (event.type) {
    case 'orderCreated':
      return { $case: 'orderCreated', value: { itemCount: placed.items.length, renewal } };
    case 'orderPaymentFailed':
      return {
        $case: 'orderPaymentFailed',
        value: { paymentId: event.payment.paymentId, reason: event.payment.reason, renewal },
      };
    case 'orderPaid': {
      const { paymentId } = event.payment;
      const { totalMinor: amountMinor, currency } = placed;
      const startsSubscriptions = renewal === undefined && event.terms.length > 0;
      return { $case: 'orderPaid', value: { paymentId, amountMinor, currency, renewal, startsSubscriptions } };
    }
    case 'orderPaidAgain':
      return { $case: 'orderPaidAgain', value: { paymentId: event.paymentId } };
    case 'orderPaidLate':
      return { $case: 'orderPaidLate', value: { paymentId: event.paymentId } };
    case 'orderItemDelivered':
      return {
        $case: 'orderItemDelivered',
        value: {
          itemId: event.itemId,
          part: placed.items.findIndex((item) => item.id === event.itemId) + 1,
          partCount: placed.items.length,
        },
      };
    case 'orderDelivered':
      return { $case: 'orderDelivered', value: {} };
    case 'orderDeleted':
      return { $case: 'orderDeleted', value: { reason: event.reason, renewal } };
    case 'orderReminderDue':
      return { $case: 'orderReminderDue', value: { number: event.number } };
    case 'orderLicencesAsked':
      return { $case: 'orderLicencesAsked', value: { itemIds: [...event.itemIds], number: event.number } };
    case 'orderSubscriptionCancelled':
      return { $case: 'orderSubscriptionCancelled', value: notedOf(state, event.note) };
    case 'orderSubscriptionRestored':
      return { $case: 'orderSubscriptionRestored', value: notedOf(state, event.note) };
    case 'orderSubscriptionNoted':
      return { $case: 'orderSubscriptionNoted', value: notedOf(state, event.note) };
  }
}

function notedOf(state: Order, { itemId }: SubscriptionNote): { subscriptionId: string; itemId: bigint } {
  return { subscriptionId: state.subscriptions.get(itemId)?.id ?? '', itemId };
}

function renewalOf({ renewal, items, totalMinor, currency, livemode }: Placed): WireRenewal | undefined {
  if (renewal === undefined) return undefined;
  const { subscriptionId, term, parentOrderId, type } = renewal;
  const itemId = items[0]?.id ?? 0n;
  return {
    subscriptionId,
    term,
    itemId,
    amountMinor: totalMinor,
    currency,
    livemode,
    parentOrderId,
    isPaidByHand: type === 'PMR',
  };
}
