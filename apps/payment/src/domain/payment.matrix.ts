/** The payment machine, cell by cell (spec: entities and states B5). The sums of `recordBooked` match. */
import type { Matrix } from '@tillstream/machine/matrix';
import type { PaymentCommand, PaymentRefusal, PaymentState } from './payment.ts';

const over = {
  create: 'ignored',
  charge: 'ignored',
  recordPage: 'ignored',
  recordUnknown: 'ignored',
  recordOpened: 'ignored',
  recordSubmitted: 'ignored',
  recordConfirmed: 'ignored',
  recordFailed: 'ignored',
  expire: 'ignored',
  recordClosed: 'ignored',
  expireProcessing: 'ignored',
} as const;

const open = {
  create: 'ignored',
  charge: 'ignored',
  recordSubmitted: 'processing',
  recordConfirmed: 'confirmed',
  recordBooked: 'booked',
  recordFailed: 'failed',
  // Ignored: its page came after the provider had been asked to close it.
  expire: ['expired', 'ignored'],
  withdraw: ['withdrawn', 'ignored'],
  // Expired: its time was over.
  recordClosed: ['withdrawn', 'expired', 'ignored'],
  expireProcessing: 'ignored',
} as const;

export const paymentMatrix: Matrix<PaymentState['status'], PaymentCommand['type'], PaymentRefusal> = {
  absent: {
    create: ['created', 'refused: amount_out_of_range'],
    // Failed: there is no such instrument. Ignored: the order is paid, or is being paid.
    charge: ['processing', 'failed', 'ignored', 'refused: amount_out_of_range'],
    recordPage: 'refused: payment_not_found',
    recordUnknown: 'refused: payment_not_found',
    recordOpened: 'refused: payment_not_found',
    recordSubmitted: 'refused: payment_not_found',
    recordConfirmed: 'refused: payment_not_found',
    recordBooked: 'refused: payment_not_found',
    recordFailed: 'refused: payment_not_found',
    expire: 'refused: payment_not_found',
    withdraw: 'refused: payment_not_found',
    recordClosed: 'refused: payment_not_found',
    expireProcessing: 'refused: payment_not_found',
  },
  created: { ...open, recordPage: 'created', recordUnknown: 'created', recordOpened: 'seen' },
  seen: { ...open, recordPage: 'seen', recordUnknown: 'seen', recordOpened: 'ignored' },
  processing: {
    ...over,
    recordUnknown: 'processing',
    recordConfirmed: 'confirmed',
    recordBooked: 'booked',
    recordFailed: 'failed',
    withdraw: 'refused: payment_not_withdrawable',
    expireProcessing: 'processing_expired',
  },
  confirmed: {
    ...over,
    recordUnknown: 'confirmed',
    recordBooked: 'booked',
    recordFailed: 'failed',
    withdraw: 'refused: payment_not_withdrawable',
  },
  booked: { ...over, recordBooked: 'ignored', withdraw: 'refused: payment_not_withdrawable' },
  // Money after the end does not revive the payment: it is held for review, and the status stays.
  failed: { ...over, recordBooked: 'failed', withdraw: 'refused: payment_not_withdrawable' },
  expired: { ...over, recordBooked: 'expired', withdraw: 'refused: payment_not_withdrawable' },
  withdrawn: { ...over, recordBooked: 'withdrawn', withdraw: 'ignored' },
  processing_expired: { ...over, recordBooked: 'booked', withdraw: 'refused: payment_not_withdrawable' },
};
