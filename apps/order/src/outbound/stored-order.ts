/** Rows ↔ state. The state at any version is what its events make of it: the same `evolve` that decided them. */
import { evolveAll } from '@tillstream/machine/machine';
import { order, type Item, type OrderEvent, type OrderState, type PaymentShown, type Placed } from '../domain/order.ts';
import type { HistoryRow, StoredItem, StoredPlaced } from './tables.ts';

export function storePlaced(placed: Placed): StoredPlaced {
  return {
    ...placed,
    orderId: String(placed.orderId),
    createdAt: placed.createdAt.toISOString(),
    totalMinor: String(placed.totalMinor),
    items: placed.items.map(storeItem),
    consent: { ...placed.consent, at: placed.consent.at.toISOString() },
  };
}

export function readPlaced(stored: StoredPlaced): Placed {
  return {
    ...stored,
    orderId: BigInt(stored.orderId),
    createdAt: new Date(stored.createdAt),
    totalMinor: BigInt(stored.totalMinor),
    items: stored.items.map(readItem),
    consent: { ...stored.consent, at: new Date(stored.consent.at) },
  };
}

function storeItem(item: Item): StoredItem {
  const { id, priceMinor, discountMinor, vatMinor, amountMinor, marginMinor, ...rest } = item;
  return {
    ...rest,
    id: String(id),
    priceMinor: String(priceMinor),
    discountMinor: String(discountMinor),
    vatMinor: String(vatMinor),
    amountMinor: String(amountMinor),
    marginMinor: String(marginMinor),
  };
}

function readItem(stored: StoredItem): Item {
  return {
    ...stored,
    id: BigInt(stored.id),
    priceMinor: BigInt(stored.priceMinor),
    discountMinor: BigInt(stored.discountMinor),
    vatMinor: BigInt(stored.vatMinor),
    amountMinor: BigInt(stored.amountMinor),
    marginMinor: BigInt(stored.marginMinor),
  };
}

/** The event's own data, without what the order row keeps. */
export function storeEvent(event: OrderEvent): Record<string, unknown> {
  switch (event.type) {
    case 'orderCreated':
    case 'orderDelivered':
      return {};
    case 'orderPaymentFailed':
      return { payment: event.payment };
    case 'orderPaid':
      return { payment: event.payment, at: event.at.toISOString() };
    case 'orderPaidAgain':
    case 'orderPaidLate':
      return { paymentId: event.paymentId };
    case 'orderItemDelivered':
      return { itemId: String(event.itemId), at: event.at.toISOString() };
    case 'orderDeleted':
      return { reason: event.reason };
  }
}

/** Rows in the order of their versions. */
export function stateOf(stored: StoredPlaced, history: readonly HistoryRow[]): OrderState {
  const placed = readPlaced(stored);
  return evolveAll(
    order,
    order.absent,
    history.map((row) => readEvent(row, placed)),
  );
}

export function readEvent(row: HistoryRow, placed: Placed): OrderEvent {
  const { data } = row;
  const text = (key: string) => textOf(data[key]);
  switch (row.type) {
    case 'orderCreated':
      return { type: 'orderCreated', placed };
    case 'orderPaymentFailed':
      return { type: 'orderPaymentFailed', payment: readShown(data['payment']) };
    case 'orderPaid':
      return { type: 'orderPaid', payment: readShown(data['payment']), at: new Date(text('at')) };
    case 'orderPaidAgain':
      return { type: 'orderPaidAgain', paymentId: text('paymentId') };
    case 'orderPaidLate':
      return { type: 'orderPaidLate', paymentId: text('paymentId') };
    case 'orderItemDelivered':
      return { type: 'orderItemDelivered', itemId: BigInt(text('itemId')), at: new Date(text('at')) };
    case 'orderDelivered':
      return { type: 'orderDelivered' };
    case 'orderDeleted':
      return { type: 'orderDeleted', reason: text('reason') === 'by_merchant' ? 'by_merchant' : 'unpaid_too_long' };
    default:
      throw new Error(`order_history has an event of an unknown type: ${row.type}`);
  }
}

function readShown(value: unknown): PaymentShown {
  const stored: Partial<Record<keyof PaymentShown, unknown>> = typeof value === 'object' && value !== null ? value : {};
  const text = (key: keyof PaymentShown) => textOf(stored[key]);
  return {
    paymentId: text('paymentId'),
    status: text('status') === 'booked' ? 'booked' : 'failed',
    systemName: text('systemName'),
    cardType: text('cardType'),
    cardLast4: text('cardLast4'),
    cardExpiration: text('cardExpiration'),
    reason: text('reason'),
    errorCode: text('errorCode'),
    errorDescription: text('errorDescription'),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
