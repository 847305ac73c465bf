/**
 * The order machine, cell by cell (spec: entities and states B1, B2). Sums match; the item is one that is not delivered;
 * the subscription is one that the order shows and that is not what the news says; the reminder is wanted and due.
 */
import type { Matrix } from '@tillstream/machine/matrix';
import type { OrderCommand, OrderRefusal, OrderState } from './order.ts';

export const orderMatrix: Matrix<OrderState['status'], OrderCommand['type'], OrderRefusal> = {
  absent: {
    place: 'not paid',
    recordPaymentFailed: 'refused: order_not_found',
    recordPayment: 'refused: order_not_found',
    recordItemDelivered: 'refused: order_not_found',
    recordSubscription: 'refused: order_not_found',
    remind: 'refused: order_not_found',
    resendLicences: 'refused: order_not_found',
    delete: 'refused: order_not_found',
  },
  'not paid': {
    place: 'ignored',
    recordPaymentFailed: 'not paid',
    recordPayment: 'paid',
    recordItemDelivered: 'refused: order_not_paid',
    // A child shows it. An unpaid parent has no subscription yet.
    recordSubscription: ['not paid', 'refused: subscription_not_found'],
    remind: 'not paid',
    resendLicences: 'refused: order_not_paid',
    delete: 'deleted',
  },
  paid: {
    place: 'ignored',
    recordPaymentFailed: 'ignored',
    // A second payment: recorded, due for refund, and the order stays what it is.
    recordPayment: 'paid',
    recordItemDelivered: 'paid',
    recordSubscription: 'paid',
    remind: 'ignored',
    // Ignored while nothing is delivered.
    resendLicences: ['paid', 'ignored', 'refused: too_many_resends'],
    delete: 'refused: order_already_paid',
  },
  deleted: {
    place: 'ignored',
    recordPaymentFailed: 'ignored',
    // Late money: recorded, due for refund (D1).
    recordPayment: 'deleted',
    recordItemDelivered: 'refused: order_not_paid',
    recordSubscription: 'ignored',
    remind: 'ignored',
    resendLicences: 'refused: order_deleted',
    delete: 'ignored',
  },
};
