/**
 * Delivery from the product's pool of licence codes. All or nothing: an item gets all of its codes at once or waits; a
 * customer with two of three licences would only ask where the third is.
 */
import type { DeliveryMethod } from './method.ts';

export const pool: DeliveryMethod = {
  codeCountOf: ({ quantity, oneCodePer }) => (oneCodePer === 'unit' ? quantity : 1),

  needOf: (item) => ({ from: 'pool', productId: item.productId, codeCount: pool.codeCountOf(item) }),

  decide(item, { codeIds }) {
    const count = pool.codeCountOf(item);
    return codeIds.length < count
      ? { outcome: 'wait', because: 'there are still too few codes' }
      : { outcome: 'issue', codeIds: codeIds.slice(0, count) };
  },
};
