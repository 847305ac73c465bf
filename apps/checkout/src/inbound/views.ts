/** From what the order service says to what a page is told: sums and dates as text, addresses checked, faults as sentences. */
import { displayOf } from '@tillstream/instrument/instrument';
import { instrumentOf } from '@tillstream/instrument/wire';
import { formatMinor } from '@tillstream/money/money';
import type {
  Cart,
  OpenOrderResponse,
  Order,
  OrderItem,
  SubscriptionTerms,
} from '@tillstream/proto/order/v1/order_api';
import type { Entries, Fault, Field, QuantityChange } from '../domain/entries.ts';
import { fields } from '../domain/entries.ts';
import { phaseOf } from '../domain/phase.ts';
import { renewsByItself } from '../domain/terms.ts';
import type { CartView, CheckoutView, ItemView, LineView, OrderView, Shop } from '../pages/view.ts';
import type { ChildView } from '../pages/renewal-view.ts';
import { countriesIn } from '../words/countries.ts';
import type { Words } from '../words/en.ts';
import { formatInstant, type Locale } from '../words/locale.ts';
import { childOf, goesOnOf, sectionId, subscriptionViewsOf } from './subscription-views.ts';
import {
  byHandOf,
  lineTerms,
  methodName,
  methodNoteOf,
  methodViews,
  payConsentOf,
  placeOf,
  renewalOf,
} from './terms-views.ts';

export function shopOfCart(cart: Cart): Shop {
  return {
    name: cart.shopName,
    supportEmail: cart.supportEmail,
    supportUrl: webAddress(cart.supportUrl),
    termsUrl: webAddress(cart.termsUrl),
    privacyUrl: webAddress(cart.privacyUrl),
  };
}

export function shopOfOrder(opened: OpenOrderResponse): Shop {
  return {
    name: opened.shopName,
    supportEmail: opened.supportEmail,
    supportUrl: webAddress(opened.supportUrl),
    termsUrl: '',
    privacyUrl: '',
  };
}

export interface CheckoutParts {
  readonly cart: Cart;
  readonly locale: Locale;
  readonly entries: Entries;
  readonly faults?: readonly Fault[];
  readonly refusedChanges?: readonly QuantityChange[];
  /** What was typed for each refused change. */
  readonly form?: Readonly<Record<string, string>>;
  readonly notice?: CheckoutView['notice'];
  readonly isSummaryOpen?: boolean;
}

export function checkoutViewOf(parts: CheckoutParts): CheckoutView {
  const { locale, faults = [] } = parts;
  const problems = fields.flatMap((field) => {
    const fault = faults.find((each) => each.field === field);
    return fault === undefined ? [] : [{ field, text: problemText(fault, locale.words) }];
  });
  const renewal = renewalOf(parts.cart, locale);
  // Where nothing renews by itself there is nothing to say about methods that cannot.
  const note = renewal === undefined ? '' : locale.words.renewal.methods.cannotRenew;
  return {
    cart: cartViewOf(parts),
    entries: parts.entries,
    problems,
    methods: methodViews(parts.cart.paymentMethods, note, locale),
    ...(renewal === undefined ? {} : { renewal }),
    byHand: byHandOf(parts.cart, locale),
    place: placeOf(parts.cart, locale),
    countries: countriesIn(locale),
    isSummaryOpen: parts.isSummaryOpen ?? false,
    ...(parts.notice === undefined ? {} : { notice: parts.notice }),
  };
}

function cartViewOf({ cart, locale, refusedChanges = [], form = {} }: CheckoutParts): CartView {
  const money = (minor: bigint) => formatMinor(minor, cart.currency, locale.tag);
  const lines = cart.lines.map((line): LineView => {
    const refused = refusedChanges.find((change) => change.productId === line.productId);
    return {
      productId: line.productId,
      name: line.name,
      family: line.familyName,
      description: line.description,
      imageUrl: webAddress(line.imageUrl, ['https:']),
      quantity: line.quantity,
      minQuantity: line.minQuantity,
      maxQuantity: line.maxQuantity,
      price: money(line.priceMinor),
      amount: money(line.amountMinor),
      terms: lineTerms(bought(line.name, line.quantity, line.subscription), cart.currency, locale),
      ...(refused === undefined
        ? {}
        : {
            entered: (form[`quantity_${line.productId}`] ?? '').slice(0, 20),
            problem: locale.words.problems.quantity(line.minQuantity, line.maxQuantity),
          }),
    };
  });
  const { id, version, currency, currencies } = cart;
  return {
    id,
    version,
    lines,
    total: money(cart.totalMinor),
    totalMinor: cart.totalMinor.toString(),
    currency,
    currencies,
  };
}

/** The changes that no line of this cart allows. 0 takes a line out, which is always allowed. */
export function impossibleChanges(changes: readonly QuantityChange[], cart: Cart): readonly QuantityChange[] {
  return changes.filter(({ productId, quantity }) => {
    const line = cart.lines.find((each) => each.productId === productId);
    if (line === undefined || quantity === 0) return false;
    return Number.isNaN(quantity) || quantity < line.minQuantity || quantity > line.maxQuantity;
  });
}

