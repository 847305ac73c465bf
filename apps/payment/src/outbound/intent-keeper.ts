/** Rows of payment intents and receipts, written in the transactions of the payments that change them (payment-keeper.ts). */
import { randomUUIDv7 } from 'node:crypto';
import type { Change } from '@tillstream/messaging/keeper';
import { VersionConflict } from '@tillstream/messaging/keeper';
import { schedule } from '@tillstream/messaging/timers';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { isReached, type PaymentIntent, type Receipt } from '../domain/payment-intent.ts';
import type { Payment, PaymentEvent, PaymentState } from '../domain/payment.ts';
import type { IntentColumns, PaymentTables } from './tables.ts';

type PaymentChange = Change<PaymentState, PaymentEvent>;

/** An open attempt that is to be withdrawn, because another has paid the order. */
export const supersedeTimer = 'supersede';

/** Of `payment_intent i`. */
export const intentColumns: RawBuilder<IntentColumns> = sql`
  i.amount_minor as intent_amount_minor, i.currency as intent_currency, i.received_minor as intent_received_minor,
  i.status as intent_status, i.attempts as intent_attempts`;

export function toIntent(row: IntentColumns): PaymentIntent {
  return {
    amountMinor: row.intent_amount_minor,
    currency: row.intent_currency,
    receivedMinor: row.intent_received_minor,
    status: row.intent_status,
    attempts: row.intent_attempts,
  };
}

/**
 * The intents of new payments, begun or locked in the order of their orders. A row for each order whose asked sum is not reached; as
 * long as nothing was received the intent follows what the order asks for.
 */
export function beginIntents(made: readonly PaymentChange[]): RawBuilder<unknown> {
  const orders = [...Map.groupBy(made, ({ merchantId, after }) => `${merchantId} ${orderOf(after)}`).values()];
  const first = orders.flatMap((of) => of.slice(0, 1).map((change) => ({ change, asked: paymentOf(change.after) })));
  return sql`
    insert into payment_intent (intent_id, merchant_id, order_id, amount_minor, currency, received_minor, status, attempts, created_at)
    select intent_id, merchant_id, order_id, amount_minor, currency, 0, 'unpaid', attempts, at
    from unnest(
      ${first.map(() => randomUUIDv7())}::uuid[], ${first.map(({ change }) => change.merchantId)}::uuid[],
      ${first.map(({ asked }) => asked.orderId)}::bigint[], ${first.map(({ asked }) => asked.orderMinor)}::bigint[],
      ${first.map(({ asked }) => asked.currency)}::text[], ${orders.map((of) => of.length)}::int[],
      ${first.map(({ asked }) => asked.createdAt)}::timestamptz[]
    ) as t (intent_id, merchant_id, order_id, amount_minor, currency, attempts, at)
    order by merchant_id, order_id
    on conflict (merchant_id, order_id) do update set
      attempts = payment_intent.attempts + excluded.attempts,
      amount_minor = case when payment_intent.received_minor = 0 then excluded.amount_minor else payment_intent.amount_minor end,
      currency = case when payment_intent.received_minor = 0 then excluded.currency else payment_intent.currency end
    where payment_intent.status in ('unpaid', 'partially_paid')
    returning merchant_id, order_id`;
}

