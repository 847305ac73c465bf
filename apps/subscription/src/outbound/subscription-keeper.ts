/** Keeps the subscription machine: its row, its orders, its history and its timers. The only place that writes them. */
import { evolveAll } from '@tillstream/machine/machine';
import { VersionConflict, type Change, type Keeper, type TimerChange } from '@tillstream/messaging/keeper';
import { traceIdOf } from '@tillstream/telemetry/trace';
import { sql, type Kysely } from 'kysely';
import { subscription } from '../domain/machine.ts';
import {
  plannedOf,
  type Subscription,
  type SubscriptionEvent,
  type SubscriptionState,
} from '../domain/subscription.ts';
import { factsOf, rowOf, stateOf, toJson } from './stored-subscription.ts';
import type { SubscriptionRow, SubscriptionTables } from './tables.ts';
import { toWire, type Moment } from './wire.ts';

type Tx = Kysely<SubscriptionTables>;
type SubscriptionChange = Change<SubscriptionState, SubscriptionEvent>;

export const subscriptionKeeper: Keeper<SubscriptionTables, SubscriptionState, SubscriptionEvent> = {
  async load(tx, ids) {
    const { rows } = await sql<SubscriptionRow>`
      select * from subscription where subscription_id = any (${ids}::text[]) order by subscription_id for no key update`.execute(
      tx,
    );
    return new Map(rows.map((row) => [row.subscription_id, { state: stateOf(row), version: Number(row.version) }]));
  },

  async save(tx, changes) {
    const rows = changes.map((change) => rowOf(change.id, change.merchantId, change.version, existing(change.after)));
    const made = rows.filter((_, at) => changes[at]?.versionBefore === 0);
    if (made.length > 0)
      await sql`insert into subscription select * from jsonb_populate_recordset(null::subscription, ${toJson(made)}::jsonb)`.execute(
        tx,
      );
    const kept = changes.filter((change) => change.versionBefore > 0);
    if (kept.length > 0)
      await update(
        tx,
        kept,
        rows.filter((_, at) => (changes[at]?.versionBefore ?? 0) > 0),
      );
    const moments = changes.map((change) => ({ change, moments: momentsOf(change) }));
    await remember(tx, moments);
    await linkOrders(tx, moments);
  },

  announce: (change) => momentsOf(change).flatMap((moment) => toWire(change, moment)),

  timers(change) {
    const [before, after] = [plannedOf(change.before), plannedOf(change.after)];
    return (['notice', 'charge', 'expire'] as const).flatMap((kind): TimerChange[] => {
      const dueAt = after[kind];
      if (dueAt?.getTime() === before[kind]?.getTime()) return [];
      return [dueAt === undefined ? { type: 'clear', kind } : { type: 'set', kind, dueAt }];
    });
  },
};

function existing(state: SubscriptionState): Subscription {
  if (state.status === 'absent') throw new Error('an absent subscription is not kept');
  return state;
}

function momentsOf({ before, events }: SubscriptionChange): readonly Moment[] {
  let state = before;
  return events.map((versioned) => {
    state = evolveAll(subscription, state, [versioned.event]);
    return { ...versioned, state: existing(state) };
  });
}

/** What was agreed on stays; the rest is written as it is now. */
async function update(tx: Tx, changes: readonly SubscriptionChange[], rows: readonly SubscriptionRow[]): Promise<void> {
  const { numAffectedRows } = await sql`
    update subscription set
      (status, version, term, anchor_on, periods, expires_at, next_charge_at, last_order_id, last_item_id, instrument_id,
       price_minor, step, open_order_id, open_item_id, open_amount_minor, last_slot, charging_since, notice_at, charge_at,
       is_expired, cancelled_at, cancelled_by) =
      (t.status, t.version, t.term, t.anchor_on, t.periods, t.expires_at, t.next_charge_at, t.last_order_id, t.last_item_id, t.instrument_id,
       t.price_minor, t.step, t.open_order_id, t.open_item_id, t.open_amount_minor, t.last_slot, t.charging_since, t.notice_at, t.charge_at,
       t.is_expired, t.cancelled_at, t.cancelled_by)
    from jsonb_populate_recordset(null::subscription, ${toJson(rows)}::jsonb) as t
    join unnest(${changes.map((change) => change.id)}::text[], ${changes.map((change) => change.versionBefore)}::bigint[]) as was (id, version)
      on was.id = t.subscription_id
    where subscription.subscription_id = t.subscription_id and subscription.version = was.version`.execute(tx);
  if (Number(numAffectedRows ?? 0n) !== changes.length) throw new VersionConflict('subscription');
}

type Remembered = readonly { readonly change: SubscriptionChange; readonly moments: readonly Moment[] }[];

async function remember(tx: Tx, changes: Remembered): Promise<void> {
  const rows = changes.flatMap(({ change, moments }) =>
    moments.map(({ event, state, version, now, traceparent }) => ({
      subscription_id: change.id,
      version,
      merchant_id: change.merchantId,
      term: hasBegunTerm(event) ? state.term.number : state.term.number + 1,
      type: event.type,
      at: now,
      trace_id: traceIdOf(traceparent),
      data: factsOf(event, state),
    })),
  );
  await sql`insert into subscription_history select * from jsonb_populate_recordset(null::subscription_history, ${JSON.stringify(rows)}::jsonb)`.execute(
    tx,
  );
}

function hasBegunTerm({ type }: SubscriptionEvent): boolean {
  return type === 'subscriptionStarted' || type === 'subscriptionRenewed';
}

async function linkOrders(tx: Tx, changes: Remembered): Promise<void> {
  const rows = changes.flatMap(({ change, moments }) =>
    moments.flatMap(({ event, state }) => {
      const about = { subscription_id: change.id, merchant_id: change.merchantId };
      if (hasBegunTerm(event)) return [{ ...about, order_id: state.term.orderId, term: state.term.number }];
      return event.type === 'childOpened' ? [{ ...about, order_id: event.orderId, term: state.term.number + 1 }] : [];
    }),
  );
  if (rows.length === 0) return;
  // A child is linked when it comes, and is known already when it is paid.
  await sql`
    insert into subscription_order (order_id, subscription_id, merchant_id, term)
    select order_id, subscription_id, merchant_id, term from jsonb_populate_recordset(null::subscription_order, ${toJson(rows)}::jsonb)
    on conflict do nothing`.execute(tx);
}
