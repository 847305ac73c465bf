/** What was agreed on when an order was placed: a snapshot that nothing changes. */
import type { Instrument } from '@tillstream/instrument/instrument';
import type { Renewal } from './subscription/child.ts';

export interface Customer {
  readonly country: string;
  readonly type: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly phone: string;
  readonly vatNumber: string;
  readonly companyName: string;
  readonly companyBillingAddress: string;
  readonly companyDeliveryAddress: string;
}

/** Renews by itself, the same with a free first term, or is paid by hand each time. */
export type PlanType = 'AR' | 'AR_TRIAL' | 'PMR';

export interface SubscriptionTerms {
  readonly type: PlanType;
  /** ISO 8601 of one unit. */
  readonly period: string;
  /** Of the free first term; empty unless AR_TRIAL. */
  readonly trialPeriod: string;
  /** Per unit, for each term after the first, while the price is a snapshot. */
  readonly renewalPriceMinor: bigint;
  readonly renewalPrice: 'snapshot' | 'current';
}

export interface Item {
  readonly id: bigint;
  readonly productId: string;
  readonly name: string;
  readonly familyName: string;
  readonly vendorCode: string;
  readonly sku: string;
  readonly businessSegment: string;
  readonly priceMinor: bigint;
  readonly quantity: number;
  readonly discountMinor: bigint;
  readonly vatMinor: bigint;
  readonly amountMinor: bigint;
  readonly marginMinor: bigint;
  readonly deliveryMethod: string;
  readonly oneCodePer: string;
  readonly sendMail: boolean;
  readonly showOnOrderPage: boolean;
  /** Undefined when it does not renew. */
  readonly terms: SubscriptionTerms | undefined;
}

export interface Placed {
  readonly orderId: bigint;
  /** Empty on a child order. */
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
  readonly additionalData: readonly { readonly name: string; readonly value: string }[];
  readonly metadata: Readonly<Record<string, string>>;
  /** What was agreed to, in which wording of the page, and when: evidence. */
  readonly consent: {
    readonly wording: string;
    readonly termsUrl: string;
    readonly privacyUrl: string;
    readonly at: Date;
  };
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
