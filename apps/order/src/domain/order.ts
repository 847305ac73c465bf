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
 *
 * What renews begins with the payment of the parent, never with its creation; a child pays one further term. What becomes
 * of a subscription between its payments is decided in the subscription service and noted here for the documents.
 */
import { accept, ignore, refuse, unreachable, type Decision, type Machine } from '@tillstream/machine/machine';
import type { PaymentShown, Placed } from './placed.ts';
import { isTooLateToRemind } from './reminders.ts';
import {
  nextChargeAfterFailure,
  shownAtCreation,
  shownWhenPaid,
  termsPaid,
  withNextCharge,
  withNote,
  type ItemSubscription,
  type PaidTerm,
  type SubscriptionNote,
} from './subscription/subscription.ts';

export interface Order {
  readonly status: 'not paid' | 'paid' | 'deleted';
  readonly placed: Placed;
  readonly paidAt: Date | undefined;
  readonly payment: PaymentShown | undefined;
  readonly deliveredAt: ReadonlyMap<bigint, Date>;
  readonly refundDue: readonly string[];
  /** By item: on a parent from its payment on, on a child always. */
  readonly subscriptions: ReadonlyMap<bigint, ItemSubscription>;
  readonly reminded: readonly number[];
  /** The requests that had the licences sent again; '' for one that named none. */
  readonly resends: readonly string[];
}

export type OrderState = { readonly status: 'absent' } | Order;

export interface SubscriptionNews {
  readonly subscriptionId: string;
  readonly change: 'cancelled' | 'restored';
  /** Of the subscription: what it is after the change. */
  readonly status: SubscriptionNote['status'];
  readonly expiresAt: Date | undefined;
  readonly nextChargeAt: Date | undefined;
}

export type OrderCommand =
  | { readonly type: 'place'; readonly placed: Placed }
  | { readonly type: 'recordPaymentFailed'; readonly payment: PaymentShown; readonly at: Date }
  | {
      readonly type: 'recordPayment';
      readonly payment: PaymentShown;
      readonly amountMinor: bigint;
      readonly currency: string;
      readonly at: Date;
    }
  | { readonly type: 'recordItemDelivered'; readonly itemId: bigint; readonly at: Date }
  | { readonly type: 'recordSubscription'; readonly news: SubscriptionNews }
  | {
      readonly type: 'remind';
      readonly number: number;
      readonly dueAt: Date;
      readonly at: Date;
      /** The merchant's policy as it is now: it may have been switched off since the order was placed. */
      readonly isWanted: boolean;
    }
  | { readonly type: 'resendLicences'; readonly requestId: string }
  | { readonly type: 'delete'; readonly reason: DeletionReason };

export type DeletionReason = 'unpaid_too_long' | 'by_merchant';

export type OrderEvent =
  | { readonly type: 'orderCreated'; readonly placed: Placed }
  | {
      readonly type: 'orderPaymentFailed';
      readonly payment: PaymentShown;
      /** On a child: the next planned charge. */
      readonly nextChargeAt: Date | undefined;
    }
  | {
      readonly type: 'orderPaid';
      readonly payment: PaymentShown;
      readonly at: Date;
      readonly terms: readonly PaidTerm[];
    }
  | { readonly type: 'orderPaidAgain'; readonly paymentId: string }
  | { readonly type: 'orderPaidLate'; readonly paymentId: string }
  | { readonly type: 'orderItemDelivered'; readonly itemId: bigint; readonly at: Date }
  | { readonly type: 'orderDelivered' }
  | { readonly type: 'orderDeleted'; readonly reason: DeletionReason }
  | { readonly type: 'orderReminderDue'; readonly number: number }
  | {
      readonly type: 'orderLicencesAsked';
      readonly itemIds: readonly bigint[];
      readonly number: number;
      readonly requestId: string;
    }
  | { readonly type: 'orderSubscriptionCancelled'; readonly note: SubscriptionNote }
  | { readonly type: 'orderSubscriptionRestored'; readonly note: SubscriptionNote }
  | { readonly type: 'orderSubscriptionNoted'; readonly note: SubscriptionNote };

export type OrderRefusal =
  | 'order_not_found'
  | 'order_already_paid'
  | 'order_deleted'
  | 'order_not_paid'
  | 'amount_mismatch'
  | 'subscription_not_found'
  | 'too_many_resends'
  | 'cart_empty';

export const order: Machine<OrderState, OrderCommand, OrderEvent, OrderRefusal> = {
  absent: { status: 'absent' },
  decide,
  evolve,
};

type Decided = Decision<OrderEvent, OrderRefusal>;
type Asked<Type extends OrderCommand['type']> = Extract<OrderCommand, { type: Type }>;

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
      return decideFailure(state, command);
    case 'recordPayment':
      return decidePayment(state, command);
    case 'recordItemDelivered':
      return decideDelivered(state, command.itemId, command.at);
    case 'recordSubscription':
      return decideSubscription(state, command.news);
    case 'remind':
      return decideReminder(state, command);
    case 'resendLicences':
      return decideResend(state, command.requestId);
    case 'delete':
      if (state.status === 'deleted') return ignore('it is deleted');
      return state.status === 'paid'
        ? refuse('order_already_paid')
        : accept({ type: 'orderDeleted', reason: command.reason });
    default:
      return unreachable(command);
  }
}

function decideFailure(state: Order, { payment, at }: Asked<'recordPaymentFailed'>): Decided {
  // A failure that arrives after another payment succeeded is old news.
  if (state.status !== 'not paid') return ignore(`the order is ${state.status}`);
  if (state.payment?.paymentId === payment.paymentId) return ignore('this failure is known');
  return accept({ type: 'orderPaymentFailed', payment, nextChargeAt: nextChargeAfterFailure(state.placed, at) });
}

