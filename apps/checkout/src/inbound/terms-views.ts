/** How what renews is agreed on, in words: on the checkout page and on the payment page. */
import { formatMinor } from '@tillstream/money/money';
import { readPeriod } from '@tillstream/calendar/period';
import type { Cart, Order, PaymentMethod, SubscriptionTerms } from '@tillstream/proto/order/v1/order_api';
import { daysFromChargeToEnd, isTrial, renewsByItself } from '../domain/terms.ts';
import type { MethodView, PayConsent, RenewalView, TermsView } from '../pages/renewal-view.ts';
import type { CheckoutView } from '../pages/view.ts';
import type { Locale } from '../words/locale.ts';

/** What pages say of a payment method. */
interface MethodText {
  readonly name: string;
  readonly hint: string;
}

/** What somebody buys of one product. */
interface Bought {
  readonly name: string;
  readonly terms: SubscriptionTerms;
}

/** "every month", "for one month". Throws on what is no period: nobody is sold what cannot be said. */
export function everyText(period: string, { words }: Locale): string {
  const { unit, count } = periodOf(period);
  return words.renewal.every[unit](count);
}

export function spanText(period: string, { words }: Locale): string {
  const { unit, count } = periodOf(period);
  return words.renewal.span[unit](count);
}

function periodOf(text: string) {
  const period = readPeriod(text);
  if (period === undefined) throw new Error(`${text} is not a period`);
  return period;
}

/** "EUR 49.00 every month", and what is to be known about that price. */
export function priceText(
  sum: string,
  terms: Pick<SubscriptionTerms, 'period' | 'renewalPrice'>,
  locale: Locale,
): string {
  return withNews(locale.words.renewal.terms.renews(sum, everyText(terms.period, locale)), terms, locale);
}

function withNews(text: string, { renewalPrice }: Pick<SubscriptionTerms, 'renewalPrice'>, { words }: Locale): string {
  return renewalPrice === 'current' ? `${text.replace(/\.$/, '')}. ${words.renewal.terms.mayChange}` : text;
}

/** The terms of a line, as its product renews when it does. */
export function lineTerms(bought: Bought | undefined, currency: string, locale: Locale): string {
  if (bought === undefined) return '';
  const text = plainTerms(bought, currency, locale);
  return renewsByItself(bought.terms) ? withNews(text, bought.terms, locale) : text;
}

function plainTerms({ terms }: Bought, currency: string, locale: Locale): string {
  const words = locale.words.renewal.terms;
  const sum = formatMinor(terms.renewalAmountMinor, currency, locale.tag);
  if (!renewsByItself(terms)) return words.byHand(sum, spanText(terms.period, locale));
  const every = everyText(terms.period, locale);
  return isTrial(terms) ? words.trial(spanText(terms.trialPeriod, locale), sum, every) : words.renews(sum, every);
}

function termsView(bought: Bought, currency: string, locale: Locale): TermsView {
  const { charged } = locale.words.renewal;
  const days = daysFromChargeToEnd(bought.terms);
  const first = isTrial(bought.terms) ? charged.afterTrial(days) : charged.again(days);
  const news = bought.terms.renewalPrice === 'current' ? ` ${locale.words.renewal.terms.mayChange}` : '';
  return { name: bought.name, terms: plainTerms(bought, currency, locale), charged: `${first}${news}` };
}

const renewing = (lines: readonly { name: string; terms: SubscriptionTerms | undefined }[]) =>
  lines.flatMap(({ name, terms }): Bought[] => (terms !== undefined && renewsByItself(terms) ? [{ name, terms }] : []));

export function renewalOf(cart: Cart, locale: Locale): RenewalView | undefined {
  const consent = cart.renewalConsent;
  if (consent !== 'switch' && consent !== 'implicit') return undefined;
  const bought = renewing(cart.lines.map(({ subscription, ...line }) => ({ ...line, terms: subscription })));
  return {
    consent,
    isTrial: bought.some(({ terms }) => isTrial(terms)),
    terms: bought.map((each) => termsView(each, cart.currency, locale)),
  };
}

