/** The checkout page: shows the cart, changes it, and makes the order of it. */
import type { Cart } from '@tillstream/proto/order/v1/order_api';
import { refusals, Refused } from '@tillstream/rpc/refusals';
import {
  changedQuantities,
  customerOf,
  fieldOf,
  noEntries,
  readAction,
  readEntries,
  readQuantity,
  type Entries,
  type Fault,
  type QuantityChange,
} from '../domain/entries.ts';
import { checkoutPage } from '../pages/checkout-page.ts';
import { messagePage } from '../pages/message-page.ts';
import { readLocale } from '../words/locale.ts';
import { goTo, show, type Answer } from './answer.ts';
import { isSecure, type RouteParts } from './clients.ts';
import { checkoutViewOf, impossibleChanges, shopOfCart, type CheckoutParts } from './views.ts';
import { cartCookieOf, isCartId, localeCookieOf, type Visit } from './visit.ts';

export async function showCheckout(visit: Visit, parts: RouteParts): Promise<Answer> {
  const cart = await getCart(visit, parts);
  const told = visit.query['notice'] === 'code' ? (['info', 'codeNotValid'] as const) : undefined;
  // What a page that is shown for the first time has in it. Later it is what the customer chose.
  const entries = {
    ...noEntries,
    payment_method: cart.paymentMethods[0]?.code ?? '',
    auto_renew: cart.renewalConsent === 'switch' && cart.renewalConsentDefault,
  };
  return answer(visit, cart, { entries, ...(told === undefined ? {} : { told }) });
}

export async function changeCheckout(visit: Visit, parts: RouteParts): Promise<Answer> {
  const { form } = visit;
  const entries = readEntries(form);
  const action = readAction(form['action']);
  switch (action.type) {
    case 'locale':
      return inOtherLanguage(visit, parts, entries, action.tag);
    case 'remove':
      return change(visit, parts, entries, [{ productId: action.productId, quantity: 0 }]);
    case 'update':
      return change(visit, parts, entries, changedQuantities(form));
    case 'currency':
      return change(visit, parts, entries, [], form['currency'] ?? '');
    case 'place': {
      // Nobody orders quantities whose sum was not shown: a change that was typed and not sent is made first.
      const changes = changedQuantities(form);
      return changes.length === 0
        ? place(visit, parts, entries)
        : change(visit, parts, entries, changes, '', 'cartUpdated');
    }
  }
}

async function inOtherLanguage(visit: Visit, parts: RouteParts, entries: Entries, tag: string): Promise<Answer> {
  const cart = await getCart(visit, parts);
  const locale = readLocale(tag);
  if (locale === undefined) return answer(visit, cart, { entries });
  const shown = answer({ ...visit, localeFor: () => locale, frame: (more) => visit.frame({ ...more, locale }) }, cart, {
    entries,
  });
  return { ...shown, cookies: [localeCookieOf(locale, isSecure(parts.config))] };
}

