/** A shop's cart, order and subscriptions as the order service says them. */
import type {
  Cart,
  CartLine,
  ItemSubscription,
  Order,
  OrderItem,
  PaymentMethod,
  PaymentSummary,
  SubscriptionTerms,
} from '@tillstream/proto/order/v1/order_api';
import type { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';

export const cartId = 'c'.repeat(32);
export const token = '0123456789abcdef0123456789abcdef';
export const orderId = 1_000_001n;
export const provider = 'http://provider.test:4004';

export const card: PaymentMethod = {
  code: 'CreditCard',
  systemName: 'Bank Card',
  kind: 'card',
  textKey: 'card',
  canRenew: true,
};
export const transfer: PaymentMethod = {
  code: 'BankTransfer',
  systemName: 'Bank Transfer',
  kind: 'transfer',
  textKey: 'transfer',
  canRenew: false,
};

export const monthly: SubscriptionTerms = {
  type: 'AR',
  period: 'P1M',
  trialPeriod: '',
  renewalPriceMinor: 4_900n,
  renewalPrice: 'snapshot',
  renewalAmountMinor: 4_900n,
};

export const trial: SubscriptionTerms = { ...monthly, type: 'AR_TRIAL', trialPeriod: 'P14D' };
export const byHand: SubscriptionTerms = { ...monthly, type: 'PMR', period: 'P1Y' };

export const line: CartLine = {
  productId: '100001',
  name: 'Quill Editor',
  familyName: 'Quill',
  description: 'A writing tool.',
  imageUrl: '',
  quantity: 1,
  minQuantity: 1,
  maxQuantity: 10,
  priceMinor: 10_000n,
  amountMinor: 10_000n,
  subscription: undefined,
};

export const cart: Cart = {
  id: cartId,
  merchantId: '',
  livemode: false,
  shopName: 'Quill & Sons',
  supportEmail: 'help@quill.example',
  supportUrl: '',
  termsUrl: 'https://quill.example/terms',
  privacyUrl: 'https://quill.example/privacy',
  currency: 'EUR',
  locale: 'en',
  lines: [line],
  totalMinor: 10_000n,
  version: 1,
  orderId: 0n,
  orderToken: '',
  currencies: ['EUR', 'USD'],
  renewalConsent: '',
  renewalConsentDefault: false,
  paymentMethods: [card],
};

/** A cart with one product that renews like this. */
export function renewingCart(terms: SubscriptionTerms, more: Partial<Cart> = {}): Cart {
  const priceMinor = terms.type === 'AR_TRIAL' ? 0n : terms.renewalPriceMinor;
  return {
    ...cart,
    lines: [{ ...line, priceMinor, amountMinor: priceMinor, subscription: terms }],
    totalMinor: priceMinor,
    renewalConsent: terms.type === 'PMR' ? '' : 'switch',
    paymentMethods: terms.type === 'AR_TRIAL' ? [card] : [card, transfer],
    ...more,
  };
}

export const order: Order = {
  orderId,
  orderName: 'A0001000001',
  merchantId: '',
  livemode: false,
  status: 'not paid',
  fulfilmentStatus: 'not delivered',
  externalId: '',
  createdAt: new Date('2026-11-21T09:14:00Z'),
  paidAt: undefined,
  currency: 'EUR',
  locale: 'en',
  token,
  detailUrl: '',
  items: [],
  totalMinor: 10_000n,
  additionalData: [],
  metadata: {},
  payment: undefined,
  version: 1n,
  timeZone: 'Europe/Berlin',
  paymentMethod: 'CreditCard',
  paymentSystemName: 'Bank Card',
  shownMethod: undefined,
  refundDuePaymentIds: [],
  autoRenew: false,
  renewsSubscriptionId: '',
  isPaidByHand: false,
  paymentMethods: [card],
  customer: {
    country: 'DE',
    type: 'physical',
    email: 'zoe@example.com',
    firstName: 'Zoë',
    lastName: 'Müller',
    phone: '',
    vatNumber: '',
    companyName: '',
    companyBillingAddress: '',
    companyDeliveryAddress: '',
  },
};

export const item: OrderItem = {
  id: 7n,
  productId: '100001',
  name: 'Quill Editor',
  familyName: 'Quill',
  vendorCode: '',
  sku: '',
  businessSegment: 'b2c',
  priceMinor: 10_000n,
  quantity: 1,
  discountMinor: 0n,
  vatMinor: 0n,
  amountMinor: 10_000n,
  marginMinor: 0n,
  deliveryMethod: 'pool',
  oneCodePer: 'unit',
  sendMail: true,
  showOnOrderPage: true,
  deliveredAt: undefined,
  subscriptionTerms: undefined,
  subscription: undefined,
};

export const subscriptionId = `${orderId}_7`;

/** As the subscription service says it: monthly, paid on 21 November, charged again on 19 December. */
export const subscription: Subscription = {
  id: subscriptionId,
  merchantId: '',
  livemode: false,
  parentOrderId: orderId,
  parentItemId: 7n,
  productId: '100001',
  productName: 'Quill Editor',
  quantity: 1,
  type: 'AR',
  status: 'active',
  period: 'P1M',
  trialPeriod: '',
  term: 1,
  isInTrial: false,
  startedAt: new Date('2026-11-21T09:16:00Z'),
  expiresAt: new Date('2026-12-21T22:59:00Z'),
  nextChargeAt: new Date('2026-12-19T22:59:00Z'),
  renewalAmountMinor: 4_900n,
  currency: 'EUR',
  renewalPrice: 'snapshot',
  openOrderId: 0n,
  lastOrderId: orderId,
  lastItemId: 7n,
  cancelledAt: undefined,
  cancelledBy: '',
  canRestore: false,
  version: 1n,
  timeZone: 'Europe/Berlin',
  createdAt: new Date('2026-11-21T09:16:00Z'),
};

export const cancelled: Partial<Subscription> = {
  status: 'cancelled',
  cancelledAt: new Date('2026-12-01T12:00:00Z'),
  cancelledBy: 'customer',
  canRestore: true,
};

/** The block of an item: what the order itself knows. */
export function known(more: Partial<ItemSubscription> = {}): ItemSubscription {
  return {
    id: subscriptionId,
    parentOrderId: orderId,
    parentItemId: 7n,
    previousOrderId: 0n,
    previousItemId: 0n,
    type: 'AR',
    isConversionFromTrial: false,
    status: 'active',
    period: 'P1M',
    expiresAt: subscription.expiresAt,
    nextChargeAt: subscription.nextChargeAt,
    detailUrl: `http://shop.test/order/status/${orderId}/${token}#autorenewal`,
    anchorOn: '2026-11-21',
    periods: 1,
    term: 1,
    instrumentId: 'ins_1',
    ...more,
  };
}

export function payment(status: string, more: Partial<PaymentSummary> = {}): PaymentSummary {
  return {
    paymentId: 'pay_1',
    status,
    method: 'CreditCard',
    systemName: 'Bank Card',
    instrument: undefined,
    cardType: '',
    cardLast4: '',
    cardExpiration: '',
    errorCode: '',
    errorDescription: '',
    reason: '',
    moneyMoved: 'no',
    instrumentId: '',
    expiryMinutes: 30,
    ...more,
  };
}

/** That order with an item that renews like this, and may already. */
export function renewingOrder(
  subscriptionTerms: SubscriptionTerms,
  subscription?: ItemSubscription,
  more: Partial<Order> = {},
): Order {
  const isFree = subscriptionTerms.type === 'AR_TRIAL' && (more.renewsSubscriptionId ?? '') === '';
  const priceMinor = isFree ? 0n : 4_900n;
  return {
    ...order,
    items: [{ ...item, priceMinor, amountMinor: priceMinor, subscriptionTerms, subscription }],
    totalMinor: priceMinor,
    autoRenew: true,
    paymentMethods: isFree ? [card] : [card, transfer],
    ...more,
  };
}