/** What the customer pays for anew each time, which no consent mentions. */
export function byHandOf(cart: Cart, locale: Locale): readonly TermsView[] {
  return cart.lines.flatMap(({ name, subscription: terms }) =>
    terms === undefined || renewsByItself(terms)
      ? []
      : [{ name, terms: plainTerms({ name, terms }, cart.currency, locale), charged: '' }],
  );
}

/** The methods with what is different about each. `note` is for those that cannot renew. */
export function methodViews(methods: readonly PaymentMethod[], note: string, locale: Locale): readonly MethodView[] {
  return methods.map((method) => ({
    code: method.code,
    kind: method.kind,
    name: methodName(method, locale),
    hint: textOf(method, locale)?.hint ?? '',
    note: method.canRenew ? '' : note,
    canRenew: method.canRenew,
  }));
}

/** A method that is younger than these words is shown as documents call it. */
export function methodName(method: PaymentMethod, locale: Locale): string {
  return textOf(method, locale)?.name ?? (method.systemName || method.code);
}

/** The words of its text key in the catalogue of payment methods. */
function textOf({ textKey }: PaymentMethod, { words }: Locale): MethodText | undefined {
  const texts: Readonly<Record<string, MethodText>> = words.renewal.methods.texts;
  return Object.hasOwn(texts, textKey) ? texts[textKey] : undefined;
}

/** The button that orders. A free first term is ordered with the obligation to pay the terms after it. */
export function placeOf(cart: Cart, locale: Locale): CheckoutView['place'] {
  const { words } = locale;
  const sum = formatMinor(cart.totalMinor, cart.currency, locale.tag);
  const [first, ...others] = cart.lines.flatMap((line) =>
    line.subscription !== undefined && isTrial(line.subscription) ? [line.subscription] : [],
  );
  if (cart.totalMinor !== 0n || first === undefined)
    return { text: words.checkout.place(sum), hint: words.checkout.placeHint };
  const later = formatMinor(first.renewalAmountMinor, cart.currency, locale.tag);
  const { place, terms: said } = words.renewal;
  return {
    text: others.length > 0 ? place.trials(sum) : place.trial(sum, said.renews(later, everyText(first.period, locale))),
    hint: place.hint,
  };
}

/** What a payment of this order agrees to; undefined when nothing of it could renew by itself. */
export function payConsentOf(order: Order, locale: Locale): PayConsent | undefined {
  const { pay } = locale.words.renewal;
  const bought = renewing(order.items.map((item) => ({ ...item, terms: item.subscriptionTerms })));
  if (bought.length === 0) return undefined;
  if (!order.autoRenew || !order.paymentMethods.some((method) => method.canRenew)) return { lead: pay.once, terms: [] };
  if (order.renewsSubscriptionId !== '') {
    // The free term of a trial is over when a renewal is paid; when it is charged next is decided by this payment.
    const terms = bought.map(({ name, terms: agreed }) => {
      const sum = formatMinor(agreed.renewalAmountMinor, order.currency, locale.tag);
      return { name, terms: priceText(sum, agreed, locale), charged: '' };
    });
    return { lead: pay.newCard, terms };
  }
  const lead = order.totalMinor === 0n ? pay.savedTrial : pay.saved;
  return { lead, terms: bought.map((each) => termsView(each, order.currency, locale)) };
}

/** What is said of methods that cannot renew, where that makes a difference. */
export function methodNoteOf(order: Order, consent: PayConsent | undefined, { words }: Locale): string {
  if (consent === undefined || consent.terms.length === 0) return '';
  return order.renewsSubscriptionId === '' ? words.renewal.methods.cannotRenew : words.renewal.methods.thisTerm;
}