function problemText({ field, code }: Fault, words: Words): string {
  const own: Words['fields'][Field] = words.fields[field];
  switch (code) {
    case 'required':
    case 'terms_not_accepted':
    case 'privacy_not_accepted':
      return own.required;
    case 'too_long':
      return words.problems.tooLong(own.label);
    case 'card_number_refused':
      return words.problems.cardNumber;
    default:
      return own.invalid;
  }
}

/** Where what was bought is cancelled and restored: the page of the parent. Empty when nothing has begun. */
function manageAtOf(order: Order, child: ChildView | undefined): string {
  if (child !== undefined) return child.href;
  const hasBegun = order.items.some((item) => item.subscription !== undefined);
  return hasBegun ? `/order/status/${order.orderId.toString()}/${order.token}#${sectionId}` : '';
}

/** Whether its terms hold: agreed to, and paid, or to be paid, with what can renew. A renewal's own page says what it renews. */
function hasTerms({ subscriptionTerms: terms, subscription }: OrderItem, order: Order): boolean {
  if (order.renewsSubscriptionId !== '') return false;
  if (!renewsByItself(terms)) return true;
  if (order.status === 'paid') return subscription !== undefined;
  const chosen = order.paymentMethods.find((method) => method.code === order.paymentMethod);
  return order.autoRenew && chosen?.canRenew !== false;
}

function bought(name: string, quantity: number, terms: SubscriptionTerms | undefined) {
  return terms === undefined ? undefined : { name, quantity, terms };
}

export function orderViewOf(opened: OpenOrderResponse, order: Order, locale: Locale, now: Date): OrderView {
  const { words } = locale;
  const { payment } = order;
  const money = (minor: bigint) => formatMinor(minor, order.currency, locale.tag);
  const instant = (at: Date | undefined) => (at === undefined ? '' : formatInstant(at, locale, order.timeZone));
  const items = order.items.map((item): ItemView => ({
    id: item.id.toString(),
    name: item.name,
    family: item.familyName,
    quantity: item.quantity,
    price: money(item.priceMinor),
    amount: money(item.amountMinor),
    terms: hasTerms(item, order)
      ? lineTerms(bought(item.name, item.quantity, item.subscriptionTerms), order.currency, locale)
      : '',
    isDelivered: item.deliveredAt !== undefined,
    codes: opened.codes.find((each) => each.itemId === item.id)?.codes ?? [],
  }));
  const consent = payConsentOf(order, locale);
  const child = childOf(order, now, locale);
  return {
    id: order.orderId.toString(),
    token: order.token,
    name: order.orderName,
    phase: phaseOf({
      status: order.status,
      fulfilmentStatus: order.fulfilmentStatus,
      ...(payment === undefined ? {} : { payment }),
    }),
    placedAt: instant(order.createdAt),
    paidAt: instant(order.paidAt),
    email: order.customer?.email ?? '',
    items,
    total: money(order.totalMinor),
    isFreeNow: order.totalMinor === 0n,
    method: methodText(order, locale),
    begunMethod: payment?.status === '' ? '' : (payment?.method ?? ''),
    expiryMinutes: payment?.expiryMinutes ?? 0,
    chosenMethod: chosenMethodOf(order),
    methods: methodViews(order.paymentMethods, methodNoteOf(order, consent, locale), locale),
    ...(consent === undefined ? {} : { consent }),
    ...(child === undefined ? {} : { child }),
    subscriptions: subscriptionViewsOf(opened, order, locale),
    goesOn: goesOnOf(order, locale),
    manageAt: manageAtOf(order, child),
    paymentStatus: payment?.status ?? '',
    reason: payment === undefined ? '' : reasonText(payment.reason, words),
    money: payment === undefined ? '' : moneyText(payment.moneyMoved, words),
  };
}

/** That of a payment which is open, for no other can begin; else what was chosen when it was ordered, if it is there. */
function chosenMethodOf({ paymentMethod, paymentMethods, payment }: Order): string {
  const isOpen = payment?.status === 'created' || payment?.status === 'seen';
  const wanted = isOpen ? payment.method : paymentMethod;
  if (paymentMethods.some((method) => method.code === wanted)) return wanted;
  return paymentMethods[0]?.code ?? paymentMethod;
}

function methodText({ payment, shownMethod }: Order, locale: Locale): string {
  const { words } = locale;
  const instrument = payment === undefined ? undefined : instrumentOf(payment);
  if (instrument?.kind === 'card') {
    const { brand, last4 } = instrument.details;
    return words.order.cardEnding(brand === '' ? words.order.card : brand, last4);
  }
  const isCard = shownMethod === undefined || shownMethod.code === '' || shownMethod.kind === 'card';
  const name = isCard ? words.order.card : methodName(shownMethod, locale);
  return instrument === undefined ? name : `${name} (${displayOf(instrument)})`;
}

/** The sentence of a public decline code; never the provider's own words. */
function reasonText(code: string, words: Words): string {
  const reasons: Readonly<Record<string, string>> = words.reasons;
  return Object.hasOwn(reasons, code) ? (reasons[code] ?? words.reasons.other) : words.reasons.other;
}

function moneyText(moved: string, words: Words): string {
  if (moved === 'no' || moved === 'yes') return words.moneyMoved[moved];
  return words.moneyMoved.unknown;
}

/** The address when it is one for a browser to open; else empty: a merchant's `javascript:` leads nowhere. */
function webAddress(text: string, protocols: readonly string[] = ['https:', 'http:']): string {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol) ? new URL(text).href : '';
}
