/** What was agreed on when an order was placed: a snapshot that nothing changes. */
import type { Instrument } from '@tillstream/instrument/instrument';
import type { AdditionalParameter } from './attached.ts';
import type { Customer } from './customer.ts';
import type { SourceKind } from './draft.ts';
import type { Item } from './item.ts';
import type { Renewal } from './subscription/renewal.ts';

/** What was agreed to, in which wording of the page, and when: evidence. */
export interface Consent {
  readonly wording: string;
  readonly termsUrl: string;
  readonly privacyUrl: string;
  readonly at: Date;
}

export interface Placed {
  readonly orderId: bigint;
  /** What the order was placed from. */
  readonly source: SourceKind;
  /** Empty, and 0, when it was not a cart. */
  readonly cartId: string;
  readonly cartVersion: number;
  readonly livemode: boolean;
  readonly createdAt: Date;
  readonly currency: string;
  readonly locale: string;
  readonly token: string;
  readonly shopName: string;
  readonly supportEmail: string;
  readonly timeZone: string;
  readonly customer: Customer;
  readonly items: readonly Item[];
  readonly totalMinor: bigint;
  readonly paymentMethod: string;
  /** What the catalogue of payment methods called it then. */
  readonly paymentSystemName: string;
  /** The customer agreed that what renews by itself is renewed. */
  readonly autoRenew: boolean;
  readonly externalId: string;
  readonly additionalData: readonly AdditionalParameter[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly consent: Consent;
  /** When the customer is reminded while it is unpaid: ISO 8601 durations from its creation (P8). */
  readonly reminders: readonly string[];
  /** Set on a child order. */
  readonly renewal: Renewal | undefined;
}

/** The payment that a document shows. */
export interface PaymentShown {
  readonly paymentId: string;
  readonly status: 'booked' | 'failed';
  /** What it was paid with, which may differ from what was chosen when the order was placed. */
  readonly method: string;
  readonly systemName: string;
  readonly instrument: Instrument | undefined;
  readonly reason: string;
  readonly errorCode: string;
  readonly errorDescription: string;
  /** What was kept of it for renewals, or was charged by it; empty = nothing. */
  readonly instrumentId: string;
}

/** R18: 'A' and ten digits. */
export function orderName(orderId: bigint): string {
  return `A${String(orderId).padStart(10, '0')}`;
}
