/** Parents, their renewals and children, for the tests of both. */
import type { SubscriptionPlan } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Order } from '@tillstream/proto/order/v1/order_api';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { messageOf } from '@tillstream/testkit/wire';
import {
  RenewalDue,
  SubscriptionCancelled,
  SubscriptionRestored,
} from '@tillstream/proto/subscription/v1/subscription_events';
import { eventually } from '@tillstream/testkit/eventually';
import { bookedMessage, subscriptionMessage, type World } from './world.ts';

// Seed 003's moments.
export const paidAt = new Date('2021-08-13T09:20:05+03:00');
export const ends = new Date('2022-08-13T23:59:00+03:00');
export const charged = new Date('2022-07-24T23:59:00+03:00');
export const second = new Date('2022-08-03T23:59:00+03:00');
export const extended = new Date('2023-08-13T23:59:00+03:00');
export const visa = { systemName: 'Bank Card', cardType: 'Visa', cardLast4: '1234', cardExpiration: '12/2026' };
export const instrumentId = '00000000-0000-7000-8000-000000000001';

export function renewals(world: () => World) {
  const plan = (more: Partial<SubscriptionPlan> = {}): SubscriptionPlan => ({
    type: 'AR',
    period: 'P1Y',
    trialPeriod: '',
    renewalPrice: 'snapshot',
    ...more,
  });
  const payFor = (order: Order, more: Partial<Payment> = {}) =>
    world().neighbours.pay(order, { instrumentId, ...visa, ...more });
  const isPaid = (now: Order) => now.status === 'paid';
  const of = (order: Order) => order.items[0]?.subscription;
  const kinds = (order: Order) =>
    world()
      .saidOf(order.orderId)
      .map((event) => event.payload?.$case);

  /** An order of one such product, paid at the seed's moment. */
  async function aParent(
    options: { plan?: SubscriptionPlan; timeZone?: string; paying?: Partial<Payment>; autoRenew?: boolean } = {},
  ): Promise<Order> {
    const merchant = world().neighbours.addMerchant({ timeZone: options.timeZone ?? 'Europe/Moscow' });
    const product = world().neighbours.addProduct(merchant, { subscription: options.plan ?? plan() });
    const { orderId } = await world().place(await world().cartOf(product, { quantity: 2 }), {
      autoRenew: options.autoRenew ?? true,
    });
    const order = await world().get(merchant.id, orderId);
    world().clock.set(paidAt);
    await world().hear(bookedMessage(payFor(order, options.paying)));
    const paid = await world().until(order, isPaid);
    world().clock.set(new Date());
    return paid;
  }

  const renewalOf = (parent: Order, more: Partial<RenewalDue> = {}) => {
    const item = parent.items[0];
    return subscriptionMessage(parent, item?.id ?? 0n, {
      $case: 'renewalDue',
      value: {
        term: 2,
        previousOrderId: parent.orderId,
        previousItemId: item?.id ?? 0n,
        type: 'AR',
        period: 'P1Y',
        isConversionFromTrial: false,
        priceMinor: 10_000n,
        expiresAt: ends,
        nextChargeAt: charged,
        anchorOn: '2021-08-13',
        periods: 2,
        instrumentId,
        ...more,
      },
    });
  };
  const childrenOf = async (parent: Order): Promise<Order[]> => {
    const { orders } = await world().api.listOrders({
      merchantId: parent.merchantId,
      limit: 100,
      startingAfter: 0n,
      endingBefore: 0n,
      status: '',
      fulfilmentStatus: '',
      customerEmail: '',
      externalId: '',
    });
    return orders.filter((order) => order.renewsSubscriptionId !== '');
  };
  const theChild = (parent: Order): Promise<Order> => eventually(async () => (await childrenOf(parent))[0]);
  async function aChild(parent: Order, more: Partial<RenewalDue> = {}): Promise<Order> {
    await world().hear(renewalOf(parent, more));
    return theChild(parent);
  }
  const cancelled = (parent: Order, openOrderId = 0n) =>
    subscriptionMessage(parent, parent.items[0]?.id ?? 0n, {
      $case: 'subscriptionCancelled',
      value: messageOf(SubscriptionCancelled, { by: 'customer', expiresAt: ends, nextChargeAt: charged, openOrderId }),
    });
  const restored = (parent: Order, status: string, openOrderId = 0n) =>
    subscriptionMessage(parent, parent.items[0]?.id ?? 0n, {
      $case: 'subscriptionRestored',
      value: messageOf(SubscriptionRestored, {
        by: 'customer',
        status,
        expiresAt: extended,
        nextChargeAt: charged,
        openOrderId,
      }),
    });
  const documentsOf = async (order: Order, ...versions: readonly bigint[]) => {
    const { merchantId, orderId } = order;
    const keys = versions.map((version) => ({ merchantId, orderId, version }));
    return (await world().api.getOrderDocuments({ keys })).documents.flatMap((document) => document.order ?? []);
  };
  return {
    plan,
    payFor,
    isPaid,
    of,
    kinds,
    aParent,
    renewalOf,
    childrenOf,
    theChild,
    aChild,
    cancelled,
    restored,
    documentsOf,
  };
}
