/**
 * The document of the payload profile `seed`: one product of one order. It is the form of the product that merchants come
 * from, so its dates, empty texts and nulls are that product's and not those of the API. The order of the keys is part of it.
 */
import { z } from 'zod';
import { wholeNumber } from './values.ts';

const date = z
  .string()
  .describe('YYYY-MM-DDThh:mm:ss±hh:mm in the time zone of the shop.')
  .meta({ examples: ['2021-08-13T09:16:35+03:00'] });
const decimal = z.string().describe('With the decimals of the currency.');

const customer = z.strictObject({
  country: z.string(),
  type: z.string(),
  email: z.string(),
  first_name: z.string(),
  last_name: z.string(),
  phone: z.string(),
  vat_number: z.string(),
  company_name: z.string(),
  company_billing_address: z.string(),
  company_delivery_address: z.string(),
});

const product = z.strictObject({
  id: z.string(),
  vendor_code: z.string(),
  sku: z.string(),
  business_segment: z.string(),
  name: z.string(),
  price: decimal,
  quantity: wholeNumber,
  discount_percent: z.string().describe('Empty without a discount.'),
  discount_amount: z.string().describe('Empty without a discount.'),
  vat_amount: decimal,
  amount: decimal,
  margin: decimal,
  activation_codes: z
    .array(z.string())
    .optional()
    .describe('The licence codes; in events that happen to a product at or after its delivery.'),
});

const payment = z.strictObject({
  payment_method: z.string(),
  payment_system_name: z.string(),
  payment_error_code: z.string().optional().describe('Only in order.payment.failed.'),
  payment_error_description: z.string().optional().describe('Only in order.payment.failed.'),
  card_type: z.string().describe('Empty when unknown.'),
  card_last_4: z.string().nullable(),
  card_expiration_date: z.string().describe('MM/YYYY; empty when unknown.'),
  is_card_expired: z.boolean(),
  is_installment_payment: z.boolean(),
});

const subscription = z.strictObject({
  id: z.string(),
  previous_order_id: wholeNumber.nullable(),
  previous_order_item_id: wholeNumber.nullable(),
  type: z.string(),
  is_conversion_from_trial: z.boolean(),
  status: z.string().describe('not paid, active, cancelled'),
  period: z.string(),
  expiration_date: z.string(),
  next_charge_date: z.string().describe('Empty when none is planned.'),
  detail_url: z.string(),
});

export const seedDocument = z
  .strictObject({
    event: z.string(),
    event_date: date,
    order_id: wholeNumber,
    order_name: z.string(),
    status: z.string().describe('not paid, paid, deleted'),
    external_id: z.string(),
    create_date: date,
    pay_date: z.string().describe('As the other dates; empty while the order is not paid.'),
    currency: z.string(),
    locale: z.string(),
    order_detail_url: z.string(),
    customer,
    product,
    payment,
    subscription: subscription.optional(),
    additional_data: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
    document_part: z.string().describe('i-of-n: which product of the order this is.'),
  })
  .meta({ id: 'SeedWebhookDocument' });

export type SeedDocument = z.infer<typeof seedDocument>;