/** What was received by these changes. The rows of the intents are locked since the payments were loaded. */
export async function keepReceipts(tx: Kysely<PaymentTables>, changes: readonly PaymentChange[]): Promise<void> {
  const receipts = changes.flatMap((change) => receiptsOf(change).map((receipt) => ({ change, receipt })));
  const grown = changes.flatMap(({ merchantId, before, after, events }) =>
    before.status !== 'absent' &&
    after.status !== 'absent' &&
    events.some(({ event }) => event.type === 'paymentBooked')
      ? [{ merchantId, orderId: after.orderId, was: before.intent, is: after.intent }]
      : [],
  );
  if (receipts.length === 0 && grown.length === 0) return;
  const { numAffectedRows } = await sql`
    with kept as (
      insert into receipt (receipt_id, intent_id, payment_id, merchant_id, amount_minor, currency, taken_for, received_at)
      select t.receipt_id, i.intent_id, t.payment_id, t.merchant_id, t.amount_minor, t.currency, t.taken_for, t.received_at
      from unnest(
        ${receipts.map(() => randomUUIDv7())}::uuid[], ${receipts.map(({ change }) => change.id)}::uuid[],
        ${receipts.map(({ change }) => change.merchantId)}::uuid[], ${receipts.map(({ change }) => orderOf(change.after))}::bigint[],
        ${receipts.map(({ receipt }) => receipt.amountMinor)}::bigint[], ${receipts.map(({ receipt }) => receipt.currency)}::text[],
        ${receipts.map(({ receipt }) => receipt.takenFor)}::text[], ${receipts.map(({ receipt }) => receipt.receivedAt)}::timestamptz[]
      ) as t (receipt_id, payment_id, merchant_id, order_id, amount_minor, currency, taken_for, received_at)
      join payment_intent i on i.merchant_id = t.merchant_id and i.order_id = t.order_id
    )
    update payment_intent set received_minor = t.received_minor, status = t.status
    from unnest(
      ${grown.map(({ merchantId }) => merchantId)}::uuid[], ${grown.map(({ orderId }) => orderId)}::bigint[],
      ${grown.map(({ was }) => was.receivedMinor)}::bigint[], ${grown.map(({ is }) => is.receivedMinor)}::bigint[],
      ${grown.map(({ is }) => is.status)}::text[]
    ) as t (merchant_id, order_id, was_minor, received_minor, status)
    where payment_intent.merchant_id = t.merchant_id and payment_intent.order_id = t.order_id and payment_intent.received_minor = t.was_minor`.execute(
    tx,
  );
  // Two attempts of one order in one batch have decided on the same sums: the batch is tried again command by command.
  if (Number(numAffectedRows ?? 0n) !== grown.length) throw new VersionConflict('payment_intent');
}

function receiptsOf({ events }: PaymentChange): readonly Receipt[] {
  return events.flatMap(({ event }) =>
    event.type === 'paymentBooked' || event.type === 'paymentHeldForReview' ? (event.receipt ?? []) : [],
  );
}

/**
 * Of an order that is paid now, the other attempts that nobody has begun to pay are withdrawn: the provider is asked after the
 * commit, by a timer of each. None can be begun meanwhile, as this transaction has the lock of the intent.
 */
export async function supersedeOthers(tx: Kysely<PaymentTables>, changes: readonly PaymentChange[]): Promise<void> {
  const paid = changes.filter(
    ({ before, after }) =>
      before.status !== 'absent' &&
      after.status !== 'absent' &&
      !isReached(before.intent) &&
      isReached(after.intent) &&
      after.intent.attempts > 1,
  );
  if (paid.length === 0) return;
  const { rows } = await sql<{ payment_id: string; merchant_id: string; traceparent: string; due_at: Date }>`
    select p.payment_id, p.merchant_id, p.traceparent, t.due_at
    from unnest(
      ${paid.map(({ id }) => id)}::uuid[], ${paid.map(({ merchantId }) => merchantId)}::uuid[],
      ${paid.map(({ after }) => orderOf(after))}::bigint[], ${paid.map(({ events }) => events.at(-1)?.now ?? null)}::timestamptz[]
    ) as t (payment_id, merchant_id, order_id, due_at)
    join payment p on p.merchant_id = t.merchant_id and p.order_id = t.order_id
    where p.payment_id <> t.payment_id and p.status in ('created', 'seen')`.execute(tx);
  await schedule(
    tx,
    rows.map((row) => ({
      machine: 'payment',
      aggregateId: row.payment_id,
      merchantId: row.merchant_id,
      traceparent: row.traceparent,
      change: { type: 'set', kind: supersedeTimer, dueAt: row.due_at },
    })),
  );
}

function paymentOf(state: PaymentState): Payment {
  if (state.status === 'absent') throw new Error('an absent payment is not kept');
  return state;
}

function orderOf(state: PaymentState): bigint {
  return paymentOf(state).orderId;
}