async function change(
  visit: Visit,
  parts: RouteParts,
  entries: Entries,
  changes: readonly QuantityChange[],
  currency = '',
  told?: Message,
): Promise<Answer> {
  const cartId = cartIdOf(visit);
  if (changes.some((each) => Number.isNaN(each.quantity))) return refuseChanges(visit, parts, entries, changes);
  try {
    const { cart } = await parts.order.changeCart({ cartId, changes: [...changes], currency });
    if (cart === undefined) throw new Refused('internal');
    return answer(visit, cart, {
      entries,
      isSummaryOpen: true,
      ...(told === undefined ? {} : { told: ['info', told] as const }),
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === 'quantity_out_of_range') return refuseChanges(visit, parts, entries, changes);
    if (error.code === 'cart_already_ordered') return goTo(visit.path);
    const message = messages[error.code];
    if (message === undefined) throw error;
    return answer(visit, await getCart(visit, parts), {
      entries,
      told: ['problem', message],
      status: refusals[error.code].http,
    });
  }
}

async function refuseChanges(
  visit: Visit,
  parts: RouteParts,
  entries: Entries,
  changes: readonly QuantityChange[],
): Promise<Answer> {
  const cart = await getCart(visit, parts);
  const refusedChanges = impossibleChanges(changes, cart);
  const told = refusedChanges.length === 0 ? (['problem', 'quantityPlain'] as const) : undefined;
  return answer(visit, cart, {
    entries,
    refusedChanges,
    isSummaryOpen: true,
    status: 422,
    ...(told === undefined ? {} : { told }),
  });
}

async function place(visit: Visit, parts: RouteParts, entries: Entries): Promise<Answer> {
  const cartId = cartIdOf(visit);
  try {
    const placed = await parts.order.placeOrder({
      cartId,
      ...seenBy(visit),
      customer: customerOf(entries),
      paymentMethod: entries.payment_method,
      termsAccepted: entries.terms_accepted,
      privacyAccepted: entries.privacy_accepted,
      locale: visit.localeFor().tag,
      autoRenew: entries.auto_renew,
    });
    const forget = visit.cartId === cartId ? [cartCookieOf('', isSecure(parts.config))] : [];
    return goTo(`/pay/${placed.orderId.toString()}/${placed.token}`, forget);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refuseOrder(visit, parts, entries, error);
  }
}

/** What the customer saw: another cart or another sum is refused. A form without them was not made by our page. */
function seenBy({ form }: Visit): { cartVersion: number; totalMinor: bigint } {
  const version = readQuantity(form['cart_version'] ?? '');
  const total = form['total_minor'] ?? '';
  if (Number.isNaN(version) || !/^\d{1,15}$/.test(total)) throw new Refused('invalid_request');
  return { cartVersion: version, totalMinor: BigInt(total) };
}

/** The catalogue's sentence for what concerns the whole cart. */
const messages: Readonly<Partial<Record<string, Message>>> = {
  cart_changed: 'cartChanged',
  product_not_available: 'notAvailable',
  product_not_found: 'notAvailable',
  currency_not_supported: 'currency',
  quantity_out_of_range: 'quantityPlain',
  conflict_retry: 'tryAgain',
  unavailable: 'tryAgain',
};

type Message =
  | 'cartChanged'
  | 'cartUpdated'
  | 'codeNotValid'
  | 'notAvailable'
  | 'currency'
  | 'quantityPlain'
  | 'tryAgain'
  | 'unexpected';

async function refuseOrder(visit: Visit, parts: RouteParts, entries: Entries, error: Refused): Promise<Answer> {
  if (error.code === 'cart_already_ordered') return goTo(visit.path);
  const { faults, isComplete } = faultsOf(error);
  const message = messages[error.code] ?? (isComplete ? undefined : 'unexpected');
  if (error.code === 'internal' || error.code === 'cart_not_found') throw error;
  const cart = await getCart(visit, parts);
  // The press came through, and only its answer was lost.
  if (error.code === 'unavailable' && cart.orderId !== 0n)
    return goTo(`/pay/${cart.orderId.toString()}/${cart.orderToken}`);
  return answer(visit, cart, {
    entries,
    faults,
    status: refusals[error.code].http,
    isSummaryOpen: message === 'cartChanged' || message === 'notAvailable',
    ...(message === undefined ? {} : { told: ['problem', message] as const }),
  });
}

/** Which fields of the page a refusal means, and whether that says all of it. */
function faultsOf(error: Refused): { faults: readonly Fault[]; isComplete: boolean } {
  const own =
    error.code === 'terms_not_accepted'
      ? 'terms_accepted'
      : error.code === 'privacy_not_accepted'
        ? 'privacy_accepted'
        : undefined;
  const named =
    error.fields.length > 0
      ? error.fields
      : [{ param: error.param ?? own ?? methodParam(error.code), code: error.code }];
  const faults = named.flatMap(({ param, code }) => {
    const field = fieldOf(param);
    return field === undefined ? [] : [{ field, code }];
  });
  return { faults, isComplete: faults.length === named.length };
}

function methodParam(code: string): string {
  return code === 'payment_method_not_supported' ? 'payment_method' : '';
}

interface Shown extends Pick<CheckoutParts, 'entries' | 'faults' | 'refusedChanges' | 'isSummaryOpen'> {
  readonly told?: readonly ['info' | 'problem', Message];
  readonly status?: number;
}

function answer(visit: Visit, cart: Cart, { told, status, ...shown }: Shown): Answer {
  const shop = shopOfCart(cart);
  const locale = visit.localeFor(cart.locale);
  const frame = { ...visit.frame({ locale, isTest: !cart.livemode }), shop };
  const { words } = locale;
  if (cart.orderId !== 0n) {
    const { title, text, link } = words.cartOrdered;
    const href = `/order/status/${cart.orderId.toString()}/${cart.orderToken}`;
    const name = `A${cart.orderId.toString().padStart(10, '0')}`;
    return show(
      messagePage(frame, {
        told: { title, text: text(name) },
        tone: 'good',
        icon: 'check',
        link: { href, text: link },
      }),
    );
  }
  if (cart.lines.length === 0)
    return show(messagePage(frame, { told: words.cartEmpty, tone: 'plain', icon: 'basket' }), status ?? 200);
  const notice = told === undefined ? {} : { notice: { tone: told[0], text: words.problems[told[1]] } };
  return show(
    checkoutPage(frame, checkoutViewOf({ ...shown, ...notice, cart, locale, form: visit.form })),
    status ?? 200,
  );
}

async function getCart(visit: Visit, { order }: RouteParts): Promise<Cart> {
  const { cart } = await order.getCart({ cartId: cartIdOf(visit) });
  if (cart === undefined) throw new Refused('cart_not_found');
  return cart;
}

function cartIdOf(visit: Visit): string {
  const cartId = visit.params['cart'] ?? '';
  if (!isCartId(cartId)) throw new Refused('cart_not_found');
  return cartId;
}
