import type { Generated } from 'kysely';
import type { AdditionalParameter } from '../domain/attached.ts';
import type { Item } from '../domain/item.ts';
import type { Placed } from '../domain/placed.ts';
import type { Renewal } from '../domain/subscription/renewal.ts';

/** bigint and Date have no JSON: sums are stored as strings of digits, and instants in RFC 3339. */
export type Stored<Value> = Value extends bigint | Date
  ? string
  : Value extends readonly (infer Each)[]
    ? readonly Stored<Each>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: Stored<Value[Key]> }
      : Value;

type Optional<Whole, Keys extends keyof Whole> = Omit<Whole, Keys> & Partial<Pick<Whole, Keys>>;

/** `saved` has an instrument, or the card's fields of before. */
export type StoredRenewal = Omit<Stored<Renewal>, 'saved'> & {
  readonly saved: { readonly systemName: string; readonly instrument?: unknown };
};

export type StoredItem = Optional<Stored<Item>, 'terms'>;

/** What may be absent was not known when the first orders were stored, or is not there. */
export type StoredPlaced = Optional<
  Omit<Stored<Placed>, 'items' | 'renewal'> & {
    readonly items: readonly StoredItem[];
    readonly renewal: StoredRenewal;
  },
  'source' | 'autoRenew' | 'reminders' | 'renewal' | 'paymentSystemName'
>;

export interface CartRow {
  cart_id: string;
  merchant_id: string;
  livemode: boolean;
  currency: string;
  locale: string;
  lines: { product_id: string; quantity: number }[];
  external_id: string;
  additional_data: AdditionalParameter[];
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
  /** Null = 1: stored by a version that did not know it. */
  schema_version: number | null;
}

export interface OrderTables {
  cart: Omit<CartRow, 'touched_at' | 'version'> & { touched_at: Generated<Date>; version: Generated<number> };
  purchase_order: OrderRow;
  order_history: HistoryRow;
}
