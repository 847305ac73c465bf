/** What a history left behind, as rows: read once, and judged by all. Numbers of eight bytes come as text. */
import type { Storage } from '../storage/storage.ts';

const tables = {
  orders: '"order".purchase_order',
  orderHistory: '"order".order_history',
  payments: 'payment.payment',
  intents: 'payment.payment_intent',
  receipts: 'payment.receipt',
  paymentHistory: 'payment.payment_history',
  attempts: 'payment.attempt',
  deliveries: 'fulfillment.delivery',
  licences: 'fulfillment.licence',
  poolCodes: 'fulfillment.pool_code',
  subscriptions: 'subscription.subscription',
  subscriptionOrders: 'subscription.subscription_order',
  subscriptionHistory: 'subscription.subscription_history',
  mails: 'notification.mail',
  events: 'webhook.event',
  webhooks: 'webhook.delivery',
  orderOutbox: '"order".outbox',
  paymentOutbox: 'payment.outbox',
  fulfillmentOutbox: 'fulfillment.outbox',
  subscriptionOutbox: 'subscription.outbox',
} as const;

export type Row = Readonly<Record<string, unknown>>;
export type Facts = Readonly<Record<keyof typeof tables, readonly Row[]>>;

export async function readFacts(storage: Storage): Promise<Facts> {
  const facts: Partial<Record<keyof typeof tables, readonly Row[]>> = {};
  for (const name of Object.keys(tables) as (keyof typeof tables)[])
    facts[name] = await storage.look<Row>(`select * from ${tables[name]}`);
  return facts as Facts;
}

/** Of the rows by what this says of them. */
export function by(rows: readonly Row[], column: string): Map<string, Row[]> {
  return Map.groupBy(rows, (row) => text(row[column]));
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : String(value);
}

export interface PlacedItem {
  readonly id: string;
  readonly quantity: number;
  readonly oneCodePer: string;
  readonly amountMinor: string;
}

export interface Placed {
  readonly totalMinor: string;
  readonly currency: string;
  readonly items: readonly PlacedItem[];
}

export function placedOf(order: Row): Placed {
  const placed = order['placed'];
  if (typeof placed !== 'object' || placed === null) throw new Error('an order without what was placed');
  return placed as Placed;
}
