/** An order as the API and webhook events show it: in lists, and whole with its licence codes and payments. */
import type { Licence } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type {
  ItemSubscription,
  Order,
  OrderItem,
  PaymentSummary,
  SubscriptionTerms,
} from '@tillstream/proto/order/v1/order_api';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { z } from 'zod';
import { paidWithShape, showPaidWith } from './method.ts';
import { paymentShape, showPayment } from './payment.ts';
import {
  instant,
  instantOf,
  madeAt,
  metadataOut,
  moneyOf,
  moneyOut,
  publicSubscriptionId,
  textOrNull,
  wholeNumber,
} from './values.ts';

const terms = z.object({
  type: z.string().describe('AR, AR_TRIAL, PMR'),
  period: z.string().meta({ examples: ['P1Y'] }),
  trial_period: z.string().nullable(),
  renewal_price: z.string().describe('snapshot, current'),
  renewal_amount: moneyOut.describe('Of one unit and one term, while renewal_price is snapshot.'),
});

const block = z.object({
  id: z.string().meta({ examples: ['sub_5555555_456660'] }),
  subscription_id: z
    .string()
    .describe('As webhooks name it.')
    .meta({ examples: ['5555555_456660'] }),
  type: z.string().describe('AR, AR_TRIAL, PMR'),
  status: z.string().describe('not paid, active, cancelled'),
  period: z.string(),
  term: wholeNumber.describe('1 on the parent order.'),
  is_conversion_from_trial: z.boolean().describe('The first renewal that costs something after a free term.'),
  parent_order: wholeNumber,
  parent_item: wholeNumber,
  previous_order: wholeNumber.nullable().describe('That paid the term before; null on the parent.'),
  previous_item: wholeNumber.nullable(),
  expires_at: instant.nullable(),
  next_charge_at: instant.nullable(),
  detail_url: z.string(),
});

const item = z.object({
  id: wholeNumber,
  product: z.string(),
  name: z.string(),
  family_name: z.string(),
  vendor_code: z.string(),
  sku: z.string(),
  business_segment: z.string(),
  price: moneyOut.describe('Of one unit.'),
  quantity: wholeNumber,
  discount: moneyOut,
  vat: moneyOut,
  amount: moneyOut,
  margin: moneyOut,
  delivery: z.object({ method: z.string(), one_code_per: z.string() }),
  delivered_at: instant.nullable(),
  subscription_terms: terms.nullable().describe('What was agreed on; null when it does not renew.'),
  subscription: block
    .nullable()
    .describe(
      'As it was at the last change of this order; null until the parent order is paid, and when there is none.',
    ),
});

const customer = z.object({
  type: z.string().describe('physical, legal'),
  email: z.string(),
  first_name: z.string(),
  last_name: z.string(),
  country: z.string(),
  phone: z.string(),
  company_name: z.string(),
  vat_number: z.string(),
  company_billing_address: z.string(),
  company_delivery_address: z.string(),
});

const payment = z.object({
  id: z.string(),
  status: z.string(),
  method: z.string(),
  system_name: z.string(),
  ...paidWithShape,
  reason: z.string().nullable().describe('After a failure, such as card_declined.'),
  money_moved: z.string().describe('no, yes, unknown'),
});

const shared = {
  id: wholeNumber,
  object: z.literal('order'),
  livemode: z.boolean(),
  name: z.string().describe('A and ten digits.'),
  status: z.string().describe('not paid, paid, deleted'),
  fulfilment_status: z.string().describe('not delivered, delivered'),
  created_at: instant,
  paid_at: instant.nullable(),
  currency: z.string(),
  locale: z.string(),
  total: moneyOut,
  customer,
  payment_method: z.string(),
  payment: payment.nullable().describe('The payment that counts: the one that paid, else the newest.'),
  auto_renew: z.boolean().describe('Whether the customer agreed to renewals.'),
  renews_subscription: z
    .string()
    .nullable()
    .describe('The subscription whose next term this order pays; null when it is no renewal.')
    .meta({ examples: ['sub_5555555_456660'] }),
  refunds_due: z.array(z.string()).describe('Payments that came on top or too late, to be given back.'),
  external_id: z.string(),
  additional_data: z.array(z.object({ name: z.string(), value: z.string() })),
  metadata: metadataOut,
  detail_url: z.string().describe('The customer’s page of this order.'),
};

/** In lists, which leave out codes and payments. */
export const orderInList = z.object({ ...shared, items: z.array(item) }).meta({ id: 'OrderSummary' });

export type OrderInList = z.infer<typeof orderInList>;

const itemWithCodes = z.object({ ...item.shape, licence_codes: z.array(z.string()) });

