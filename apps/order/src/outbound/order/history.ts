/**
 * The stored events of an order. They are its truth at each load: the state is what `evolve` makes of them, and no state is
 * stored beside them. An event is written in the newest form and never rewritten; an older form is brought up to the newest
 * one step at a time, before it is read (docs/decisions/order-history-versions.md).
 */
import { evolveAll } from '@tillstream/machine/machine';
import { order, type OrderEvent, type OrderState } from '../../domain/order.ts';
import type { PaymentShown, Placed } from '../../domain/placed.ts';
import { readEvent, readPlaced, readShown } from '../stored-order.ts';
import type { HistoryRow, StoredPlaced } from '../tables.ts';

type Data = HistoryRow['data'];
type StoredEvent = Pick<HistoryRow, 'type' | 'data' | 'schema_version'>;

/** The form that is written now. Grows with every change of it that old rows do not have. */
export const historyVersion = 3;

/** From version 1 to 2, from 2 to 3, and so on. */
const steps: readonly ((type: string, data: Data) => Data)[] = [
  // Version 1 began without renewals: no terms that a payment begins, no method and no instrument, no name of a request.
  (type, data) => {
    if (type === 'orderPaid') return { terms: [], ...data, payment: withMethod(data['payment']) };
    if (type === 'orderPaymentFailed') return { ...data, payment: withMethod(data['payment']) };
    return type === 'orderLicencesAsked' ? { requestId: '', ...data } : data;
  },
  // Version 2 knew cards only. A row that has an instrument already was written before versions were.
  (type, data) =>
    type === 'orderPaid' || type === 'orderPaymentFailed'
      ? { ...data, payment: withInstrument(data['payment']) }
      : data,
];

function withInstrument(payment: unknown): unknown {
  if (typeof payment !== 'object' || payment === null || !('cardLast4' in payment)) return payment;
  const fields: Readonly<Record<string, unknown>> = { ...payment };
  const { cardType, cardLast4, cardExpiration, ...rest } = fields;
  if (cardLast4 === '') return rest;
  return {
    ...rest,
    instrument: { kind: 'card', details: { brand: cardType, last4: cardLast4, expiration: cardExpiration } },
  };
}

function withMethod(payment: unknown): unknown {
  return typeof payment === 'object' && payment !== null ? { method: '', instrumentId: '', ...payment } : payment;
}

/** The event's data in the newest form. Throws for a form that is newer than this process. */
export function upcast({ type, data, schema_version }: StoredEvent): Data {
  const version = schema_version ?? 1;
  if (version < 1 || version > historyVersion)
    throw new Error(
      `order_history has a ${type} of version ${version}; versions 1 to ${historyVersion} are known here`,
    );
  return steps.slice(version - 1).reduce((older, step) => step(type, older), data);
}

export function eventOf(row: StoredEvent, placed: Placed): OrderEvent {
  return readEvent(row.type, upcast(row), placed);
}

/** The payment of an event that has one. */
export function paymentOf(row: StoredEvent): PaymentShown {
  return readShown(upcast(row)['payment']);
}

/** Rows in the order of their versions. */
export function stateOf(stored: StoredPlaced, history: readonly StoredEvent[]): OrderState {
  const placed = readPlaced(stored);
  return evolveAll(
    order,
    order.absent,
    history.map((row) => eventOf(row, placed)),
  );
}
