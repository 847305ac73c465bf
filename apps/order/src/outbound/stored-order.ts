/** What was placed, and what happened, as rows hold it. Events are read in their newest form (order/history.ts). */
import { card, readInstrument, type Instrument } from '@tillstream/instrument/instrument';
import type { Item, SubscriptionTerms } from '../domain/item.ts';
import type { OrderEvent } from '../domain/order.ts';
import type { PaymentShown, Placed } from '../domain/placed.ts';
import type { Renewal } from '../domain/subscription/renewal.ts';
import type { PaidTerm, SubscriptionNote, SubscriptionStatus } from '../domain/subscription/subscription.ts';
import type { HistoryRow, Stored, StoredItem, StoredPlaced, StoredRenewal } from './tables.ts';

export function storePlaced(placed: Placed): StoredPlaced {
  const { renewal, ...rest } = placed;
  return {
    ...rest,
    orderId: String(placed.orderId),
    createdAt: placed.createdAt.toISOString(),
    totalMinor: String(placed.totalMinor),
    items: placed.items.map(storeItem),
    consent: { ...placed.consent, at: placed.consent.at.toISOString() },
    ...(renewal === undefined ? {} : { renewal: storeRenewal(renewal) }),
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
    paymentSystemName: stored.paymentSystemName ?? '',
    source: stored.source ?? (stored.renewal === undefined ? 'cart' : 'renewal'),
    autoRenew: stored.autoRenew ?? false,
    reminders: stored.reminders ?? [],
    renewal: stored.renewal === undefined ? undefined : readRenewal(stored.renewal),
  };
}

function storeItem(item: Item): StoredItem {
  const { id, priceMinor, discountMinor, vatMinor, amountMinor, marginMinor, terms, ...rest } = item;
  return {
    ...rest,
    id: String(id),
    priceMinor: String(priceMinor),
    discountMinor: String(discountMinor),
    vatMinor: String(vatMinor),
    amountMinor: String(amountMinor),
    marginMinor: String(marginMinor),
    ...(terms === undefined ? {} : { terms: storeTerms(terms) }),
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
    terms: stored.terms === undefined ? undefined : readTerms(stored.terms),
  };
}

function storeTerms(terms: SubscriptionTerms): Stored<SubscriptionTerms> {
  return { ...terms, renewalPriceMinor: String(terms.renewalPriceMinor) };
}

function readTerms(stored: Stored<SubscriptionTerms>): SubscriptionTerms {
  return { ...stored, renewalPriceMinor: BigInt(stored.renewalPriceMinor) };
}

function storeRenewal(renewal: Renewal): StoredRenewal {
  return {
    ...renewal,
    parentOrderId: String(renewal.parentOrderId),
    parentItemId: String(renewal.parentItemId),
    previousOrderId: String(renewal.previousOrderId),
    previousItemId: String(renewal.previousItemId),
    expiresAt: renewal.expiresAt.toISOString(),
    nextChargeAt: renewal.nextChargeAt.toISOString(),
  };
}

export function readRenewal(stored: StoredRenewal): Renewal {
  return {
    ...stored,
    parentOrderId: BigInt(stored.parentOrderId),
    parentItemId: BigInt(stored.parentItemId),
    previousOrderId: BigInt(stored.previousOrderId),
    previousItemId: BigInt(stored.previousItemId),
    expiresAt: new Date(stored.expiresAt),
    nextChargeAt: new Date(stored.nextChargeAt),
    saved: { systemName: stored.saved.systemName, instrument: readPaidWith(stored.saved) },
  };
}

