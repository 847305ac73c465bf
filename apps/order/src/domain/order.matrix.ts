/** The order machine, cell by cell (spec: entities and states B1, B2). Sums match; the item is one that is not delivered. */
import type { Matrix } from '@tillstream/machine/matrix';
import type { OrderCommand, OrderRefusal, OrderState } from './order.ts';

export const orderMatrix: Matrix<OrderState['status'], OrderCommand['type'], OrderRefusal> = {
  absent: {
    place: 'not paid',
    recordPaymentFailed: 'refused: order_not_found',
    recordPayment: 'refused: order_not_found',
    recordItemDelivered: 'refused: order_not_found',
    delete: 'refused: order_not_found',
  },
  'not paid': {
    place: 'ignored',
    recordPaymentFailed: 'not paid',
    recordPayment: 'paid',
    recordItemDelivered: 'refused: order_not_paid',
    delete: 'deleted',
  },
  paid: {
    place: 'ignored',
    recordPaymentFailed: 'ignored',
    // A second payment: recorded, due for refund, and the order stays what it is.
    recordPayment: 'paid',
    recordItemDelivered: 'paid',
    delete: 'refused: order_already_paid',
  },
  deleted: {
    place: 'ignored',
    recordPaymentFailed: 'ignored',
    // Late money: recorded, due for refund (D1).
    recordPayment: 'deleted',
    recordItemDelivered: 'refused: order_not_paid',
    delete: 'ignored',
  },
};
