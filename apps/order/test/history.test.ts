/**
 * Golden folds: stored histories, as rows hold them, and the state that they must become. A change of `evolve`, of an event's
 * form or of the reader that breaks one changes orders that exist; UPDATE_GOLDEN=1 writes the states anew, to be read before
 * they are committed (docs/decisions/order-history-versions.md).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Customer } from '../src/domain/customer.ts';
import type { Item, SubscriptionTerms } from '../src/domain/item.ts';
import type { OrderEvent } from '../src/domain/order.ts';
import type { Consent, PaymentShown, Placed } from '../src/domain/placed.ts';
import type { Renewal, SavedInstrument } from '../src/domain/subscription/renewal.ts';
import type { PaidTerm, SubscriptionNote } from '../src/domain/subscription/subscription.ts';
import { eventOf, historyVersion, stateOf, upcast } from '../src/outbound/order/history.ts';
import { readPlaced, storeEvent, storePlaced } from '../src/outbound/stored-order.ts';
import type { HistoryRow, StoredPlaced } from '../src/outbound/tables.ts';

interface Golden {
  readonly about: string;
  readonly placed: StoredPlaced;
  readonly history: readonly Pick<HistoryRow, 'type' | 'data' | 'schema_version'>[];
  readonly state: unknown;
}

const folder = join(import.meta.dirname, 'golden');
const goldens = readdirSync(folder).map((file) => {
  const golden: Golden = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  return { file, golden };
});
const current = goldens.filter(({ golden }) => golden.history.every((row) => row.schema_version === historyVersion));

/** As JSON has it: maps as pairs, sums as digits, instants in RFC 3339. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, each: unknown) =>
      typeof each === 'bigint' ? String(each) : each instanceof Map ? [...each] : each,
    ),
  );
}

describe.each(goldens)('the stored history $file', ({ file, golden }) => {
  test('folds to its state', () => {
    const state = plain(stateOf(golden.placed, golden.history));
    if (process.env['UPDATE_GOLDEN'] !== undefined)
      writeFileSync(join(folder, file), `${JSON.stringify({ ...golden, state }, undefined, 2)}\n`);
    else expect(state).toEqual(golden.state);
  });

  test('is, in the newest form, what would be stored of it', () => {
    const placed = readPlaced(golden.placed);
    for (const row of golden.history) expect(plain(storeEvent(eventOf(row, placed)))).toEqual(upcast(row));
    const older = { source: 'cart', paymentSystemName: '', autoRenew: false, reminders: [] };
    expect(plain(storePlaced(placed))).toEqual({ ...older, ...golden.placed });
  });
});

type Fields<Whole> = { readonly [Key in keyof Required<Whole>]: true };
type EventFields = {
  readonly [Type in OrderEvent['type']]: Fields<Omit<Extract<OrderEvent, { type: Type }>, 'type' | 'placed'>>;
};

// A new event type, or a new field of one, does not compile until it stands here; then a golden has to show it.
const events: EventFields = {
  orderCreated: {},
  orderPaymentFailed: { payment: true, nextChargeAt: true },
  orderPaid: { payment: true, at: true, terms: true },
  orderPaidAgain: { paymentId: true },
  orderPaidLate: { paymentId: true },
  orderItemDelivered: { itemId: true, at: true },
  orderDelivered: {},
  orderDeleted: { reason: true },
  orderReminderDue: { number: true },
  orderLicencesAsked: { itemIds: true, number: true, requestId: true },
  orderSubscriptionCancelled: { note: true },
  orderSubscriptionRestored: { note: true },
  orderSubscriptionNoted: { note: true },
};
const payment: Fields<PaymentShown> = {
  paymentId: true,
  status: true,
  method: true,
  systemName: true,
  instrument: true,
  reason: true,
  errorCode: true,
  errorDescription: true,
  instrumentId: true,
};
const paidTerm: Fields<PaidTerm> = { itemId: true, anchorOn: true, periods: true, expiresAt: true, nextChargeAt: true };
const note: Fields<SubscriptionNote> = { itemId: true, status: true, expiresAt: true, nextChargeAt: true };
const placed: Fields<Placed> = {
  orderId: true,
  source: true,
  cartId: true,
  cartVersion: true,
  livemode: true,
  createdAt: true,
  currency: true,
  locale: true,
  token: true,
  shopName: true,
  supportEmail: true,
  timeZone: true,
  customer: true,
  items: true,
  totalMinor: true,
  paymentMethod: true,
  paymentSystemName: true,
  autoRenew: true,
  externalId: true,
  additionalData: true,
  metadata: true,
  consent: true,
  reminders: true,
  renewal: true,
};
const customer: Fields<Customer> = {
  country: true,
  type: true,
  email: true,
  firstName: true,
  lastName: true,
  phone: true,
  vatNumber: true,
  companyName: true,
  companyBillingAddress: true,
  companyDeliveryAddress: true,
};
const consent: Fields<Consent> = { wording: true, termsUrl: true, privacyUrl: true, at: true };
const item: Fields<Item> = {
  id: true,
  productId: true,
  name: true,
  familyName: true,
  vendorCode: true,
  sku: true,
  businessSegment: true,
  priceMinor: true,
  quantity: true,
  discountMinor: true,
  vatMinor: true,
  amountMinor: true,
  marginMinor: true,
  deliveryMethod: true,
  oneCodePer: true,
  sendMail: true,
  showOnOrderPage: true,
  terms: true,
};
const terms: Fields<SubscriptionTerms> = {
  type: true,
  period: true,
  trialPeriod: true,
  renewalPriceMinor: true,
  renewalPrice: true,
};
const renewal: Fields<Renewal> = {
  subscriptionId: true,
  term: true,
  parentOrderId: true,
  parentItemId: true,
  parentToken: true,
  type: true,
  previousOrderId: true,
  previousItemId: true,
  period: true,
  isConversionFromTrial: true,
  expiresAt: true,
  nextChargeAt: true,
  anchorOn: true,
  periods: true,
  instrumentId: true,
  saved: true,
};
const saved: Fields<SavedInstrument> = { systemName: true, instrument: true };

/** Every key that some golden of the newest form has at the place that `find` looks at. */
function keysOf(find: (golden: Golden) => readonly unknown[]): string[] {
  const found = current.flatMap(({ golden }) => find(golden));
  const objects = found.filter((each): each is object => typeof each === 'object' && each !== null);
  return [...new Set(objects.flatMap((each) => Object.keys(each)))].toSorted();
}

