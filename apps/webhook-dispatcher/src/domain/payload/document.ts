/** An order as the payload sees it: plain values, so that the builder needs neither protos nor rows. */
export type EventType = 'order.created' | 'order.payment.succeeded' | 'order.payment.failed' | 'product.delivered';

/** What an endpoint can subscribe to. */
export const eventTypes: readonly EventType[] = [
  'order.created',
  'order.payment.succeeded',
  'order.payment.failed',
  'product.delivered',
];

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
}

export interface PaymentPart {
  readonly method: string;
  readonly systemName: string;
  /** Empty when unknown, as the next two. */
  readonly cardType: string;
  readonly cardLast4: string;
  /** MM/YYYY */
  readonly cardExpiration: string;
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
