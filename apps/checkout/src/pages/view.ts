/** What a page is told: only text that is ready to be read. No page asks anybody, counts or decides. */
import type { Entries, Field } from '../domain/entries.ts';
import type { Phase } from '../domain/phase.ts';
import type { Locale } from '../words/locale.ts';

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
  /** A method as people call it: "Visa ending in 4242". */
  readonly method: string;
  /** Empty = no payment was begun. */
  readonly paymentStatus: string;
  /** Only after a failure: why, and whether money moved, as sentences. */
  readonly reason: string;
  readonly money: string;
}
