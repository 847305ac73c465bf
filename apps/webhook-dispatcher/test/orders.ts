/** What happens to orders, and the orders as they were after it. */
import { card } from '@tillstream/instrument/instrument';
import { instrumentFields } from '@tillstream/instrument/wire';
import type { ItemSubscription, Order } from '@tillstream/proto/order/v1/order_api';
import type { OrderEvent } from '@tillstream/proto/order/v1/order_events';

export type Happening =
  | 'created'
  | 'failed'
  | 'paid'
  | 'noted'
  | 'reminded'
  | { readonly delivered: number }
  | { readonly cancelled: number }
  | { readonly restored: number };

/** What an order begins, or renews, with its first item. */
export type Renewing = 'parent' | 'child';

export function payloadOf(happening: Happening, orderId: bigint, partCount: number): OrderEvent['payload'] {
  const renewal = undefined;
  const about = (part: number) => ({
    subscriptionId: `${orderId}_${orderId * 10n + 1n}`,
    itemId: orderId * 10n + BigInt(part),
  });
  if (happening === 'created') return { $case: 'orderCreated', value: { itemCount: partCount, renewal } };
  if (happening === 'failed')
    return { $case: 'orderPaymentFailed', value: { paymentId: '', reason: 'card_declined', renewal } };
  if (happening === 'paid')
    return {
      $case: 'orderPaid',
      value: { paymentId: '', amountMinor: 10_000n, currency: 'EUR', renewal, startsSubscriptions: false },
    };
  if (happening === 'noted') return { $case: 'orderSubscriptionNoted', value: about(1) };
  if (happening === 'reminded') return { $case: 'orderReminderDue', value: { number: 1 } };
  if ('cancelled' in happening) return { $case: 'orderSubscriptionCancelled', value: about(happening.cancelled) };
  if ('restored' in happening) return { $case: 'orderSubscriptionRestored', value: about(happening.restored) };
  return {
    $case: 'orderItemDelivered',
    value: { itemId: orderId * 10n + BigInt(happening.delivered), part: happening.delivered, partCount },
  };
}

/** The order as it was after these happenings. */
export function orderAt(
  merchant: string,
  orderId: bigint,
  story: readonly Happening[],
  itemCount: number,
  renewing: Renewing | undefined,
): Order {
  const isPaid = story.includes('paid');
  // A child shows the saved card from its creation on.
  const isCardKnown = isPaid || renewing === 'child';
  const isDelivered = (part: number) =>
    story.some((each) => typeof each === 'object' && 'delivered' in each && each.delivered === part);
  const last = story.at(-1);
  const payment = {
    paymentId: '',
    status: isPaid ? 'booked' : 'failed',
    method: 'CreditCard',
    systemName: 'Bank Card',
    ...instrumentFields(isCardKnown ? card({ brand: 'Visa', last4: '4242', expiration: '12/2030' }) : undefined),
    errorCode: last === 'failed' ? 'AS102' : '',
    errorDescription: last === 'failed' ? 'AUTHORIZATION DECLINED.' : '',
    reason: '',
    moneyMoved: 'no',
    instrumentId: '',
    expiryMinutes: 0,
  };
  return {
    orderId,
    orderName: `A${String(orderId).padStart(10, '0')}`,
    merchantId: merchant,
    livemode: false,
    status: isPaid ? 'paid' : 'not paid',
    fulfilmentStatus: 'not delivered',
    externalId: '',
    createdAt: new Date('2026-11-21T12:00:01Z'),
    paidAt: isPaid ? new Date('2026-11-21T12:00:02Z') : undefined,
    currency: 'EUR',
    locale: 'en',
    token: 'secret-token',
    detailUrl: `https://shop.example/order/status/${orderId}/secret-token`,
    customer: {
      country: 'FR',
      type: 'physical',
      email: 'marcel@example.com',
      firstName: 'Marcel',
      lastName: 'Laporte',
      phone: '',
      vatNumber: '',
      companyName: '',
      companyBillingAddress: '',
      companyDeliveryAddress: '',
    },
    items: Array.from({ length: itemCount }, (_, at) => ({
      id: orderId * 10n + BigInt(at + 1),
      productId: String(100_001 + at),
      name: 'Demo',
      familyName: '',
      vendorCode: '1',
      sku: '1',
      businessSegment: 'b2c',
      priceMinor: 10_000n,
      quantity: 1,
      discountMinor: 0n,
      vatMinor: 0n,
      amountMinor: 10_000n,
      marginMinor: 9_000n,
      deliveryMethod: 'pool',
      oneCodePer: 'unit',
      sendMail: true,
      showOnOrderPage: true,
      deliveredAt: isDelivered(at + 1) ? new Date('2026-11-21T12:00:03Z') : undefined,
      subscriptionTerms: undefined,
      subscription: at === 0 && renewing !== undefined ? subscriptionAt(orderId, renewing, story) : undefined,
    })),
    totalMinor: 10_000n * BigInt(itemCount),
    additionalData: [],
    metadata: {},
    payment: story.length > 1 || renewing === 'child' ? payment : undefined,
    version: BigInt(story.length),
    timeZone: 'Europe/Prague',
    paymentMethod: 'CreditCard',
    paymentSystemName: 'Bank Card',
    shownMethod: undefined,
    refundDuePaymentIds: [],
    autoRenew: renewing !== undefined,
    renewsSubscriptionId: '',
    isPaidByHand: false,
    paymentMethods: [],
  };
}

/** As the order service shows it: on a parent from its payment on, on a child always. The child's parent is one less. */
function subscriptionAt(
  orderId: bigint,
  renewing: Renewing,
  story: readonly Happening[],
): ItemSubscription | undefined {
  const isPaid = story.includes('paid');
  if (renewing === 'parent' && !isPaid) return undefined;
  const parent = renewing === 'parent' ? orderId : orderId - 1n;
  const change = story.findLast((each) => typeof each === 'object' && ('cancelled' in each || 'restored' in each));
  const isCancelled = typeof change === 'object' && 'cancelled' in change;
  const isExtended = renewing === 'child' && isPaid;
  return {
    id: `${parent}_${parent * 10n + 1n}`,
    parentOrderId: parent,
    parentItemId: parent * 10n + 1n,
    previousOrderId: renewing === 'child' ? parent : 0n,
    previousItemId: renewing === 'child' ? parent * 10n + 1n : 0n,
    type: 'AR',
    isConversionFromTrial: false,
    status: isCancelled ? 'cancelled' : isPaid ? 'active' : 'not paid',
    period: 'P1Y',
    expiresAt: new Date(isExtended ? '2028-11-21T22:59:00Z' : '2027-11-21T22:59:00Z'),
    nextChargeAt: new Date(isExtended ? '2028-11-01T22:59:00Z' : '2027-11-01T22:59:00Z'),
    detailUrl: `https://shop.example/order/status/${parent}/secret-token#autorenewal`,
    anchorOn: '2026-11-21',
    periods: 1,
    term: renewing === 'child' ? 2 : 1,
    instrumentId: '',
  };
}
