/** Examples of webhook events, for the documentation: one order's story in both payload profiles. */
import type { OrderObject } from './order.ts';
import type { PaymentObject } from './payment.ts';
import type { SeedDocument } from './seed-document.ts';

const detailUrl = 'https://shop.checkout.noventiq.com/order/status/5555555/1a97507';
const noCard = { card_type: '', card_last_4: null, card_expiration_date: '' };
const card = { card_type: 'Visa', card_last_4: '1234', card_expiration_date: '12/2026' };

interface Scene {
  readonly event: string;
  readonly at: string;
  readonly isPaid?: boolean;
  readonly margin?: string;
  readonly codes?: readonly string[];
  readonly error?: { readonly code: string; readonly description: string };
  readonly subscription?: SeedDocument['subscription'];
  readonly hasAdditionalData?: boolean;
}

/** As the documentation of the product that merchants come from shows it. */
export function seedExample(scene: Scene): SeedDocument {
  const { event, at, isPaid = false, margin = '90.00', codes, error, subscription, hasAdditionalData = true } = scene;
  return {
    event,
    event_date: at,
    order_id: 5_555_555,
    order_name: 'A0005555555',
    status: isPaid ? 'paid' : 'not paid',
    external_id: 'TEST12025',
    create_date: '2021-08-13T09:16:35+03:00',
    pay_date: isPaid ? '2021-08-13T09:20:05+03:00' : '',
    currency: 'EUR',
    locale: 'en_EN',
    order_detail_url: detailUrl,
    customer: {
      country: 'FR',
      type: 'physical',
      email: 'customer@gmail.com',
      first_name: 'Marcel',
      last_name: 'Laporte',
      phone: '',
      vat_number: '',
      company_name: '',
      company_billing_address: '',
      company_delivery_address: '',
    },
    product: {
      id: '111111',
      vendor_code: '0001',
      sku: '0001',
      business_segment: 'b2c',
      name: 'Demo',
      price: '100.00',
      quantity: 1,
      discount_percent: '',
      discount_amount: '',
      vat_amount: '0.00',
      amount: '100.00',
      margin,
      ...(codes === undefined ? {} : { activation_codes: [...codes] }),
    },
    payment: {
      payment_method: 'CreditCard',
      payment_system_name: 'Bank Card',
      ...(error === undefined ? {} : { payment_error_code: error.code, payment_error_description: error.description }),
      ...(isPaid ? card : noCard),
      is_card_expired: false,
      is_installment_payment: false,
    },
    ...(subscription === undefined ? {} : { subscription }),
    ...(hasAdditionalData
      ? {
          additional_data: [
            { name: 'referer2', value: 'test' },
            { name: 'referer3', value: 'TEST12025' },
          ],
        }
      : {}),
    document_part: '1-of-1',
  };
}

export const seedSubscription = (status: 'active' | 'cancelled'): SeedDocument['subscription'] => ({
  id: '5555555_456660',
  previous_order_id: null,
  previous_order_item_id: null,
  type: 'AR',
  is_conversion_from_trial: false,
  status,
  period: 'P1Y',
  expiration_date: '2022-08-13T23:59:00+03:00',
  next_charge_date: '2022-07-24T23:59:00+03:00',
  detail_url: `${detailUrl}#autorenewal`,
});

const [createdAt, failedAt, paidAt, deliveredAt] = [
  '2021-08-13T06:16:35.000Z',
  '2021-08-13T06:19:05.000Z',
  '2021-08-13T06:20:05.000Z',
  '2021-08-13T06:30:05.000Z',
];
const euros = { amount: 10_000, currency: 'EUR' };
const nothing = { amount: 0, currency: 'EUR' };

