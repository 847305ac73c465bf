/** The delivery machine, cell by cell. Where there are two outcomes, the pool decides. */
import type { Matrix } from '@tillstream/machine/matrix';
import type { Delivery, DeliveryCommand } from './delivery.ts';

export const deliveryMatrix: Matrix<Delivery['status'], DeliveryCommand['type'], never> = {
  absent: { requestDelivery: ['delivered', 'waiting'], offerCodes: 'ignored' },
  waiting: { requestDelivery: 'ignored', offerCodes: ['delivered', 'ignored'] },
  delivered: { requestDelivery: 'ignored', offerCodes: 'ignored' },
};
