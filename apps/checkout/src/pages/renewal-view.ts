/** What pages are told about what renews. */
import type { Tone } from './parts.ts';

export interface MethodView {
  readonly code: string;
  /** card, bank, transfer, wallet, crypto */
  readonly kind: string;
  readonly name: string;
  readonly hint: string;
  /** What is different with this method, when something is. */
  readonly note: string;
  readonly canRenew: boolean;
}

/** One thing that is charged again: what it costs how often, and when for the first time. */
export interface TermsView {
  readonly name: string;
  readonly terms: string;
  readonly charged: string;
}

export interface RenewalView {
  /** switch: a box to tick. implicit: said beside the button. */
  readonly consent: 'switch' | 'implicit';
  readonly isTrial: boolean;
  readonly terms: readonly TermsView[];
}

/** What the payment page says that a payment agrees to; without terms it says that nothing renews. */
export interface PayConsent {
  readonly lead: string;
  readonly terms: readonly TermsView[];
}

export interface ChildView {
  readonly text: string;
  /** The page of the parent order; empty when it is not known. */
  readonly href: string;
}

export interface SubscriptionView {
  readonly id: string;
  readonly name: string;
  readonly tone: Tone;
  readonly state: string;
  readonly text: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly note: string;
  readonly canCancel: boolean;
  readonly canRestore: boolean;
  /** What cancelling does, a sentence each. */
  readonly ending: readonly string[];
  /** What a change has made of it. */
  readonly changed: string;
}
