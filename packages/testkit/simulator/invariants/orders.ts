import type { Invariant } from './judge.ts';

/** P1, and the first half of I11: what was acknowledged is there, and one form makes one order. */
export const promised: Invariant = {
  id: 'P1',
  sentence: 'An order that was acknowledged is never lost, and one form makes one order.',
  async check({ world, customers }) {
    const rows = await world.storage.look<{ order_id: bigint | string; merchant_id: string; customer_email: string }>(
      'select order_id, merchant_id, customer_email from "order".purchase_order where subscription_id is null',
    );
    return customers.flatMap((customer) => {
      const mine = rows.filter(
        (row) => row.customer_email === customer.email && row.merchant_id === customer.shop.merchantId,
      );
      const lost = [...customer.named].filter((id) => !mine.some((row) => BigInt(row.order_id) === id));
      return [
        ...lost.map((id) => `order ${id} of customer ${customer.number} is lost`),
        ...(mine.length > 1 ? [`customer ${customer.number} has ${mine.length} orders of one cart`] : []),
      ];
    });
  },
};
