/**
 * An order: what a customer agreed to buy, and the process of a purchase.
 *
 *   not paid ──(a payment is booked)──▶ paid ──(every item delivered: second axis)──▶ paid, delivered
 *      └──(90 days, or support and the merchant on request)──▶ deleted
 *
 * A failed payment changes nothing: the customer may try again, as often as they like. The customer can never cancel.
 * Delivered is an axis of its own; the status in every message stays `paid` (seed 003). What was agreed on is a
 * snapshot: later edits of the catalogue do not reach it. Money that comes twice, or for a deleted order, is recorded and
 * due for refund; it revives nothing and delivers nothing (D1, R25).
 */
import { accept, ignore, refuse, unreachable, type Decision, type Machine } from '@tillstream/machine/machine';

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
}

export interface Placed {
  readonly orderId: bigint;
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
}

/** The payment that a document shows. */
export interface PaymentShown {
  readonly paymentId: string;
  readonly status: 'booked' | 'failed';
  readonly systemName: string;
  readonly cardType: string;
  readonly cardLast4: string;
  readonly cardExpiration: string;
  readonly reason: string;
  readonly errorCode: string;
  readonly errorDescription: string;
}

export interface Order {
  readonly status: 'not paid' | 'paid' | 'deleted';
  readonly placed: Placed;
  readonly paidAt: Date | undefined;
  readonly payment: PaymentShown | undefined;
  readonly deliveredAt: ReadonlyMap<bigint, Date>;
  readonly refundDue: readonly string[];
}

export type OrderState = { readonly status: 'absent' } | Order;

export type OrderCommand =
  | { readonly type: 'place'; readonly placed: Placed }
  | { readonly type: 'recordPaymentFailed'; readonly payment: PaymentShown }
  | {
      readonly type: 'recordPayment';
      readonly payment: PaymentShown;
      readonly amountMinor: bigint;
      readonly currency: string;
      readonly at: Date;
    }
  | { readonly type: 'recordItemDelivered'; readonly itemId: bigint; readonly at: Date }
  | { readonly type: 'delete'; readonly reason: DeletionReason };

export type DeletionReason = 'unpaid_too_long' | 'by_merchant';

export type OrderEvent =
  | { readonly type: 'orderCreated'; readonly placed: Placed }
  | { readonly type: 'orderPaymentFailed'; readonly payment: PaymentShown }
  | { readonly type: 'orderPaid'; readonly payment: PaymentShown; readonly at: Date }
  | { readonly type: 'orderPaidAgain'; readonly paymentId: string }
  | { readonly type: 'orderPaidLate'; readonly paymentId: string }
  | { readonly type: 'orderItemDelivered'; readonly itemId: bigint; readonly at: Date }
  | { readonly type: 'orderDelivered' }
  | { readonly type: 'orderDeleted'; readonly reason: DeletionReason };

export type OrderRefusal =
  | 'order_not_found'
  | 'order_already_paid'
  | 'order_deleted'
  | 'order_not_paid'
  | 'amount_mismatch'
  | 'cart_empty';

export const order: Machine<OrderState, OrderCommand, OrderEvent, OrderRefusal> = {
  absent: { status: 'absent' },
  decide,
  evolve,
};

type Decided = Decision<OrderEvent, OrderRefusal>;

function decide(state: OrderState, command: OrderCommand): Decided {
  if (state.status === 'absent') {
    if (command.type !== 'place') return refuse('order_not_found');
    return command.placed.items.length === 0
      ? refuse('cart_empty')
      : accept({ type: 'orderCreated', placed: command.placed });
  }
  switch (command.type) {
    case 'place':
      return ignore('it is placed');
    case 'recordPaymentFailed':
      // A failure that arrives after another payment succeeded is old news.
      if (state.status !== 'not paid') return ignore(`the order is ${state.status}`);
      return state.payment?.paymentId === command.payment.paymentId
        ? ignore('this failure is known')
        : accept({ type: 'orderPaymentFailed', payment: command.payment });
    case 'recordPayment':
      return decidePayment(state, command);
    case 'recordItemDelivered':
      return decideDelivered(state, command.itemId, command.at);
    case 'delete':
      if (state.status === 'deleted') return ignore('it is deleted');
      return state.status === 'paid'
        ? refuse('order_already_paid')
        : accept({ type: 'orderDeleted', reason: command.reason });
    default:
      return unreachable(command);
  }
}

function decidePayment(state: Order, command: Extract<OrderCommand, { type: 'recordPayment' }>): Decided {
  const { payment, at } = command;
  if (state.payment?.status === 'booked' && state.payment.paymentId === payment.paymentId)
    return ignore('it is paid by this payment');
  if (state.refundDue.includes(payment.paymentId)) return ignore('this payment is due for refund');
  if (state.status === 'deleted') return accept({ type: 'orderPaidLate', paymentId: payment.paymentId });
  if (state.status === 'paid') return accept({ type: 'orderPaidAgain', paymentId: payment.paymentId });
  if (command.amountMinor !== state.placed.totalMinor || command.currency !== state.placed.currency)
    return refuse('amount_mismatch');
  return accept({ type: 'orderPaid', payment, at });
}

function decideDelivered(state: Order, itemId: bigint, at: Date): Decided {
  if (state.status !== 'paid') return refuse('order_not_paid');
  if (!state.placed.items.some((item) => item.id === itemId)) return refuse('order_not_found');
  if (state.deliveredAt.has(itemId)) return ignore('the item is delivered');
  const isLast = state.deliveredAt.size + 1 === state.placed.items.length;
  const delivered: OrderEvent = { type: 'orderItemDelivered', itemId, at };
  return isLast ? accept<OrderEvent>(delivered, { type: 'orderDelivered' }) : accept(delivered);
}

function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (event.type === 'orderCreated') {
    return {
      status: 'not paid',
      placed: event.placed,
      paidAt: undefined,
      payment: undefined,
      deliveredAt: new Map(),
      refundDue: [],
    };
  }
  if (state.status === 'absent') throw new Error(`${event.type} of an order that does not exist`);
  switch (event.type) {
    case 'orderPaymentFailed':
      return { ...state, payment: event.payment };
    case 'orderPaid':
      return { ...state, status: 'paid', paidAt: event.at, payment: event.payment };
    case 'orderPaidAgain':
    case 'orderPaidLate':
      return { ...state, refundDue: [...state.refundDue, event.paymentId] };
    case 'orderItemDelivered':
      return { ...state, deliveredAt: new Map([...state.deliveredAt, [event.itemId, event.at]]) };
    case 'orderDelivered':
      return state;
    case 'orderDeleted':
      return { ...state, status: 'deleted' };
    default:
      return unreachable(event);
  }
}

/** The second axis: delivered when every item is (R37). */
export function fulfilmentOf(state: Order): 'not delivered' | 'delivered' {
  return state.status !== 'not paid' && state.deliveredAt.size === state.placed.items.length
    ? 'delivered'
    : 'not delivered';
}

/** R18: 'A' and ten digits. */
export function orderName(orderId: bigint): string {
  return `A${String(orderId).padStart(10, '0')}`;
}
