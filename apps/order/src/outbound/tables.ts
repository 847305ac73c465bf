import type { Generated } from 'kysely';
import type { Customer, PlanType } from '../domain/placed.ts';

/**
 * Stored forms: bigint and Date have no JSON, so sums are strings of digits and instants RFC 3339. What may be absent was
 * not known when the first orders were stored.
 */
export interface StoredTerms {
  readonly type: PlanType;
  readonly period: string;
  readonly trialPeriod: string;
  readonly renewalPriceMinor: string;
  readonly renewalPrice: 'snapshot' | 'current';
}

export interface StoredRenewal {
  readonly subscriptionId: string;
  readonly term: number;
  readonly parentOrderId: string;
  readonly parentItemId: string;
  readonly parentToken: string;
  readonly previousOrderId: string;
  readonly previousItemId: string;
  readonly type: PlanType;
  readonly period: string;
  readonly isConversionFromTrial: boolean;
  readonly expiresAt: string;
  readonly nextChargeAt: string;
  readonly anchorOn: string;
  readonly periods: number;
  readonly instrumentId: string;
  /** With `instrument`, or with the card's fields of before. */
  readonly saved: { readonly systemName: string; readonly instrument?: unknown };
}

export interface StoredItem {
  readonly id: string;
  readonly productId: string;
  readonly name: string;
  readonly familyName: string;
  readonly vendorCode: string;
  readonly sku: string;
  readonly businessSegment: string;
  readonly priceMinor: string;
  readonly quantity: number;
  readonly discountMinor: string;
  readonly vatMinor: string;
  readonly amountMinor: string;
  readonly marginMinor: string;
  readonly deliveryMethod: string;
  readonly oneCodePer: string;
  readonly sendMail: boolean;
  readonly showOnOrderPage: boolean;
  readonly terms?: StoredTerms;
}

export interface StoredPlaced {
  readonly orderId: string;
  readonly cartId: string;
  readonly cartVersion: number;
  readonly livemode: boolean;
  readonly createdAt: string;
  readonly currency: string;
  readonly locale: string;
  readonly token: string;
  readonly shopName: string;
  readonly supportEmail: string;
  readonly timeZone: string;
  readonly customer: Customer;
  readonly items: readonly StoredItem[];
  readonly totalMinor: string;
  readonly paymentMethod: string;
  readonly paymentSystemName?: string;
  readonly externalId: string;
  readonly additionalData: readonly { readonly name: string; readonly value: string }[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly consent: {
    readonly wording: string;
    readonly termsUrl: string;
    readonly privacyUrl: string;
    readonly at: string;
  };
  readonly autoRenew?: boolean;
  readonly reminders?: readonly string[];
  readonly renewal?: StoredRenewal;
}

export interface CartRow {
  cart_id: string;
  merchant_id: string;
  livemode: boolean;
  currency: string;
  locale: string;
  lines: { product_id: string; quantity: number }[];
  version: number;
  order_id: bigint | null;
  order_token: string | null;
  touched_at: Date;
}

export interface OrderRow {
  order_id: bigint;
  merchant_id: string;
  livemode: boolean;
  status: 'not paid' | 'paid' | 'deleted';
  fulfilment_status: 'not delivered' | 'delivered';
  version: bigint;
  token: string;
  placed: StoredPlaced;
  customer_email: string;
  external_id: string;
  paid_at: Date | null;
  created_at: Date;
  /** Of a child order. */
  subscription_id: string | null;
  term: number | null;
}

export interface HistoryRow {
  order_id: bigint;
  version: bigint;
  merchant_id: string;
  type: string;
  at: Date;
  trace_id: string;
  data: Record<string, unknown>;
}

export interface OrderTables {
  cart: Omit<CartRow, 'touched_at' | 'version'> & { touched_at: Generated<Date>; version: Generated<number> };
  purchase_order: OrderRow;
  order_history: HistoryRow;
}
