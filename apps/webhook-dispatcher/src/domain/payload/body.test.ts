import { bankAccount, card } from '@tillstream/instrument/instrument';
import { readFileSync } from 'node:fs';
import { seedDocument } from '@tillstream/public-api/seed-document';
import { catalogue, typesOf, type CatalogueRow } from '@tillstream/public-api/webhook-events';
import { describe, expect, test } from 'vitest';
import { buildBody } from './body.ts';
import {
  seedEventTypes,
  type SeedEventType,
  type OrderDocument,
  type ProductPart,
  type SubscriptionPart,
} from './document.ts';
import { dateIn, isCardExpired, localeOf, percentOf } from './forms.ts';

interface Example {
  event: SeedEventType;
  event_date: string;
  order_id: number;
  order_name: string;
  status: string;
  external_id: string;
  create_date: string;
  pay_date: string;
  currency: string;
  order_detail_url: string;
  customer: Record<string, string>;
  product: Record<string, string> & { quantity: number; activation_codes?: string[] };
  payment: {
    payment_method: string;
    payment_system_name: string;
    card_type: string;
    card_last_4: string | null;
    card_expiration_date: string;
    payment_error_code?: string;
    payment_error_description?: string;
  };
  subscription?: {
    id: string;
    previous_order_id: number | null;
    previous_order_item_id: number | null;
    type: string;
    is_conversion_from_trial: boolean;
    status: string;
    period: string;
    expiration_date: string;
    next_charge_date: string;
    detail_url: string;
  };
  additional_data?: { name: string; value: string }[];
}

// Slips of the examples: one has " " for no phone (webhooks.md C3.13), one leads to the merchant's site instead of the
// parent's page (C2, R76).
const read = (name: string): string =>
  readFileSync(new URL(`../../../test/seed-003/${name}.json`, import.meta.url), 'utf8')
    .replace('"phone": " "', '"phone": ""')
    .replace('https://shop.com/', 'https://shop.checkout.noventiq.com/');
const minor = (text = ''): bigint => BigInt(text.replace('.', ''));
const word = (record: Record<string, string>, key: string): string => record[key] ?? '';

/** What our services would know of the order of the example. */
function parse(example: Example): { document: OrderDocument; item: ProductPart } {
  const { customer, product, payment } = example;
  const item: ProductPart = {
    itemId: 12345n,
    productId: word(product, 'id'),
    vendorCode: word(product, 'vendor_code'),
    sku: word(product, 'sku'),
    businessSegment: word(product, 'business_segment'),
    name: word(product, 'name'),
    priceMinor: minor(product['price']),
    quantity: product.quantity,
    discountMinor: 0n,
    vatMinor: minor(product['vat_amount']),
    amountMinor: minor(product['amount']),
    marginMinor: minor(product['margin']),
    isDelivered: product.activation_codes !== undefined,
    subscription: example.subscription === undefined ? undefined : parseSubscription(example.subscription),
  };
  const document: OrderDocument = {
    orderId: BigInt(example.order_id),
    orderName: example.order_name,
    status: example.status,
    externalId: example.external_id,
    createdAt: new Date(example.create_date),
    paidAt: example.pay_date === '' ? undefined : new Date(example.pay_date),
    currency: example.currency,
    locale: 'en',
    detailUrl: example.order_detail_url,
    timeZone: 'Europe/Moscow',
    customer: {
      country: word(customer, 'country'),
      type: word(customer, 'type'),
      email: word(customer, 'email'),
      firstName: word(customer, 'first_name'),
      lastName: word(customer, 'last_name'),
      phone: word(customer, 'phone'),
      vatNumber: word(customer, 'vat_number'),
      companyName: word(customer, 'company_name'),
      companyBillingAddress: word(customer, 'company_billing_address'),
      companyDeliveryAddress: word(customer, 'company_delivery_address'),
    },
    items: [item],
    payment: {
      method: payment.payment_method,
      systemName: payment.payment_system_name,
      instrument: card({
        brand: payment.card_type,
        last4: payment.card_last_4 ?? '',
        expiration: payment.card_expiration_date,
      }),
      errorCode: payment.payment_error_code ?? '',
      errorDescription: payment.payment_error_description ?? '',
    },
    additionalData: example.additional_data ?? [],
  };
  return { document, item };
}

function parseSubscription(shown: NonNullable<Example['subscription']>): SubscriptionPart {
  return {
    id: shown.id,
    previousOrderId: BigInt(shown.previous_order_id ?? 0),
    previousItemId: BigInt(shown.previous_order_item_id ?? 0),
    type: shown.type,
    isConversionFromTrial: shown.is_conversion_from_trial,
    status: shown.status,
    period: shown.period,
    expiresAt: new Date(shown.expiration_date),
    nextChargeAt: new Date(shown.next_charge_date),
    detailUrl: shown.detail_url,
  };
}

