/**
 * What a customer is told about an order: the table of seed 001 read from the state on the server, never from the
 * address of the page. A phase is also what the waiting page compares to see that something happened.
 */

export interface OrderState {
  /** not paid, paid, deleted */
  readonly status: string;
  /** not delivered, delivered */
  readonly fulfilmentStatus: string;
  /** The payment that counts, absent when none was begun. */
  readonly payment?: {
    /** One of the nine statuses; one that a newer sender invented counts as being checked. */
    readonly status: string;
    /** no, yes, unknown */
    readonly moneyMoved: string;
  };
}

export type Phase =
  | 'unpaid'
  | 'unfinished'
  | 'checking'
  | 'confirming'
  | 'unknown'
  | 'failed'
  | 'expired'
  | 'withdrawn'
  | 'paid'
  | 'delivered'
  | 'deleted';

export function phaseOf(order: OrderState): Phase {
  if (order.status === 'deleted') return 'deleted';
  if (order.status === 'paid') return order.fulfilmentStatus === 'delivered' ? 'delivered' : 'paid';
  const { payment } = order;
  // A renewal shows the saved card before anybody has begun a payment: one without a status.
  if (payment === undefined || payment.status === '') return 'unpaid';
  switch (payment.status) {
    case 'failed':
    case 'expired':
    case 'withdrawn':
      // Where money may have moved, trying again could charge twice.
      return payment.moneyMoved === 'no' ? payment.status : 'unknown';
    case 'booked':
      // The news of the payment has not reached the order yet.
      return 'confirming';
    case 'created':
    case 'seen':
      return payment.moneyMoved === 'no' ? 'unfinished' : 'unknown';
    case 'processing_expired':
      return 'unknown';
    default:
      return 'checking';
  }
}

/** Whether another payment may be begun from here. The order service decides again; this decides about buttons. */
export function canPay(phase: Phase): boolean {
  return ['unpaid', 'unfinished', 'failed', 'expired', 'withdrawn'].includes(phase);
}

/** Whether something will happen by itself that the customer waits for. */
export function isOpen(phase: Phase): boolean {
  return ['unfinished', 'checking', 'confirming', 'unknown', 'paid'].includes(phase);
}

/** Where the three steps of a purchase stand. */
export function stepOf(phase: Phase): 'payment' | 'done' {
  return phase === 'paid' || phase === 'delivered' || phase === 'confirming' ? 'done' : 'payment';
}
