/**
 * Keeps the payment machine: its row, its history, the attempt written before the provider is called, what is kept for
 * renewals, its messages.
 */
import { readInstrument } from '@tillstream/instrument/instrument';
import type { Change, Keeper, TimerChange, VersionedEvent } from '@tillstream/messaging/keeper';
import { VersionConflict } from '@tillstream/messaging/keeper';
import type { OutgoingMessage } from '@tillstream/messaging/message';
import { toMessage } from '@tillstream/messaging/outgoing';
import { paymentEvents } from '@tillstream/messaging/topics';
import { PaymentEvent as WireEvent } from '@tillstream/proto/payment/v1/payment_events';
import { traceIdOf } from '@tillstream/telemetry/trace';
import { together } from '@tillstream/database/together';
import { sql, type Kysely } from 'kysely';
import { askAfter, mostTries } from '../domain/patience.ts';
import { isOffline } from '../domain/methods.ts';
import { IntentReached, isReached } from '../domain/payment-intent.ts';
import { isLive, type Payment, type PaymentEvent, type PaymentState } from '../domain/payment.ts';
import { firstLookMs } from '../domain/policies.ts';
import { sharedAccountId } from '../domain/provider-account.ts';
import { beginIntents, intentColumns, keepReceipts, supersedeOthers, toIntent } from './intent-keeper.ts';
import type { IntentColumns, PaymentRow, PaymentTables } from './tables.ts';

type PaymentChange = Change<PaymentState, PaymentEvent>;

/** A charge whose outcome is unknown is asked again. */
export const chargeTimer = 'ask';
// The call that follows the commit at once has the attempt for itself for so long; then a worker takes it up.
const ownCallSeconds = 10;

export const paymentKeeper: Keeper<PaymentTables, PaymentState, PaymentEvent> = {
  async load(tx, ids) {
    // Each payment's intent is locked before the payment, and intents in the order of their orders: no two batches wait for each other.
    const { rows } = await sql<PaymentRow & IntentColumns>`
      select payment.*, ${intentColumns} from payment_intent i join payment on payment.merchant_id = i.merchant_id and payment.order_id = i.order_id
      where payment.payment_id = any (${ids}::uuid[]) order by i.merchant_id, i.order_id, payment.payment_id for no key update`.execute(
      tx,
    );
    return new Map(rows.map((row) => [row.payment_id, { state: toState(row), version: Number(row.version) }]));
  },

  async save(tx, changes) {
    const made = changes.filter((change) => change.versionBefore === 0);
    const kept = changes.filter((change) => change.versionBefore > 0);
    if (made.length > 0) {
      await insert(tx, made);
      await writeAhead(tx, made);
    }
    if (kept.length > 0) {
      await keepInstruments(tx, kept);
      await together([update(tx, kept), keepReceipts(tx, kept)]);
      await supersedeOthers(tx, kept);
      await settleCharges(tx, kept);
    }
    await remember(tx, changes);
  },

  announce(change) {
    return change.events.flatMap((event) => toWire(change, event));
  },

  timers(change): readonly TimerChange[] {
    const { before, after } = change;
    if (after.status === 'absent') return [];
    // Renewals: whoever charges them sets when to ask again (inbound/charges.ts); nobody is shown a page.
    if (after.renewal !== undefined)
      return before.status !== 'absent' && !isLive(after) ? [{ type: 'clear', kind: chargeTimer }] : [];
    const timers: TimerChange[] = [];
    if (before.status === 'absent' && after.expiresAt !== undefined)
      timers.push({ type: 'set', kind: 'expire', dueAt: after.expiresAt });
    const wasOpen = before.status === 'absent' || before.status === 'created' || before.status === 'seen';
    const isOpen = after.status === 'created' || after.status === 'seen';
    if (before.status !== 'absent' && wasOpen && !isOpen) timers.push({ type: 'clear', kind: 'expire' });
    const opened = change.events.find(({ event }) => event.type === 'pageKnown');
    if (opened !== undefined)
      timers.push({ type: 'set', kind: 'look', dueAt: new Date(opened.now.getTime() + firstLookMs) });
    if (before.status !== 'absent' && wasOpen && !isOpen) timers.push({ type: 'clear', kind: 'look' });
    const firstAsk = askAfter(1, change.events.at(-1)?.now ?? after.createdAt);
    if (after.status === 'processing' && before.status !== 'processing' && firstAsk !== undefined)
      timers.push({ type: 'set', kind: 'ask-1', dueAt: firstAsk });
    if (before.status === 'processing' && !isLive(after))
      for (let at = 1; at <= mostTries; at += 1) timers.push({ type: 'clear', kind: `ask-${at}` });
    return timers;
  },
};

async function insert(tx: Kysely<PaymentTables>, made: readonly PaymentChange[]): Promise<void> {
  const { numAffectedRows } = await sql`
    with intent as (${beginIntents(made)})
    insert into payment select made.* from jsonb_populate_recordset(null::payment, ${toJson(made)}::jsonb) as made
    join intent on intent.merchant_id = made.merchant_id and intent.order_id = made.order_id`.execute(tx);
  if (Number(numAffectedRows ?? 0n) !== made.length) throw new IntentReached();
}

