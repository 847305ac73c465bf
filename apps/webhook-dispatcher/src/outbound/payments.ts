/** Payments as the payment service shows them now. */
import type { Payment, PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import type { Client } from '@tillstream/rpc/client';
import type { PaymentKey } from '../ports.ts';

// What the payment service answers at once, in one list and in one batch.
const [maxListed, maxKeys] = [100, 500];
// The service has no list for several orders: so many calls are under way at the same time.
const maxCalls = 8;

/** Newest first, by order. An order has at most fifty attempts, so that one page holds its payments. */
export async function fetchPaymentsOfOrders(
  payment: Pick<Client<typeof PaymentApiService>, 'listPayments'>,
  orders: readonly { readonly merchantId: string; readonly orderId: bigint }[],
): Promise<ReadonlyMap<bigint, readonly Payment[]>> {
  const wanted = [...new Map(orders.map((each) => [each.orderId, each])).values()];
  const found = new Map<bigint, readonly Payment[]>();
  const page = { status: '', limit: maxListed, startingAfter: '', endingBefore: '' };
  for (let from = 0; from < wanted.length; from += maxCalls) {
    await Promise.all(
      wanted.slice(from, from + maxCalls).map(async ({ merchantId, orderId }) => {
        found.set(orderId, (await payment.listPayments({ merchantId, orderId, ...page })).payments);
      }),
    );
  }
  return found;
}

/** By payment id; an unknown one is left out. */
export async function fetchPayments(
  payment: Pick<Client<typeof PaymentApiService>, 'getPayments'>,
  keys: readonly PaymentKey[],
): Promise<ReadonlyMap<string, Payment>> {
  const found = new Map<string, Payment>();
  for (let from = 0; from < keys.length; from += maxKeys) {
    const { payments } = await payment.getPayments({ keys: keys.slice(from, from + maxKeys) });
    for (const each of payments) found.set(each.id, each);
  }
  return found;
}