/** The event's own data, without what the order row keeps. */
export function storeEvent(event: OrderEvent): Record<string, unknown> {
  switch (event.type) {
    case 'orderCreated':
    case 'orderDelivered':
      return {};
    case 'orderPaymentFailed':
      return { payment: event.payment, nextChargeAt: event.nextChargeAt?.toISOString() };
    case 'orderPaid':
      return { payment: event.payment, at: event.at.toISOString(), terms: event.terms.map(storeDates) };
    case 'orderPaidAgain':
    case 'orderPaidLate':
      return { paymentId: event.paymentId };
    case 'orderItemDelivered':
      return { itemId: String(event.itemId), at: event.at.toISOString() };
    case 'orderDeleted':
      return { reason: event.reason };
    case 'orderReminderDue':
      return { number: event.number };
    case 'orderLicencesAsked':
      return { itemIds: event.itemIds.map(String), number: event.number, requestId: event.requestId };
    case 'orderSubscriptionCancelled':
    case 'orderSubscriptionRestored':
    case 'orderSubscriptionNoted':
      return { note: storeDates(event.note) };
  }
}

function storeDates<T extends { readonly itemId: bigint; readonly expiresAt: Date; readonly nextChargeAt: Date }>(
  dated: T,
) {
  return {
    ...dated,
    itemId: String(dated.itemId),
    expiresAt: dated.expiresAt.toISOString(),
    nextChargeAt: dated.nextChargeAt.toISOString(),
  };
}

/** The event whose data `storeEvent` wrote. */
export function readEvent(type: string, data: HistoryRow['data'], placed: Placed): OrderEvent {
  const text = (key: string) => textOf(data[key]);
  switch (type) {
    case 'orderCreated':
      return { type: 'orderCreated', placed };
    case 'orderPaymentFailed':
      return {
        type: 'orderPaymentFailed',
        payment: readShown(data['payment']),
        nextChargeAt: text('nextChargeAt') === '' ? undefined : new Date(text('nextChargeAt')),
      };
    case 'orderPaid': {
      const terms = listOf(data['terms']).map(readTerm);
      return { type: 'orderPaid', payment: readShown(data['payment']), at: new Date(text('at')), terms };
    }
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
    case 'orderReminderDue':
      return { type: 'orderReminderDue', number: numberOf(data['number']) };
    case 'orderLicencesAsked':
      return {
        type: 'orderLicencesAsked',
        itemIds: listOf(data['itemIds']).map((each) => BigInt(String(each))),
        number: numberOf(data['number']),
        requestId: text('requestId'),
      };
    case 'orderSubscriptionCancelled':
    case 'orderSubscriptionRestored':
    case 'orderSubscriptionNoted':
      return { type, note: readNote(data['note']) };
    default:
      throw new Error(`order_history has an event of an unknown type: ${type}`);
  }
}

export function readShown(value: unknown): PaymentShown {
  const text = textsOf(value);
  return {
    paymentId: text('paymentId'),
    status: text('status') === 'booked' ? 'booked' : 'failed',
    method: text('method'),
    systemName: text('systemName'),
    instrument: readPaidWith(value),
    reason: text('reason'),
    errorCode: text('errorCode'),
    errorDescription: text('errorDescription'),
    instrumentId: text('instrumentId'),
  };
}

/** Before there were other kinds, the fields of a card stood beside the method. */
function readPaidWith(value: unknown): Instrument | undefined {
  const { instrument } = fieldsOf(value);
  if (instrument !== undefined) return readInstrument(instrument);
  const text = textsOf(value);
  return card({ brand: text('cardType'), last4: text('cardLast4'), expiration: text('cardExpiration') });
}

function readTerm(value: unknown): PaidTerm {
  const text = textsOf(value);
  return {
    itemId: BigInt(text('itemId')),
    anchorOn: text('anchorOn'),
    periods: numberOf(fieldsOf(value)['periods']),
    expiresAt: new Date(text('expiresAt')),
    nextChargeAt: new Date(text('nextChargeAt')),
  };
}

const statuses: readonly SubscriptionStatus[] = ['not paid', 'active', 'cancelled'];

function readNote(value: unknown): SubscriptionNote {
  const text = textsOf(value);
  return {
    itemId: BigInt(text('itemId')),
    status: statuses.find((status) => status === text('status')) ?? 'active',
    expiresAt: new Date(text('expiresAt')),
    nextChargeAt: new Date(text('nextChargeAt')),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textsOf(value: unknown): (key: string) => string {
  const fields = fieldsOf(value);
  return (key) => textOf(fields[key]);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('order_history has no list where one is stored');
  return value;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
