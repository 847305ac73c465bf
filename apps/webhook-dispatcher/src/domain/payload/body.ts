/**
 * The body of a webhook in the seed's form: one product of one order (D7). The order of the keys is the order of the
 * examples, and what is unknown is said as they say it: "" for a date or a card type, null for the card's digits, and no
 * key at all for codes, errors, subscriptions and additional data that are not there. The text is made once and stored;
 * every attempt sends these bytes.
 */
import { decimalOf } from '@tillstream/money/money';
import type {
  CustomerPart,
  SeedEventType,
  OrderDocument,
  PaymentPart,
  ProductPart,
  SubscriptionPart,
} from './document.ts';
import { dateIn, isCardExpired, localeOf, percentOf } from './forms.ts';

export interface Happening {
  readonly type: SeedEventType;
  readonly at: Date;
  readonly item: ProductPart;
  /** i-of-n: which of the order's products this is. */
  readonly part: number;
  readonly partCount: number;
  /** The item's licence codes, in the events that show them. */
  readonly codes?: readonly string[];
}

/** Whether the body has `activation_codes`: once they were handed out, in what happens to the product after (C1). */
export function showsCodes(type: SeedEventType, item: Pick<ProductPart, 'isDelivered'>): boolean {
  const isAfterwards = type === 'subscription.cancelled' || type === 'subscription.restored';
  return type === 'product.delivered' || (isAfterwards && item.isDelivered);
}

export function buildBody(order: OrderDocument, happening: Happening): string {
  const dateOf = (at: Date) => dateIn(order.timeZone, at);
  return JSON.stringify({
    event: happening.type,
    // An order is created at its creation: the examples show the same second, whatever the event's own clock said.
    event_date: dateOf(happening.type === 'order.created' ? order.createdAt : happening.at),
    // The seed's ids are numbers. Ours stay far below 2^53.
    order_id: Number(order.orderId),
    order_name: order.orderName,
    status: order.status,
    external_id: order.externalId,
    create_date: dateOf(order.createdAt),
    pay_date: order.paidAt === undefined ? '' : dateOf(order.paidAt),
    currency: order.currency,
    locale: localeOf(order.locale),
    order_detail_url: order.detailUrl,
    customer: customerOf(order.customer),
    product: productOf(
      happening.item,
      order.currency,
      showsCodes(happening.type, happening.item) ? happening.codes : undefined,
    ),
    payment: paymentOf(order.payment, happening),
    ...(happening.item.subscription === undefined
      ? {}
      : { subscription: subscriptionOf(happening.item.subscription, dateOf) }),
    ...(order.additionalData.length === 0
      ? {}
      : { additional_data: order.additionalData.map(({ name, value }) => ({ name, value })) }),
    document_part: `${happening.part}-of-${happening.partCount}`,
  });
}

function customerOf(customer: CustomerPart) {
  return {
    country: customer.country,
    type: customer.type,
    email: customer.email,
    first_name: customer.firstName,
    last_name: customer.lastName,
    phone: customer.phone,
    vat_number: customer.vatNumber,
    company_name: customer.companyName,
    company_billing_address: customer.companyBillingAddress,
    company_delivery_address: customer.companyDeliveryAddress,
  };
}

function productOf(item: ProductPart, currency: string, codes: readonly string[] | undefined) {
  const isDiscounted = item.discountMinor > 0n;
  return {
    id: item.productId,
    vendor_code: item.vendorCode,
    sku: item.sku,
    business_segment: item.businessSegment,
    name: item.name,
    price: decimalOf(item.priceMinor, currency),
    quantity: item.quantity,
    discount_percent: isDiscounted ? percentOf(item.discountMinor, item.priceMinor * BigInt(item.quantity)) : '',
    discount_amount: isDiscounted ? decimalOf(item.discountMinor, currency) : '',
    vat_amount: decimalOf(item.vatMinor, currency),
    amount: decimalOf(item.amountMinor, currency),
    margin: decimalOf(item.marginMinor, currency),
    ...(codes === undefined ? {} : { activation_codes: codes }),
  };
}

function subscriptionOf(subscription: SubscriptionPart, dateOf: (at: Date) => string) {
  const { previousOrderId, previousItemId, nextChargeAt } = subscription;
  return {
    id: subscription.id,
    // A parent has nothing before it (R74).
    previous_order_id: previousOrderId === 0n ? null : Number(previousOrderId),
    previous_order_item_id: previousItemId === 0n ? null : Number(previousItemId),
    // A trial is an AR whose first term is free; its conversion has a key of its own.
    type: subscription.type === 'AR_TRIAL' ? 'AR' : subscription.type,
    is_conversion_from_trial: subscription.isConversionFromTrial,
    status: subscription.status,
    period: subscription.period,
    expiration_date: dateOf(subscription.expiresAt),
    // The examples have one also when it is cancelled; should none be known, it is as an unknown pay_date.
    next_charge_date: nextChargeAt === undefined ? '' : dateOf(nextChargeAt),
    detail_url: subscription.detailUrl,
  };
}

function paymentOf(payment: PaymentPart, happening: Happening) {
  return {
    payment_method: payment.method,
    payment_system_name: payment.systemName,
    ...(happening.type === 'order.payment.failed'
      ? { payment_error_code: payment.errorCode, payment_error_description: payment.errorDescription }
      : {}),
    ...cardFieldsOf(payment, happening.at),
    // Instalments are agreed with the payment provider (D12); none does so yet.
    is_installment_payment: false,
  };
}

/** The payload knows cards only: of any other instrument these are as of a card that is not known. */
function cardFieldsOf({ instrument }: PaymentPart, at: Date) {
  const card = instrument?.kind === 'card' ? instrument.details : undefined;
  return {
    card_type: card?.brand ?? '',
    card_last_4: card?.last4 ?? null,
    card_expiration_date: card?.expiration ?? '',
    is_card_expired: card !== undefined && isCardExpired(card.expiration, at),
  };
}
