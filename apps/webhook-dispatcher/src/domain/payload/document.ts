/** An order as the payload sees it: plain values, so that the builder needs neither protos nor rows. */
import type { Instrument } from '@tillstream/instrument/instrument';

/** The types of which the profile `seed` has a document. */
export const seedEventTypes = [
  'order.created',
  'order.payment.succeeded',
  'order.payment.failed',
  'product.delivered',
  'subscription.cancelled',
  'subscription.restored',
] as const;

export type SeedEventType = (typeof seedEventTypes)[number];

export interface CustomerPart {
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

export interface ProductPart {
  readonly itemId: bigint;
  readonly productId: string;
  readonly vendorCode: string;
  readonly sku: string;
  readonly businessSegment: string;
  readonly name: string;
  readonly priceMinor: bigint;
  readonly quantity: number;
  readonly discountMinor: bigint;
  readonly vatMinor: bigint;
  readonly amountMinor: bigint;
  readonly marginMinor: bigint;
  /** Its licences were handed out. */
  readonly isDelivered: boolean;
  /** Undefined until there is one: on a parent from its payment on, on a child always (R73). */
  readonly subscription: SubscriptionPart | undefined;
}

export interface SubscriptionPart {
  /** {parent order id}_{parent order item id} (D4) */
  readonly id: string;
  /** 0 on the parent, as the next. */
  readonly previousOrderId: bigint;
  readonly previousItemId: bigint;
  /** AR, AR_TRIAL, PMR */
  readonly type: string;
  readonly isConversionFromTrial: boolean;
  /** not paid, active, cancelled */
  readonly status: string;
  readonly period: string;
  readonly expiresAt: Date;
  readonly nextChargeAt: Date | undefined;
  readonly detailUrl: string;
}

export interface PaymentPart {
  readonly method: string;
  readonly systemName: string;
  readonly instrument: Instrument | undefined;
  readonly errorCode: string;
  readonly errorDescription: string;
}

export interface OrderDocument {
  readonly orderId: bigint;
  readonly orderName: string;
  readonly status: string;
  readonly externalId: string;
  readonly createdAt: Date;
  readonly paidAt: Date | undefined;
  readonly currency: string;
  /** BCP 47. */
  readonly locale: string;
  readonly detailUrl: string;
  /** IANA. */
  readonly timeZone: string;
  readonly customer: CustomerPart;
  readonly items: readonly ProductPart[];
  readonly payment: PaymentPart;
  readonly additionalData: readonly { readonly name: string; readonly value: string }[];
}