export const wholeOrder = z
  .object({
    ...shared,
    items: z.array(itemWithCodes),
    payments: z.array(paymentShape).describe('Newest first.'),
    refunds: z.array(z.object({ id: z.string() })),
  })
  .meta({ id: 'Order' });

export type OrderObject = z.infer<typeof wholeOrder>;

/** The order as a single look at it answers. */
export function showWholeOrder(order: Order, licences: readonly Licence[], payments: readonly Payment[]): OrderObject {
  const summary = showOrder(order);
  return {
    ...summary,
    items: withCodes(summary.items, licences),
    payments: payments.map(showPayment),
    refunds: [],
  };
}

export function showOrder(order: Order): OrderInList {
  const { currency } = order;
  return {
    id: Number(order.orderId),
    object: 'order',
    livemode: order.livemode,
    name: order.orderName,
    status: order.status,
    fulfilment_status: order.fulfilmentStatus,
    created_at: madeAt(order.createdAt),
    paid_at: instantOf(order.paidAt),
    currency,
    locale: order.locale,
    total: moneyOf(order.totalMinor, currency),
    customer: showCustomer(order.customer),
    payment_method: order.paymentMethod,
    payment: showSummary(order.payment),
    auto_renew: order.autoRenew,
    renews_subscription: order.renewsSubscriptionId === '' ? null : publicSubscriptionId(order.renewsSubscriptionId),
    refunds_due: order.refundDuePaymentIds,
    external_id: order.externalId,
    additional_data: order.additionalData,
    metadata: order.metadata,
    detail_url: order.detailUrl,
    items: order.items.map((each) => showItem(each, currency)),
  };
}

function withCodes(items: OrderInList['items'], licences: readonly Licence[]): z.infer<typeof itemWithCodes>[] {
  return items.map((each) => ({
    ...each,
    licence_codes: licences.filter((licence) => Number(licence.itemId) === each.id).map((licence) => licence.code),
  }));
}

function showItem(each: OrderItem, currency: string): z.infer<typeof item> {
  return {
    id: Number(each.id),
    product: each.productId,
    name: each.name,
    family_name: each.familyName,
    vendor_code: each.vendorCode,
    sku: each.sku,
    business_segment: each.businessSegment,
    price: moneyOf(each.priceMinor, currency),
    quantity: each.quantity,
    discount: moneyOf(each.discountMinor, currency),
    vat: moneyOf(each.vatMinor, currency),
    amount: moneyOf(each.amountMinor, currency),
    margin: moneyOf(each.marginMinor, currency),
    delivery: { method: each.deliveryMethod, one_code_per: each.oneCodePer },
    delivered_at: instantOf(each.deliveredAt),
    subscription_terms: showTerms(each.subscriptionTerms, currency),
    subscription: showBlock(each.subscription),
  };
}

function showTerms(agreed: SubscriptionTerms | undefined, currency: string): z.infer<typeof terms> | null {
  if (agreed === undefined) return null;
  return {
    type: agreed.type,
    period: agreed.period,
    trial_period: textOrNull(agreed.trialPeriod),
    renewal_price: agreed.renewalPrice,
    renewal_amount: moneyOf(agreed.renewalPriceMinor, currency),
  };
}

function showBlock(known: ItemSubscription | undefined): z.infer<typeof block> | null {
  if (known === undefined) return null;
  return {
    id: publicSubscriptionId(known.id),
    subscription_id: known.id,
    type: known.type,
    status: known.status,
    period: known.period,
    term: known.term,
    is_conversion_from_trial: known.isConversionFromTrial,
    parent_order: Number(known.parentOrderId),
    parent_item: Number(known.parentItemId),
    previous_order: known.previousOrderId === 0n ? null : Number(known.previousOrderId),
    previous_item: known.previousItemId === 0n ? null : Number(known.previousItemId),
    expires_at: instantOf(known.expiresAt),
    next_charge_at: instantOf(known.nextChargeAt),
    detail_url: known.detailUrl,
  };
}

function showCustomer(known: Order['customer']): z.infer<typeof customer> {
  return {
    type: known?.type ?? '',
    email: known?.email ?? '',
    first_name: known?.firstName ?? '',
    last_name: known?.lastName ?? '',
    country: known?.country ?? '',
    phone: known?.phone ?? '',
    company_name: known?.companyName ?? '',
    vat_number: known?.vatNumber ?? '',
    company_billing_address: known?.companyBillingAddress ?? '',
    company_delivery_address: known?.companyDeliveryAddress ?? '',
  };
}

function showSummary(known: PaymentSummary | undefined): z.infer<typeof payment> | null {
  if (known === undefined) return null;
  return {
    id: known.paymentId,
    status: known.status,
    method: known.method,
    system_name: known.systemName,
    ...showPaidWith(known),
    reason: textOrNull(known.reason),
    money_moved: known.moneyMoved,
  };
}
