/**
 * The second table of I8, written by hand from the specification (entities and states B1, B3, B5) without looking at the one
 * that the machines keep.
 */

/** Event → the status that it leads to; undefined = it stays. */
const leadsTo: Readonly<Record<string, string | undefined>> = {
  orderCreated: 'not paid',
  orderPaid: 'paid',
  orderDeleted: 'deleted',
  paymentCreated: 'created',
  paymentSeen: 'seen',
  paymentProcessing: 'processing',
  paymentConfirmed: 'confirmed',
  paymentBooked: 'booked',
  paymentFailed: 'failed',
  paymentExpired: 'expired',
  paymentWithdrawn: 'withdrawn',
  paymentProcessingExpired: 'processing_expired',
};

/** Status → where it may go. */
export type Paths = Readonly<Record<string, readonly string[]>>;

export const orderPaths: Paths = { absent: ['not paid'], 'not paid': ['paid', 'deleted'], paid: [], deleted: [] };

export const paymentPaths: Paths = {
  absent: ['created', 'processing'],
  created: ['seen', 'processing', 'confirmed', 'booked', 'failed', 'expired', 'withdrawn'],
  seen: ['processing', 'confirmed', 'booked', 'failed', 'expired', 'withdrawn'],
  processing: ['confirmed', 'booked', 'failed', 'processing_expired'],
  confirmed: ['booked', 'failed'],
  processing_expired: ['booked'],
  booked: [],
  failed: [],
  expired: [],
  withdrawn: [],
};

/** Where an event leads. What is charged without the customer has no page to be opened. */
export function next(type: string, isCharge: boolean): string | undefined {
  return type === 'paymentCreated' && isCharge ? 'processing' : leadsTo[type];
}

/** Whether the table has this way. */
export function isAllowed(paths: Paths, from: string, to: string): boolean {
  return (paths[from] ?? []).includes(to);
}
