/** A subscription as its row, and back. */
import type { Renewal, Subscription, SubscriptionEvent } from '../domain/subscription.ts';
import type { StoredFacts, SubscriptionRow } from './tables.ts';

export function stateOf(row: SubscriptionRow): Subscription {
  return {
    status: row.status,
    agreed: {
      parentOrderId: row.parent_order_id,
      parentItemId: row.parent_item_id,
      livemode: row.livemode,
      productId: row.product_id,
      productName: row.product_name,
      quantity: row.quantity,
      type: row.type,
      period: row.period,
      trialPeriod: row.trial_period,
      timeZone: row.time_zone,
      currency: row.currency,
      renewalPrice: row.renewal_price,
      renewalPriceMinor: row.renewal_price_minor,
      startedAt: row.started_at,
    },
    term: {
      number: row.term,
      anchorOn: row.anchor_on,
      periods: row.periods,
      expiresAt: row.expires_at,
      nextChargeAt: row.next_charge_at,
      orderId: row.last_order_id,
      itemId: row.last_item_id,
      instrumentId: row.instrument_id,
    },
    renewal: renewalOf(row),
    priceMinor: row.price_minor,
    noticeAt: row.notice_at ?? undefined,
    chargeAt: row.charge_at ?? undefined,
    isExpired: row.is_expired,
    cancelled:
      row.cancelled_at === null || row.cancelled_by === null
        ? undefined
        : { at: row.cancelled_at, by: row.cancelled_by },
  };
}

function renewalOf(row: SubscriptionRow): Renewal {
  const { step, open_order_id: orderId, open_item_id: itemId, open_amount_minor: amountMinor } = row;
  if (step !== 'open') return { step };
  if (orderId === null || itemId === null || amountMinor === null)
    throw new Error(`subscription ${row.subscription_id} has an open child without a number`);
  return {
    step,
    orderId,
    itemId,
    amountMinor,
    lastSlot: row.last_slot,
    chargingSince: row.charging_since ?? undefined,
  };
}

export function rowOf(id: string, merchantId: string, version: number, state: Subscription): SubscriptionRow {
  const { agreed, term, renewal, cancelled } = state;
  const open = renewal.step === 'open' ? renewal : undefined;
  return {
    subscription_id: id,
    merchant_id: merchantId,
    livemode: agreed.livemode,
    status: state.status,
    version: BigInt(version),
    parent_order_id: agreed.parentOrderId,
    parent_item_id: agreed.parentItemId,
    product_id: agreed.productId,
    product_name: agreed.productName,
    quantity: agreed.quantity,
    type: agreed.type,
    period: agreed.period,
    trial_period: agreed.trialPeriod,
    time_zone: agreed.timeZone,
    currency: agreed.currency,
    renewal_price: agreed.renewalPrice,
    renewal_price_minor: agreed.renewalPriceMinor,
    started_at: agreed.startedAt,
    term: term.number,
    anchor_on: term.anchorOn,
    periods: term.periods,
    expires_at: term.expiresAt,
    next_charge_at: term.nextChargeAt,
    last_order_id: term.orderId,
    last_item_id: term.itemId,
    instrument_id: term.instrumentId,
    price_minor: state.priceMinor,
    step: renewal.step,
    open_order_id: open?.orderId ?? null,
    open_item_id: open?.itemId ?? null,
    open_amount_minor: open?.amountMinor ?? null,
    last_slot: open?.lastSlot ?? -1,
    charging_since: open?.chargingSince ?? null,
    notice_at: state.noticeAt ?? null,
    charge_at: state.chargeAt ?? null,
    is_expired: state.isExpired,
    cancelled_at: cancelled?.at ?? null,
    cancelled_by: cancelled?.by ?? null,
  };
}

/** As jsonb_populate_recordset reads it: JSON has no bigint, Postgres reads digits. */
export function toJson(rows: readonly object[]): string {
  return JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

export function factsOf(event: SubscriptionEvent, { term, renewal }: Subscription): StoredFacts {
  const child = renewal.step === 'open' ? { orderId: String(renewal.orderId) } : {};
  switch (event.type) {
    case 'renewalNoticeDue':
      return { amountMinor: String(event.priceMinor) };
    case 'chargeDue':
    case 'chargeLapsed':
      return { ...child, slot: event.slot };
    case 'renewalFailed':
      return {
        ...child,
        slot: event.slot,
        ...(event.nextAt === undefined ? {} : { nextAt: event.nextAt.toISOString() }),
      };
    case 'subscriptionStarted':
    case 'subscriptionRenewed':
      return { orderId: String(term.orderId), expiresAt: term.expiresAt.toISOString() };
    case 'subscriptionCancelled':
    case 'subscriptionRestored':
      return { by: event.by, expiresAt: term.expiresAt.toISOString() };
    case 'subscriptionExpired':
      return { expiresAt: term.expiresAt.toISOString() };
    default:
      return child;
  }
}
