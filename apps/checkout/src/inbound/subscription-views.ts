/** Subscriptions in words: on the page of the parent order, on the pages of its renewals, and after a purchase. */
import { formatMinor } from '@tillstream/money/money';
import type { OpenOrderResponse, Order, OrderItem } from '@tillstream/proto/order/v1/order_api';
import type { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { extendedTo, isTrial, renewsByItself } from '../domain/terms.ts';
import type { ChildView, SubscriptionView } from '../pages/renewal-view.ts';
import type { Tone } from '../pages/parts.ts';
import { formatDay, type Locale } from '../words/locale.ts';
import { everyText, priceText } from './terms-views.ts';

/** Where a subscription is cancelled and restored. */
export const sectionId = 'autorenewal';

/** Those of a parent order. What the subscription service does not say, now or yet, is shown as the order knows it. */
export function subscriptionViewsOf(opened: OpenOrderResponse, order: Order, locale: Locale): SubscriptionView[] {
  if (order.renewsSubscriptionId !== '') return [];
  const known = opened.subscriptions.map((each) => subscriptionView(each, locale));
  const others = order.items.filter(
    ({ subscription }) => subscription !== undefined && !known.some((each) => each.id === subscription.id),
  );
  return [...known, ...others.map((item) => knownToOrder(item, order, locale))];
}

function subscriptionView(found: Subscription, locale: Locale): SubscriptionView {
  const words = locale.words.renewal;
  const { section, changed } = words;
  const name = found.productName;
  const day = (at: Date | undefined) => (at === undefined ? '' : formatDay(at, locale, found.timeZone));
  const sum = formatMinor(found.renewalAmountMinor, found.currency, locale.tag);
  const isCancelled = found.status === 'cancelled';
  const [tone, state, text] = stateOf(found, locale);
  const next = isCancelled || found.nextChargeAt === undefined ? '' : section.onDay(sum, day(found.nextChargeAt));
  const facts = [
    { name: section.accessUntil, value: day(found.expiresAt) },
    { name: renewsByItself(found) ? section.nextCharge : section.nextOrder, value: next },
    { name: section.price, value: isCancelled ? '' : priceText(sum, found, locale) },
    { name: section.cancelledOn, value: isCancelled ? day(found.cancelledAt) : '' },
  ].filter((fact) => fact.value !== '');
  return {
    id: found.id,
    name,
    tone,
    state,
    text,
    facts,
    note: isCancelled && !found.canRestore ? section.notRestorable : '',
    canCancel: !isCancelled,
    canRestore: isCancelled && found.canRestore,
    ending: endingOf(found, locale),
    changed: isCancelled
      ? changed.cancelled(name, day(found.expiresAt))
      : found.status === 'active'
        ? changed.active(name)
        : changed.notPaid(name),
  };
}

function stateOf(found: Subscription, locale: Locale): readonly [tone: Tone, state: string, text: string] {
  const { section } = locale.words.renewal;
  const { states } = section;
  switch (found.status) {
    case 'active':
      if (found.isInTrial) return ['good', states.trial, section.trial];
      return ['good', states.active, renewsByItself(found) ? section.renews : section.byHand];
    case 'cancelled': {
      const by = { merchant: section.cancelledBySeller, refund: section.cancelledByRefund };
      const text =
        found.cancelledBy === 'merchant' || found.cancelledBy === 'refund' ? by[found.cancelledBy] : undefined;
      return ['plain', states.cancelled, text ?? section.cancelled];
    }
    case 'not paid':
      return ['wait', states.notPaid, unpaidText(found, locale)];
    default:
      // A newer service has a word that these pages do not know.
      return ['plain', found.status, ''];
  }
}

function unpaidText(found: Subscription, { words }: Locale): string {
  const { section } = words.renewal;
  if (found.openOrderId === 0n) return section.gone;
  if (!renewsByItself(found)) return section.open;
  return found.nextChargeAt === undefined ? section.noTry : section.tryAgain;
}

/** What follows from cancelling it now. */
function endingOf(found: Subscription, locale: Locale): readonly string[] {
  const { cancelling } = locale.words.renewal;
  const isCharged = renewsByItself(found);
  const isRunning = found.status === 'active' || found.nextChargeAt !== undefined;
  const until = found.expiresAt === undefined ? '' : formatDay(found.expiresAt, locale, found.timeZone);
  return [
    isCharged ? cancelling.noCharges : cancelling.noOrders,
    accessText(found, isRunning, until, locale),
    // A charge that was asked for goes on (docs/states): then that term is paid, and the subscription stays cancelled.
    ...(found.openOrderId === 0n ? [] : [cancelling.underWay]),
    ...(isCharged ? (isRunning ? [cancelling.restorable] : []) : [cancelling.notRestorable]),
  ];
}

/** With no charge planned the paid time may be over: these pages do not know the merchant's time. */
function accessText(found: Subscription, isRunning: boolean, until: string, { words }: Locale): string {
  const { cancelling } = words.renewal;
  if (!isRunning) return cancelling.paidAccess(until);
  return found.isInTrial ? cancelling.freeAccess(until) : cancelling.access(until);
}

function knownToOrder(item: OrderItem, order: Order, locale: Locale): SubscriptionView {
  const { section } = locale.words.renewal;
  const { subscription } = item;
  const day = (at: Date | undefined) => (at === undefined ? '' : formatDay(at, locale, order.timeZone));
  const isCancelled = subscription?.status === 'cancelled';
  return {
    id: subscription?.id ?? '',
    name: item.name,
    tone: isCancelled ? 'plain' : 'good',
    state: isCancelled ? section.states.cancelled : section.states.active,
    text: isCancelled ? section.cancelled : renewsByItself(subscription) ? section.renews : section.byHand,
    facts: [{ name: section.accessUntil, value: day(subscription?.expiresAt) }],
    note: section.unavailable,
    canCancel: false,
    canRestore: false,
    ending: [],
    changed: '',
  };
}

/** What a renewal's own pages say of the subscription. `now` is the wall's clock: it matters for late payments only. */
export function childOf(order: Order, now: Date, locale: Locale): ChildView | undefined {
  const item = order.items.find((each) => each.subscription !== undefined);
  const running = item?.subscription;
  if (order.renewsSubscriptionId === '' || item === undefined || running?.expiresAt === undefined) return undefined;
  const { child } = locale.words.renewal;
  const day = (at: Date) => formatDay(at, locale, order.timeZone);
  const href = URL.canParse(running.detailUrl) && /^https?:/.test(running.detailUrl) ? running.detailUrl : '';
  if (order.status === 'paid') return { text: child.extended(item.name, day(running.expiresAt)), href };
  // A merchant's test clock may be far ahead of ours, but never before the order was made.
  const paidAt = order.createdAt !== undefined && order.createdAt > now ? order.createdAt : now;
  const until = extendedTo({ period: running.period, timeZone: order.timeZone }, running, paidAt);
  return { text: child.extends(item.name, day(running.expiresAt), day(until)), href };
}

/** After the payment: what renews, when, and for how much; and that nothing does where it might have. */
export function goesOnOf(order: Order, locale: Locale): readonly string[] {
  if (order.status !== 'paid') return [];
  const { thanks, terms: said } = locale.words.renewal;
  return order.items.flatMap((item): string[] => {
    const { subscriptionTerms: terms, subscription: begun, name } = item;
    if (begun?.expiresAt === undefined) return renewsByItself(terms) ? [thanks.once(name)] : [];
    const end = formatDay(begun.expiresAt, locale, order.timeZone);
    if (begun.status === 'cancelled') return [thanks.ends(name, end)];
    if (!renewsByItself(begun) || terms === undefined || begun.nextChargeAt === undefined)
      return [thanks.byHand(name, end)];
    const sum = formatMinor(terms.renewalAmountMinor, order.currency, locale.tag);
    const day = formatDay(begun.nextChargeAt, locale, order.timeZone);
    const price = said.renews(sum, everyText(terms.period, locale));
    const isFirst = isTrial(begun) && begun.term === 1;
    const text = isFirst ? thanks.trial(name, end, day, price) : thanks.renews(name, day, price);
    return [terms.renewalPrice === 'current' ? `${text} ${said.mayChange}` : text];
  });
}