export function paymentExample(status: 'booked' | 'failed'): PaymentObject {
  const isBooked = status === 'booked';
  return {
    id: isBooked ? 'pay_01fczcm9gr0000000000000002' : 'pay_01fczcm9gr0000000000000001',
    object: 'payment',
    livemode: true,
    order: 5_555_555,
    status,
    outcome_unknown: false,
    review_reason: null,
    amount: euros,
    method: 'CreditCard',
    system_name: 'Bank Card',
    provider: 'sandbox',
    provider_payment_id: isBooked ? 'sb_2' : 'sb_1',
    reason: isBooked ? null : 'card_declined',
    provider_error: isBooked ? null : { code: 'AS102', description: 'AUTHORIZATION DECLINED. Insufficient cash.' },
    money_moved: isBooked ? 'yes' : 'no',
    is_off_session: false,
    instrument: null,
    card: isBooked ? { type: 'Visa', last_4: '1234', expiration: '12/2026' } : null,
    method_details: isBooked
      ? { kind: 'card', display: 'Visa •••• 1234', brand: 'Visa', last_4: '1234', expiration: '12/2026' }
      : null,
    created_at: createdAt,
    expires_at: null,
    finalised_at: isBooked ? paidAt : failedAt,
    attempts: [
      {
        id: '0198c0de-0000-7000-8000-000000000001',
        kind: 'create',
        state: isBooked ? 'succeeded' : 'declined',
        tries: 1,
        created_at: createdAt,
        settled_at: isBooked ? paidAt : failedAt,
      },
    ],
  };
}

/** The order at one of its moments. */
export function orderExample(
  moment: 'created' | 'failed' | 'paid' | 'delivered',
  subscription?: 'active' | 'cancelled',
): OrderObject {
  const isPaid = moment === 'paid' || moment === 'delivered';
  const isDelivered = moment === 'delivered';
  const payments = moment === 'created' ? [] : [paymentExample(isPaid ? 'booked' : 'failed')];
  const [newest] = payments;
  return {
    id: 5_555_555,
    object: 'order',
    livemode: true,
    name: 'A0005555555',
    status: isPaid ? 'paid' : 'not paid',
    fulfilment_status: isDelivered ? 'delivered' : 'not delivered',
    created_at: createdAt,
    paid_at: isPaid ? paidAt : null,
    currency: 'EUR',
    locale: 'en',
    total: euros,
    customer: {
      type: 'physical',
      email: 'customer@gmail.com',
      first_name: 'Marcel',
      last_name: 'Laporte',
      country: 'FR',
      phone: '',
      company_name: '',
      vat_number: '',
      company_billing_address: '',
      company_delivery_address: '',
    },
    payment_method: 'CreditCard',
    payment:
      newest === undefined
        ? null
        : {
            id: newest.id,
            status: newest.status,
            method: newest.method,
            system_name: newest.system_name,
            card: newest.card,
            method_details: newest.method_details,
            reason: newest.reason,
            money_moved: newest.money_moved,
          },
    auto_renew: subscription !== undefined,
    renews_subscription: null,
    refunds_due: [],
    external_id: 'TEST12025',
    additional_data: [{ name: 'referer2', value: 'test' }],
    metadata: {},
    detail_url: detailUrl,
    items: [
      {
        id: 456_660,
        product: '111111',
        name: 'Demo',
        family_name: '',
        vendor_code: '0001',
        sku: '0001',
        business_segment: 'b2c',
        price: euros,
        quantity: 1,
        discount: nothing,
        vat: nothing,
        amount: euros,
        margin: { amount: 9_000, currency: 'EUR' },
        delivery: { method: 'pool', one_code_per: 'unit' },
        delivered_at: isDelivered ? deliveredAt : null,
        subscription_terms:
          subscription === undefined
            ? null
            : { type: 'AR', period: 'P1Y', trial_period: null, renewal_price: 'snapshot', renewal_amount: euros },
        subscription: subscription === undefined ? null : subscriptionBlock(subscription),
        licence_codes: isDelivered ? ['XXX-XXX-YYYY'] : [],
      },
    ],
    payments,
    refunds: [],
  };
}

function subscriptionBlock(status: 'active' | 'cancelled'): NonNullable<OrderObject['items'][number]['subscription']> {
  return {
    id: 'sub_5555555_456660',
    subscription_id: '5555555_456660',
    type: 'AR',
    status,
    period: 'P1Y',
    term: 1,
    is_conversion_from_trial: false,
    parent_order: 5_555_555,
    parent_item: 456_660,
    previous_order: null,
    previous_item: null,
    expires_at: '2022-08-13T20:59:00.000Z',
    next_charge_at: '2022-07-24T20:59:00.000Z',
    detail_url: `${detailUrl}#autorenewal`,
  };
}
