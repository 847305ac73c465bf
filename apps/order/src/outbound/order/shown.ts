/** An order as the wire shows it. */
import { instrumentFields } from '@tillstream/instrument/wire';
import type {
  ItemSubscription as WireSubscription,
  Order as WireOrder,
  PaymentSummary,
} from '@tillstream/proto/order/v1/order_api';
import { untaxed } from '@tillstream/pricing/quote';
import { fulfilmentOf, type Order } from '../../domain/order.ts';
import { orderName, type PaymentShown, type Placed } from '../../domain/placed.ts';
import { renewalAmountOf } from '../../domain/pricing.ts';
import type { ItemSubscription } from '../../domain/subscription/subscription.ts';
import type { OrderRow } from '../tables.ts';

export function showOrder(row: OrderRow, state: Order, version: bigint, checkoutUrl: string): WireOrder {
  const { placed } = state;
  const { customer, createdAt } = placed;
  const conditions = { customer, place: untaxed(customer.country), at: createdAt };
  const pageOf = (orderId: bigint, token: string) => `${checkoutUrl}/order/status/${orderId}/${token}`;
  // R76: the parent's page, also for a child.
  const parentPage = pageOf(
    placed.renewal?.parentOrderId ?? placed.orderId,
    placed.renewal?.parentToken ?? placed.token,
  );
  const subscriptionOf = (shown: ItemSubscription | undefined): WireSubscription | undefined =>
    shown === undefined ? undefined : { ...shown, detailUrl: `${parentPage}#autorenewal` };
  return {
    orderId: placed.orderId,
    orderName: orderName(placed.orderId),
    merchantId: row.merchant_id,
    livemode: placed.livemode,
    status: state.status,
    fulfilmentStatus: fulfilmentOf(state),
    externalId: placed.externalId,
    createdAt: placed.createdAt,
    paidAt: state.paidAt,
    currency: placed.currency,
    locale: placed.locale,
    token: placed.token,
    detailUrl: pageOf(placed.orderId, placed.token),
    customer: placed.customer,
    items: placed.items.map(({ terms, ...item }) => ({
      ...item,
      deliveredAt: state.deliveredAt.get(item.id),
      subscriptionTerms: terms && { ...terms, renewalAmountMinor: renewalAmountOf(item, terms, conditions) },
      subscription: subscriptionOf(state.subscriptions.get(item.id)),
    })),
    totalMinor: placed.totalMinor,
    additionalData: [...placed.additionalData],
    metadata: { ...placed.metadata },
    payment: paymentOf(state),
    version,
    timeZone: placed.timeZone,
    paymentMethod: placed.paymentMethod,
    paymentSystemName: placed.paymentSystemName,
    refundDuePaymentIds: [...state.refundDue],
    autoRenew: placed.autoRenew,
    renewsSubscriptionId: placed.renewal?.subscriptionId ?? '',
    isPaidByHand: placed.renewal?.type === 'PMR',
    // Asked of the payment service where a customer may still choose.
    paymentMethods: [],
    shownMethod: undefined,
  };
}

function paymentOf({ payment, placed }: Order): PaymentSummary | undefined {
  const saved = placed.renewal?.instrumentId === '' ? undefined : placed.renewal?.saved;
  if (payment === undefined) return saved === undefined ? undefined : savedOf(placed);
  // What was charged was the saved instrument, whether or not the provider says so once more.
  const isOfSaved =
    saved !== undefined && payment.instrument === undefined && payment.instrumentId === placed.renewal?.instrumentId;
  return summaryOf(isOfSaved ? { ...payment, ...saved } : payment, placed.paymentMethod);
}

/** R86: a child shows the saved instrument before it is paid or charged. It is no payment and has no id. */
function savedOf(placed: Placed): PaymentSummary | undefined {
  if (placed.renewal === undefined) return undefined;
  return {
    paymentId: '',
    systemName: placed.renewal.saved.systemName,
    ...instrumentFields(placed.renewal.saved.instrument),
    status: '',
    method: placed.paymentMethod,
    errorCode: '',
    errorDescription: '',
    reason: '',
    moneyMoved: 'no',
    instrumentId: placed.renewal.instrumentId,
    expiryMinutes: 0,
  };
}

function summaryOf(payment: PaymentShown, chosen: string): PaymentSummary {
  return {
    paymentId: payment.paymentId,
    status: payment.status,
    method: payment.method === '' ? chosen : payment.method,
    systemName: payment.systemName,
    ...instrumentFields(payment.instrument),
    errorCode: payment.errorCode,
    errorDescription: payment.errorDescription,
    reason: payment.reason,
    moneyMoved: payment.status === 'booked' ? 'yes' : 'no',
    instrumentId: payment.instrumentId,
    expiryMinutes: 0,
  };
}