async function update(tx: Kysely<PaymentTables>, changes: readonly PaymentChange[]): Promise<void> {
  const { numAffectedRows } = await sql`
    update payment set
      status = new.status, version = new.version, provider_payment_id = new.provider_payment_id, redirect_url = new.redirect_url,
      is_outcome_unknown = new.is_outcome_unknown, review_reason = new.review_reason, reason = new.reason,
      provider_error_code = new.provider_error_code, provider_error_description = new.provider_error_description,
      instrument = new.instrument, finalised_at = new.finalised_at, instrument_id = new.instrument_id
    from jsonb_populate_recordset(null::payment, ${toJson(changes)}::jsonb) as new
    join unnest(${changes.map((change) => change.id)}::uuid[], ${changes.map((change) => change.versionBefore)}::bigint[]) as was (payment_id, version)
      on was.payment_id = new.payment_id
    where payment.payment_id = new.payment_id and payment.version = was.version`.execute(tx);
  if (Number(numAffectedRows ?? 0n) !== changes.length) throw new VersionConflict('payment');
}

/** The intention to call the provider is part of the commit that makes the payment: a crash cannot lose or double it. */
async function writeAhead(tx: Kysely<PaymentTables>, made: readonly PaymentChange[]): Promise<void> {
  const called = made.flatMap((change) => {
    const [first] = change.events;
    const { after } = change;
    if (first === undefined || after.status === 'absent' || !isLive(after)) return [];
    return [{ ...first, change, isCharge: after.renewal !== undefined }];
  });
  if (called.length === 0) return;
  await sql`
    insert into attempt (attempt_id, merchant_id, payment_id, kind, state, created_at, due_at, leased_until)
    select attempt_id, merchant_id, payment_id, case when is_charge then 'charge' else 'create' end, 'intended', at, at,
      case when is_charge then null else now() + make_interval(secs => ${ownCallSeconds}) end
    from unnest(
      ${called.map(({ eventId }) => eventId)}::uuid[], ${called.map(({ change }) => change.merchantId)}::uuid[], ${called.map(({ change }) => change.id)}::uuid[],
      ${called.map(({ isCharge }) => isCharge)}::boolean[], ${called.map(({ now }) => now)}::timestamptz[]
    ) as t (attempt_id, merchant_id, payment_id, is_charge, at)`.execute(tx);
}

/** What the provider keeps for renewals. Its token is written here and read again only to charge (attempts.ts). */
async function keepInstruments(tx: Kysely<PaymentTables>, changes: readonly PaymentChange[]): Promise<void> {
  const rows = changes.flatMap(({ merchantId, after, events }) =>
    events.flatMap(({ event, now }) =>
      after.status !== 'absent' && event.type === 'paymentBooked' && after.instrumentId === after.savesInstrumentId
        ? [
            {
              instrument_id: after.savesInstrumentId,
              merchant_id: merchantId,
              livemode: after.livemode,
              method: after.method,
              provider: after.provider,
              account_id: after.accountId,
              provider_token: event.settlement.instrumentToken,
              instrument: after.instrument,
              created_at: now,
            },
          ].filter((row) => row.instrument_id !== '')
        : [],
    ),
  );
  if (rows.length === 0) return;
  await sql`insert into instrument select * from jsonb_populate_recordset(null::instrument, ${JSON.stringify(rows)}::jsonb)`.execute(
    tx,
  );
}

/** A charge that has ended is not called again, whoever learned it: the call, a callback or a question. */
async function settleCharges(tx: Kysely<PaymentTables>, changes: readonly PaymentChange[]): Promise<void> {
  const ended = changes.flatMap(({ id, after }) =>
    after.status !== 'absent' && after.renewal !== undefined && !isLive(after) ? [{ id, after }] : [],
  );
  if (ended.length === 0) return;
  await sql`
    update attempt set state = t.state, settled_at = t.at, due_at = null, leased_until = null
    from unnest(
      ${ended.map(({ id }) => id)}::uuid[], ${ended.map(({ after }) => (after.status === 'booked' ? 'succeeded' : 'declined'))}::text[],
      ${ended.map(({ after }) => after.finalisedAt ?? null)}::timestamptz[]
    ) as t (payment_id, state, at)
    where attempt.payment_id = t.payment_id and kind = 'charge' and settled_at is null`.execute(tx);
}

async function remember(tx: Kysely<PaymentTables>, changes: readonly PaymentChange[]): Promise<void> {
  const rows = changes.flatMap((change) =>
    change.events.map(({ event, version, now, traceparent }) => ({
      payment_id: change.id,
      version: String(version),
      merchant_id: change.merchantId,
      order_id: change.after.status === 'absent' ? '0' : String(change.after.orderId),
      type: event.type,
      at: now,
      trace_id: traceIdOf(traceparent),
    })),
  );
  await sql`insert into payment_history select * from jsonb_populate_recordset(null::payment_history, ${JSON.stringify(rows)}::jsonb)`.execute(
    tx,
  );
}

