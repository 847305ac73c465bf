/** From what the order service says to what a page is told: sums and dates as text, addresses checked, faults as sentences. */
import { formatMinor } from '@tillstream/money/money';
import type { Cart, OpenOrderResponse, Order } from '@tillstream/proto/order/v1/order_api';
import type { Entries, Fault, Field, QuantityChange } from '../domain/entries.ts';
import { fields } from '../domain/entries.ts';
import { phaseOf } from '../domain/phase.ts';
import type { CartView, CheckoutView, ItemView, LineView, OrderView, Shop } from '../pages/view.ts';
import { countriesIn } from '../words/countries.ts';
import type { Words } from '../words/en.ts';
import { formatInstant, type Locale } from '../words/locale.ts';

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
  return {
    cart: cartViewOf(parts),
    entries: parts.entries,
    problems,
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

export function orderViewOf(opened: OpenOrderResponse, order: Order, locale: Locale): OrderView {
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
    isDelivered: item.deliveredAt !== undefined,
    codes: opened.codes.find((each) => each.itemId === item.id)?.codes ?? [],
  }));
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
    method: methodText(order, words),
    paymentStatus: payment?.status ?? '',
    reason: payment === undefined ? '' : reasonText(payment.reason, words),
    money: payment === undefined ? '' : moneyText(payment.moneyMoved, words),
  };
}

function methodText({ payment }: Order, words: Words): string {
  if (payment === undefined || payment.cardLast4 === '') return words.order.card;
  const card = payment.cardType === '' ? words.order.card : payment.cardType;
  return words.order.cardEnding(card, payment.cardLast4);
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