function decidePayment(state: Order, command: Asked<'recordPayment'>): Decided {
  const { payment, at } = command;
  if (state.payment?.status === 'booked' && state.payment.paymentId === payment.paymentId)
    return ignore('it is paid by this payment');
  if (state.refundDue.includes(payment.paymentId)) return ignore('this payment is due for refund');
  if (state.status === 'deleted') return accept({ type: 'orderPaidLate', paymentId: payment.paymentId });
  if (state.status === 'paid') return accept({ type: 'orderPaidAgain', paymentId: payment.paymentId });
  if (command.amountMinor !== state.placed.totalMinor || command.currency !== state.placed.currency)
    return refuse('amount_mismatch');
  return accept({ type: 'orderPaid', payment, at, terms: termsPaid(state.placed, payment, at) });
}

function decideDelivered(state: Order, itemId: bigint, at: Date): Decided {
  if (state.status !== 'paid') return refuse('order_not_paid');
  if (!state.placed.items.some((item) => item.id === itemId)) return refuse('order_not_found');
  if (state.deliveredAt.has(itemId)) return ignore('the item is delivered');
  const isLast = state.deliveredAt.size + 1 === state.placed.items.length;
  const delivered: OrderEvent = { type: 'orderItemDelivered', itemId, at };
  return isLast ? accept<OrderEvent>(delivered, { type: 'orderDelivered' }) : accept(delivered);
}

function decideSubscription(state: Order, news: SubscriptionNews): Decided {
  if (state.status === 'deleted') return ignore('the order is deleted');
  const [itemId, known] = [...state.subscriptions].find(([, each]) => each.id === news.subscriptionId) ?? [];
  if (itemId === undefined || known === undefined) return refuse('subscription_not_found');
  const isCancelled = known.status === 'cancelled';
  if (isCancelled === (news.change === 'cancelled')) return ignore(`the subscription is ${known.status}`);
  const isChild = state.placed.renewal !== undefined;
  const note: SubscriptionNote = {
    itemId,
    expiresAt: news.expiresAt ?? known.expiresAt,
    nextChargeAt: news.nextChargeAt ?? known.nextChargeAt,
    status: news.change === 'cancelled' ? 'cancelled' : news.status,
  };
  if (!isChild)
    return accept({
      type: news.change === 'cancelled' ? 'orderSubscriptionCancelled' : 'orderSubscriptionRestored',
      note,
    });
  // A child that was paid meanwhile has begun its own term: of the news only the cancelling or restoring itself is true.
  const { expiresAt, nextChargeAt } = known;
  const ofPaid = {
    itemId,
    expiresAt,
    nextChargeAt,
    status: note.status === 'cancelled' ? note.status : 'active',
  } as const;
  return accept({ type: 'orderSubscriptionNoted', note: state.status === 'paid' ? ofPaid : note });
}

function decideReminder(state: Order, { number, dueAt, at, isWanted }: Asked<'remind'>): Decided {
  if (state.status !== 'not paid') return ignore(`the order is ${state.status}`);
  if (state.reminded.includes(number)) return ignore('this reminder was sent');
  if (!isWanted) return ignore('the merchant wants no reminders');
  return isTooLateToRemind(dueAt, at)
    ? ignore('it was due more than a day ago')
    : accept({ type: 'orderReminderDue', number });
}

// Somebody who asks more often has another problem than a lost mail.
const mostResends = 20;

/** R38: only while it is paid; what is not delivered yet comes by itself. */
function decideResend(state: Order, requestId: string): Decided {
  if (state.status !== 'paid') return refuse(state.status === 'deleted' ? 'order_deleted' : 'order_not_paid');
  if (state.deliveredAt.size === 0) return ignore('nothing is delivered yet');
  if (requestId !== '' && state.resends.includes(requestId)) return ignore('this request is known');
  const number = state.resends.length + 1;
  return number > mostResends
    ? refuse('too_many_resends')
    : accept({ type: 'orderLicencesAsked', itemIds: [...state.deliveredAt.keys()], number, requestId });
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
      subscriptions: shownAtCreation(event.placed),
      reminded: [],
      resends: [],
    };
  }
  if (state.status === 'absent') throw new Error(`${event.type} of an order that does not exist`);
  switch (event.type) {
    case 'orderPaymentFailed':
      return {
        ...state,
        payment: event.payment,
        subscriptions: withNextCharge(state.subscriptions, event.nextChargeAt),
      };
    case 'orderPaid':
      return {
        ...state,
        status: 'paid',
        paidAt: event.at,
        payment: event.payment,
        subscriptions: shownWhenPaid(state.placed, state.subscriptions, event.terms, event.payment),
      };
    case 'orderPaidAgain':
    case 'orderPaidLate':
      return { ...state, refundDue: [...state.refundDue, event.paymentId] };
    case 'orderItemDelivered':
      return { ...state, deliveredAt: new Map([...state.deliveredAt, [event.itemId, event.at]]) };
    case 'orderDelivered':
      return state;
    case 'orderDeleted':
      return { ...state, status: 'deleted' };
    case 'orderReminderDue':
      return { ...state, reminded: [...state.reminded, event.number] };
    case 'orderLicencesAsked':
      return { ...state, resends: [...state.resends, event.requestId] };
    case 'orderSubscriptionCancelled':
    case 'orderSubscriptionRestored':
    case 'orderSubscriptionNoted':
      return { ...state, subscriptions: withNote(state.subscriptions, event.note) };
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