const ofEvents = (type: string, key?: string) => (golden: Golden) =>
  golden.history.filter((row) => row.type === type).map((row) => (key === undefined ? row.data : row.data[key]));

describe('the goldens', () => {
  test('have every event', () => {
    const types = new Set(current.flatMap(({ golden }) => golden.history.map((row) => row.type)));
    expect([...types].toSorted()).toEqual(Object.keys(events).toSorted());
  });

  test.each(Object.entries(events))('have every field of %s', (type, fields) => {
    expect(keysOf(ofEvents(type))).toEqual(Object.keys(fields).toSorted());
  });

  test.each([
    ['a failed payment', payment, ofEvents('orderPaymentFailed', 'payment')],
    ['a payment', payment, ofEvents('orderPaid', 'payment')],
    ['a term', paidTerm, (golden: Golden) => ofEvents('orderPaid', 'terms')(golden).flat()],
    ['a cancelled subscription', note, ofEvents('orderSubscriptionCancelled', 'note')],
    ['a restored subscription', note, ofEvents('orderSubscriptionRestored', 'note')],
    ['a noted subscription', note, ofEvents('orderSubscriptionNoted', 'note')],
    ['what was agreed on', placed, (golden: Golden) => [golden.placed]],
    ['the customer', customer, (golden: Golden) => [golden.placed.customer]],
    ['the consent', consent, (golden: Golden) => [golden.placed.consent]],
    ['an item', item, (golden: Golden) => golden.placed.items],
    ['terms', terms, (golden: Golden) => golden.placed.items.map((each) => each.terms)],
    ['a renewal', renewal, (golden: Golden) => [golden.placed.renewal]],
    ['the saved card', saved, (golden: Golden) => [golden.placed.renewal?.saved]],
  ] as const)('have every field of %s', (_what, fields, find) => {
    expect(keysOf(find)).toEqual(Object.keys(fields).toSorted());
  });

  test('have every version that was ever written', () => {
    const versions = new Set(goldens.flatMap(({ golden }) => golden.history.map((row) => row.schema_version ?? 1)));
    expect([...versions].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: historyVersion }, (_, index) => index + 1),
    );
  });
});

test('an event of a version that is still to come is not guessed at', () => {
  const row = { type: 'orderDelivered', data: {}, schema_version: historyVersion + 1 };
  expect(() => upcast(row)).toThrow(/version/);
  expect(() => upcast({ ...row, schema_version: 0 })).toThrow(/version/);
});