function toJson(changes: readonly PaymentChange[]): string {
  return JSON.stringify(
    changes.map((change) => {
      const { after } = change;
      if (after.status === 'absent') throw new Error('an absent payment is not kept');
      return {
        payment_id: change.id,
        merchant_id: change.merchantId,
        order_id: String(after.orderId),
        livemode: after.livemode,
        status: after.status,
        version: change.version,
        amount_minor: String(after.amountMinor),
        currency: after.currency,
        method: after.method,
        provider: after.provider,
        account_id: after.accountId,
        provider_payment_id: after.providerPaymentId,
        redirect_url: after.redirectUrl,
        return_url: after.returnUrl,
        locale: after.locale,
        description: after.description,
        is_outcome_unknown: after.isOutcomeUnknown,
        review_reason: after.reviewReason,
        reason: after.failure?.reason ?? '',
        provider_error_code: after.failure?.code ?? '',
        provider_error_description: after.failure?.description ?? '',
        instrument: after.instrument,
        created_at: after.createdAt,
        expires_at: after.expiresAt ?? null,
        finalised_at: after.finalisedAt ?? null,
        // Kept from the first event on; an update leaves it alone.
        traceparent: change.events[0]?.traceparent ?? '',
        saves_instrument_id: after.savesInstrumentId || null,
        instrument_id: after.instrumentId || null,
        is_off_session: after.renewal !== undefined,
        subscription_id: after.renewal?.subscriptionId ?? null,
        term: after.renewal?.term ?? null,
        slot: after.renewal?.slot ?? null,
        is_offline: isOffline(after.method),
      };
    }),
  );
}

export function toState(row: PaymentRow & IntentColumns): Payment {
  const intent = toIntent(row);
  return {
    status: row.status,
    intent,
    orderMinor: intent.amountMinor,
    orderId: row.order_id,
    livemode: row.livemode,
    amountMinor: row.amount_minor,
    currency: row.currency,
    method: row.method,
    provider: row.provider,
    accountId: row.account_id ?? sharedAccountId(row.merchant_id),
    returnUrl: row.return_url,
    locale: row.locale,
    description: row.description,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    providerPaymentId: row.provider_payment_id,
    redirectUrl: row.redirect_url,
    isOutcomeUnknown: row.is_outcome_unknown,
    reviewReason: row.review_reason,
    failure:
      row.reason === ''
        ? undefined
        : { reason: row.reason, code: row.provider_error_code, description: row.provider_error_description },
    instrument: readInstrument(row.instrument),
    finalisedAt: row.finalised_at ?? undefined,
    savesInstrumentId: row.saves_instrument_id ?? '',
    instrumentId: row.instrument_id ?? '',
    renewal:
      row.subscription_id === null || row.term === null || row.slot === null
        ? undefined
        : { subscriptionId: row.subscription_id, term: row.term, slot: row.slot },
  };
}

function toWire(change: PaymentChange, versioned: VersionedEvent<PaymentEvent>): OutgoingMessage[] {
  const { after, id, merchantId } = change;
  const payload = after.status === 'absent' ? undefined : payloadOf(versioned.event, after);
  if (payload === undefined || after.status === 'absent') return [];
  const { eventId, now, traceparent, version } = versioned;
  const value = WireEvent.encode({
    header: { eventId, merchantId, aggregateVersion: BigInt(version), occurredAt: now, schemaVersion: 1, traceparent },
    paymentId: id,
    orderId: after.orderId,
    payload,
  }).finish();
  // Keyed by the order, so that the payments of one order stay in order (docs/decisions/one-source-of-webhook-order.md).
  return [toMessage(paymentEvents, 'payment', String(after.orderId), { eventId, now, traceparent, merchantId }, value)];
}

function payloadOf(event: PaymentEvent, after: Payment): WireEvent['payload'] {
  switch (event.type) {
    case 'paymentBooked': {
      // The order is paid when its sum is reached, whatever this attempt brought. A part of it is nobody's event yet.
      const { amountMinor, currency } = after.intent;
      return isReached(after.intent) ? { $case: 'paymentBooked', value: { amountMinor, currency } } : undefined;
    }
    case 'paymentFailed':
      return { $case: 'paymentFailed', value: { reason: event.failure.reason } };
    case 'paymentExpired':
      return { $case: 'paymentExpired', value: {} };
    case 'paymentWithdrawn':
      return { $case: 'paymentWithdrawn', value: {} };
    case 'paymentProcessingExpired':
      return { $case: 'paymentProcessingExpired', value: {} };
    case 'paymentHeldForReview':
      return { $case: 'paymentHeldForReview', value: { reason: event.reason } };
    // On the way to the outcome; the order's timeline tells them (payment-timeline.ts). Each message is a commit here, one in
    // the carrier and one for every group that would pass it by (docs/decisions/news-that-somebody-hears.md).
    case 'paymentCreated':
    case 'paymentSeen':
    case 'paymentProcessing':
    case 'paymentConfirmed':
      return undefined;
    // Between us and the provider; nobody else's news.
    case 'pageKnown':
    case 'outcomeUnknown':
      return undefined;
  }
}
