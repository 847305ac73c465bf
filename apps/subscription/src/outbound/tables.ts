import type { Selectable } from 'kysely';
import type { PlanType } from '../domain/agreement.ts';
import type { ChangedBy, Renewal, Subscription, SubscriptionEvent } from '../domain/subscription.ts';

export interface SubscriptionTables {
  subscription: {
    subscription_id: string;
    merchant_id: string;
    livemode: boolean;
    status: Subscription['status'];
    version: bigint;
    parent_order_id: bigint;
    parent_item_id: bigint;
    product_id: string;
    product_name: string;
    quantity: number;
    type: PlanType;
    period: string;
    trial_period: string;
    time_zone: string;
    currency: string;
    renewal_price: 'snapshot' | 'current';
    renewal_price_minor: bigint;
    started_at: Date;
    term: number;
    anchor_on: string;
    periods: number;
    expires_at: Date;
    next_charge_at: Date;
    last_order_id: bigint;
    last_item_id: bigint;
    instrument_id: string;
    price_minor: bigint;
    step: Renewal['step'];
    open_order_id: bigint | null;
    open_item_id: bigint | null;
    open_amount_minor: bigint | null;
    last_slot: number;
    charging_since: Date | null;
    notice_at: Date | null;
    charge_at: Date | null;
    is_expired: boolean;
    cancelled_at: Date | null;
    cancelled_by: ChangedBy | null;
  };
  subscription_order: {
    order_id: bigint;
    subscription_id: string;
    merchant_id: string;
    term: number;
  };
  subscription_history: {
    subscription_id: string;
    version: bigint;
    merchant_id: string;
    term: number;
    type: SubscriptionEvent['type'];
    at: Date;
    trace_id: string;
    data: StoredFacts;
  };
}

/** What a sentence of the timeline names: numbers as digits, instants as RFC 3339. */
export interface StoredFacts {
  readonly orderId?: string;
  readonly amountMinor?: string;
  readonly slot?: number;
  readonly nextAt?: string;
  readonly expiresAt?: string;
  readonly by?: ChangedBy;
}

export type SubscriptionRow = Selectable<SubscriptionTables['subscription']>;
export type HistoryRow = Selectable<SubscriptionTables['subscription_history']>;