describe('the examples of the seed are built again', () => {
  test.each([
    'order.created',
    'order.created.child',
    'order.payment.succeeded',
    'order.payment.succeeded.parent',
    'order.payment.succeeded.child',
    'order.payment.failed',
    'order.payment.failed.child',
    'product.delivered',
    'subscription.cancelled',
    'subscription.restored',
  ])('%s, byte for byte', (name) => {
    const text = read(name);
    const example: Example = JSON.parse(text);
    const { document, item } = parse(example);
    const codes = example.product.activation_codes;
    const built = buildBody(document, {
      type: example.event,
      at: new Date(example.event_date),
      item,
      part: 1,
      partCount: 1,
      ...(codes === undefined ? {} : { codes }),
    });
    expect(built).toBe(JSON.stringify(JSON.parse(text)));
  });
});

describe('what the examples do not show', () => {
  const example: Example = JSON.parse(read('order.created'));
  const { document, item } = parse(example);
  const bodyOf = (order: OrderDocument, more: Partial<Parameters<typeof buildBody>[1]> = {}) =>
    JSON.parse(
      buildBody(order, { type: 'order.created', at: order.createdAt, item, part: 1, partCount: 1, ...more }),
    ) as Record<string, unknown> & {
      product: Record<string, unknown>;
      payment: Record<string, unknown>;
    };

  test('codes only when delivered, errors only when failed', () => {
    for (const type of ['order.created', 'order.payment.succeeded', 'order.payment.failed'] as const) {
      const body = bodyOf(document, { type, codes: ['SECRET'] });
      expect('activation_codes' in body.product).toBe(false);
      expect('payment_error_code' in body.payment).toBe(type === 'order.payment.failed');
    }
    expect(bodyOf(document, { type: 'product.delivered', codes: [] }).product['activation_codes']).toEqual([]);
  });

  test('codes with a cancellation and a restoration once the product was delivered, and not before', () => {
    for (const type of ['subscription.cancelled', 'subscription.restored'] as const) {
      const codesOf = (isDelivered: boolean) =>
        bodyOf(document, { type, item: { ...item, isDelivered }, codes: ['A-1'] }).product['activation_codes'];
      expect([codesOf(true), codesOf(false)]).toEqual([['A-1'], undefined]);
    }
  });

  test('a subscription in every event from its beginning on, before additional data; none, no key', () => {
    const { subscription: seen } = JSON.parse(read('order.created.child')) as Example;
    const subscription = seen && parseSubscription(seen);
    const additionalData = [{ name: 'a', value: 'b' }];
    for (const type of seedEventTypes) {
      const body = bodyOf({ ...document, additionalData }, { type, item: { ...item, subscription } });
      expect(Object.keys(body).slice(-4)).toEqual(['payment', 'subscription', 'additional_data', 'document_part']);
      expect(body['subscription']).toEqual(seen);
      expect('subscription' in bodyOf(document, { type })).toBe(false);
    }
  });

  test('a trial is an AR, PMR is PMR, and a charge that is not planned has no date', () => {
    const { subscription: seen } = JSON.parse(read('order.created.child')) as Example;
    const shown = (more: Partial<SubscriptionPart>) =>
      bodyOf(document, { item: { ...item, subscription: seen && { ...parseSubscription(seen), ...more } } })[
        'subscription'
      ];
    expect(shown({ type: 'AR_TRIAL', isConversionFromTrial: true })).toMatchObject({
      type: 'AR',
      is_conversion_from_trial: true,
    });
    expect(shown({ type: 'PMR', nextChargeAt: undefined })).toMatchObject({ type: 'PMR', next_charge_date: '' });
    // The dates are the shop's, whatever the zone of the machine.
    expect(shown({ expiresAt: new Date('2026-03-29T20:59:00.999Z') })).toMatchObject({
      expiration_date: '2026-03-29T23:59:00+03:00',
    });
  });

  test('a saved card that expires before its renewal says so', () => {
    const instrument = card({ brand: 'Visa', last4: '1234', expiration: '12/2026' });
    const payment = { ...document.payment, instrument };
    const isExpired = (at: string) => bodyOf({ ...document, payment }, { at: new Date(at) }).payment['is_card_expired'];
    expect([isExpired('2026-12-24T20:59:00Z'), isExpired('2027-01-24T20:59:00Z')]).toEqual([false, true]);
  });

  test('what was paid with no card has the fields of a card that is not known', () => {
    const instrument = bankAccount({ bankName: 'Bank', country: '', number: 'DE89 3704 0044 0532 0130 00' });
    expect(bodyOf({ ...document, payment: { ...document.payment, instrument } }).payment).toMatchObject({
      card_type: '',
      card_last_4: null,
      card_expiration_date: '',
      is_card_expired: false,
    });
  });

  test('what is not known of a customer is "", and all ten keys are there; no link gives no external id', () => {
    const blank = Object.fromEntries(Object.keys(document.customer).map((key) => [key, '']));
    const body = bodyOf({ ...document, externalId: '', customer: { ...document.customer, ...blank } });
    expect(body['external_id']).toBe('');
    expect(Object.values(body['customer'] as object)).toEqual(Array.from({ length: 10 }, () => ''));
    expect(Object.keys(body['customer'] as object)).toEqual(Object.keys(example.customer));
  });

  test('additional data are the same in every event, and have no key where there are none', () => {
    const additionalData = [
      { name: 'referer2', value: 'test' },
      { name: 'имя', value: '' },
    ];
    for (const type of seedEventTypes) {
      expect(bodyOf({ ...document, additionalData }, { type, codes: [] })['additional_data']).toEqual(additionalData);
      expect('additional_data' in bodyOf({ ...document, additionalData: [] }, { type, codes: [] })).toBe(false);
    }
  });

  test('a yen has no decimals, a dinar three', () => {
    expect(bodyOf({ ...document, currency: 'JPY' }).product['price']).toBe('10000');
    expect(bodyOf({ ...document, currency: 'KWD' }).product['price']).toBe('10.000');
  });

  test('a discount is said in percent and in money', () => {
    const body = bodyOf(document, { item: { ...item, discountMinor: 3333n, amountMinor: 6667n } });
    expect([body.product['discount_percent'], body.product['discount_amount']]).toEqual(['33.33', '33.33']);
  });

  test('parts are counted', () => {
    expect(bodyOf(document, { part: 2, partCount: 3 })['document_part']).toBe('2-of-3');
  });

  test('the event date of a creation is the creation date', () => {
    expect(bodyOf(document, { at: new Date('2030-01-01T00:00:00Z') })['event_date']).toBe(example.create_date);
  });

  test('dates follow the zone through the year, and UTC is never Z', () => {
    expect(dateIn('Europe/Prague', new Date('2026-07-01T10:00:00.999Z'))).toBe('2026-07-01T12:00:00+02:00');
    expect(dateIn('Europe/Prague', new Date('2026-12-01T10:00:00Z'))).toBe('2026-12-01T11:00:00+01:00');
    expect(dateIn('Asia/Kathmandu', new Date('2026-12-01T10:00:00Z'))).toBe('2026-12-01T15:45:00+05:45');
    expect(dateIn('UTC', new Date('2026-12-01T10:00:00Z'))).toBe('2026-12-01T10:00:00+00:00');
    expect(dateIn('America/St_Johns', new Date('2026-12-01T10:00:00Z'))).toBe('2026-12-01T06:30:00-03:30');
  });

  test.each([
    ['en', 'en_EN'],
    ['en-US', 'en_US'],
    ['pt-br', 'pt_BR'],
    ['zh-Hant-TW', 'zh_TW'],
    ['cs_CZ', 'cs_CZ'],
  ])('locale %s is %s', (tag, form) => expect(localeOf(tag)).toBe(form));

  test('a card is good until its last month is over', () => {
    expect(isCardExpired('12/2026', new Date('2026-12-31T23:59:59Z'))).toBe(false);
    expect(isCardExpired('12/2026', new Date('2027-01-01T00:00:00Z'))).toBe(true);
    expect(isCardExpired('', new Date())).toBe(false);
  });

  test('percentages are rounded once', () => {
    expect(percentOf(1n, 3n)).toBe('33.33');
    expect(percentOf(2n, 3n)).toBe('66.67');
    expect(percentOf(0n, 0n)).toBe('0.00');
  });
});

describe('the catalogue', () => {
  test('has a document in the profile seed for the types that are built here, and for no other', () => {
    expect(typesOf('seed').toSorted()).toEqual(seedEventTypes.toSorted());
  });

  test.each(typesOf('seed'))('shows for %s what the seed shows, which is of the shape that it describes', (type) => {
    const row: CatalogueRow = catalogue[type];
    const golden: unknown = JSON.parse(read(type));
    expect(row.seed).toEqual(golden);
    expect(seedDocument.parse(golden)).toEqual(golden);
  });

  test.each(typesOf('seed'))('describes what is built for %s', (type) => {
    const { document, item } = parse(JSON.parse(read(type)));
    const at = new Date('2021-08-13T06:16:35Z');
    const built: unknown = JSON.parse(
      buildBody(document, { type: type as SeedEventType, at, item, part: 1, partCount: 1, codes: ['XXX-XXX-YYYY'] }),
    );
    expect(seedDocument.parse(built)).toEqual(built);
  });
});
