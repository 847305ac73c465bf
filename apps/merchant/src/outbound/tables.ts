import type { Generated } from 'kysely';

/** Prices as they stand in the row: bigint has no JSON. */
export interface StoredPrice {
  readonly currency: string;
  readonly amount_minor: string;
}

export interface StoredDelivery {
  readonly method: string;
  readonly one_code_per: string;
  readonly send_mail: boolean;
  readonly show_on_order_page: boolean;
  readonly low_water_mark: number;
}

export interface StoredPlan {
  readonly type: string;
  readonly period: string;
  readonly trial_period: string;
  readonly renewal_price: string;
}

export interface ClockRow {
  merchant_id: string;
  sequence: bigint;
  status: 'wall' | 'ahead' | 'advancing';
  at: Date;
  set_at: Date;
  pushed_sequence: bigint;
}

export interface AdvanceRow {
  advance_id: string;
  merchant_id: string;
  request_id: string | null;
  from_at: Date;
  to_at: Date;
  at: Date;
  sequence: bigint;
  first_sequence: bigint;
  status: 'running' | 'waiting' | 'done' | 'abandoned';
  waiting_for: { source: string; what: string; count: number }[];
  fired_count: number;
  started_at: Date;
  finished_at: Date | null;
  leased_until: Date | null;
  lease: bigint;
}

export interface FiringRow {
  advance_id: string;
  number: number;
  merchant_id: string;
  at: Date;
  source: string;
  kind: string;
  object_id: string;
}

export interface MerchantTables {
  test_clock: ClockRow;
  clock_advance: AdvanceRow;
  clock_firing: FiringRow;
  account: { account_id: string; name: string; created_at: Generated<Date> };
  merchant: {
    merchant_id: string;
    account_id: string;
    livemode: boolean;
    shop_name: string;
    time_zone: Generated<string>;
    locale: Generated<string>;
    currencies: Generated<string[]>;
    support_email: string;
    support_url: Generated<string>;
    terms_url: Generated<string>;
    privacy_url: Generated<string>;
    commission_bp: Generated<number>;
    renewal_consent: Generated<string>;
    renewal_consent_default: Generated<boolean>;
    unpaid_order_reminders: Generated<string[]>;
    payment_expiry_minutes: Generated<number>;
    created_at: Generated<Date>;
  };
  api_key: {
    api_key_id: string;
    merchant_id: string;
    handle: string;
    digest: Buffer;
    name: string;
    hint: string;
    scopes: string[];
    request_id: string | null;
    created_at: Generated<Date>;
    last_used_at: Date | null;
    revoked_at: Date | null;
  };
  product: {
    product_id: bigint;
    merchant_id: string;
    livemode: boolean;
    name: string;
    family_name: string;
    description: string;
    image_url: string;
    vendor_code: string;
    sku: string;
    business_segment: string;
    prices: StoredPrice[];
    min_quantity: number;
    published: boolean;
    archived: Generated<boolean>;
    delivery: StoredDelivery;
    subscription: StoredPlan | null;
    metadata: Record<string, string>;
    request_id: string | null;
    created_at: Generated<Date>;
  };
}
