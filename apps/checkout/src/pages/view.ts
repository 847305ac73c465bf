/** What a page is told: only text that is ready to be read. No page asks anybody, counts or decides. */
import type { Entries, Field } from '../domain/entries.ts';
import type { Phase } from '../domain/phase.ts';
import type { Locale } from '../words/locale.ts';
import type { ChildView, MethodView, PayConsent, RenewalView, SubscriptionView, TermsView } from './renewal-view.ts';

export interface Shop {
  readonly name: string;
  readonly supportEmail: string;
  readonly supportUrl: string;
  readonly termsUrl: string;
  readonly privacyUrl: string;
}

/** What every page has around it. */
export interface Frame {
  readonly locale: Locale;
  /** Of this answer alone; what has another one does not run. */
  readonly nonce: string;
  /** The path of the page, for the links that change its language. */
  readonly path: string;
  readonly assets: { readonly style: string; readonly script: string };
  readonly shop?: Shop;
  readonly isTest: boolean;
}

export interface LineView {
  readonly productId: string;
  readonly name: string;
  readonly family: string;
  readonly description: string;
  /** https only; empty = none. */
  readonly imageUrl: string;
  readonly quantity: number;
  readonly minQuantity: number;
  readonly maxQuantity: number;
  readonly price: string;
  readonly amount: string;
  /** How it renews; empty when it does not. */
  readonly terms: string;
  /** What was entered and refused, instead of the quantity. */
  readonly entered?: string;
  readonly problem?: string;
}

export interface CartView {
  readonly id: string;
  readonly version: number;
  readonly lines: readonly LineView[];
  readonly total: string;
  /** The same sum in minor units, posted back with the order: it is what the customer saw. */
  readonly totalMinor: string;
  readonly currency: string;
  readonly currencies: readonly string[];
}

export interface CheckoutView {
  readonly cart: CartView;
  readonly entries: Entries;
  /** A sentence for each field that was refused, in the order of the page. */
  readonly problems: readonly { readonly field: Field; readonly text: string }[];
  /** What happened to the page as a whole. */
  readonly notice?: { readonly tone: 'info' | 'problem'; readonly text: string };
  readonly methods: readonly MethodView[];
  /** Absent when nothing renews by itself. */
  readonly renewal?: RenewalView;
  /** What is paid anew by hand. */
  readonly byHand: readonly TermsView[];
  /** What the button says: the sum and that ordering obliges to pay it; and the sentence under it. */
  readonly place: { readonly text: string; readonly hint: string };
  readonly countries: readonly { readonly code: string; readonly name: string }[];
  /** The summary is open on small screens, because its content is what changed. */
  readonly isSummaryOpen: boolean;
}

export interface ItemView {
  readonly id: string;
  readonly name: string;
  readonly family: string;
  readonly quantity: number;
  readonly price: string;
  readonly amount: string;
  readonly terms: string;
  readonly isDelivered: boolean;
  readonly codes: readonly string[];
}

export interface OrderView {
  readonly id: string;
  readonly token: string;
  readonly name: string;
  readonly phase: Phase;
  readonly placedAt: string;
  readonly paidAt: string;
  readonly email: string;
  readonly items: readonly ItemView[];
  readonly total: string;
  /** Nothing is charged now; the card is kept for later. */
  readonly isFreeNow: boolean;
  /** A method as people call it: "Visa ending in 4242". */
  readonly method: string;
  /** The code of the method of the payment that was begun last; empty when none was. */
  readonly begunMethod: string;
  /** How long its page stays open when nobody begins to pay; 0 = it does not expire. */
  readonly expiryMinutes: number;
  /** The code of the method to offer first, and all there are. */
  readonly chosenMethod: string;
  readonly methods: readonly MethodView[];
  /** What paying agrees to, when something may renew by itself. */
  readonly consent?: PayConsent;
  /** Set when it renews a subscription. */
  readonly child?: ChildView;
  /** Of a parent order. */
  readonly subscriptions: readonly SubscriptionView[];
  /** How what was bought goes on, a sentence each; and where it is managed. */
  readonly goesOn: readonly string[];
  readonly manageAt: string;
  /** Empty = no payment was begun. */
  readonly paymentStatus: string;
  /** Only after a failure: why, and whether money moved, as sentences. */
  readonly reason: string;
  readonly money: string;
}
