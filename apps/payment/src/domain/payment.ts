/**
 * A payment: one try of a customer to pay an order, at one provider.
 *
 *   created ─▶ seen ─▶ processing ─▶ confirmed ─▶ booked
 *      │         │         ├─▶ failed      └─▶ failed (in rare cases a bank rejects later)
 *      └────┬────┘         └─▶ processing_expired ─▶ booked (money that is paired later)
 *           ├─▶ expired (30 minutes, unless the customer has begun to pay)
 *           ├─▶ withdrawn (by the merchant, unless the customer has begun to pay)
 *           └─▶ failed
 *
 * A card that is captured is booked, one that is declined is failed (spec B7). Booked, failed, expired and withdrawn are
 * final: nothing leads out of them. Money that arrives for a payment that ended without it, or with another sum, is
 * neither lost nor believed: the payment is held for review and a person decides.
 */
import { accept, ignore, refuse, unreachable, type Decision, type Machine } from '@tillstream/machine/machine';

export interface Card {
  readonly type: string;
  readonly last4: string;
  /** MM/YYYY */
  readonly expiration: string;
}

export type PaymentStatus =
  | 'created'
  | 'seen'
  | 'processing'
  | 'confirmed'
  | 'booked'
  | 'failed'
  | 'expired'
  | 'withdrawn'
  | 'processing_expired';

export interface Asked {
  readonly orderId: bigint;
  readonly livemode: boolean;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly method: string;
  readonly provider: string;
  readonly returnUrl: string;
  readonly locale: string;
  readonly description: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface Payment extends Asked {
  readonly status: PaymentStatus;
  readonly providerPaymentId: string;
  readonly redirectUrl: string;
  /** The provider did not say what became of it; it is being asked. */
  readonly isOutcomeUnknown: boolean;
  readonly reviewReason: '' | ReviewReason;
  readonly failure: Failure | undefined;
  readonly card: Card | undefined;
  readonly finalisedAt: Date | undefined;
}

export type PaymentState = { readonly status: 'absent' } | Payment;

export type ReviewReason = 'amount_mismatch' | 'paid_after_final';

export interface Failure {
  /** The public decline code. */
  readonly reason: string;
  /** The provider's own code and words. */
  readonly code: string;
  readonly description: string;
}

export type PaymentCommand =
  | { readonly type: 'create'; readonly asked: Asked }
  | { readonly type: 'recordPage'; readonly providerPaymentId: string; readonly redirectUrl: string }
  | { readonly type: 'recordUnknown' }
  | { readonly type: 'recordOpened' }
  | { readonly type: 'recordSubmitted' }
  | { readonly type: 'recordConfirmed' }
  | {
      readonly type: 'recordBooked';
      readonly amountMinor: bigint;
      readonly currency: string;
      readonly card: Card | undefined;
      readonly at: Date;
    }
  | { readonly type: 'recordFailed'; readonly failure: Failure; readonly card: Card | undefined; readonly at: Date }
  | { readonly type: 'expire'; readonly at: Date }
  | { readonly type: 'withdraw'; readonly at: Date }
  | { readonly type: 'expireProcessing' };

export type PaymentEvent =
  | { readonly type: 'paymentCreated'; readonly asked: Asked }
  | { readonly type: 'pageKnown'; readonly providerPaymentId: string; readonly redirectUrl: string }
  | { readonly type: 'outcomeUnknown' }
  | { readonly type: 'paymentSeen' }
  | { readonly type: 'paymentProcessing' }
  | { readonly type: 'paymentConfirmed' }
  | { readonly type: 'paymentBooked'; readonly card: Card | undefined; readonly at: Date }
  | { readonly type: 'paymentFailed'; readonly failure: Failure; readonly card: Card | undefined; readonly at: Date }
  | { readonly type: 'paymentExpired'; readonly at: Date }
  | { readonly type: 'paymentWithdrawn'; readonly at: Date }
  | { readonly type: 'paymentProcessingExpired' }
  | { readonly type: 'paymentHeldForReview'; readonly reason: ReviewReason };

export type PaymentRefusal = 'payment_not_found' | 'payment_not_withdrawable' | 'amount_out_of_range';

export const payment: Machine<PaymentState, PaymentCommand, PaymentEvent, PaymentRefusal> = {
  absent: { status: 'absent' },
  decide,
  evolve,
};

type Decided = Decision<PaymentEvent, PaymentRefusal>;

function decide(state: PaymentState, command: PaymentCommand): Decided {
  if (state.status === 'absent') {
    if (command.type !== 'create') return refuse('payment_not_found');
    return command.asked.amountMinor > 0n
      ? accept({ type: 'paymentCreated', asked: command.asked })
      : refuse('amount_out_of_range');
  }
  switch (command.type) {
    case 'create':
      return ignore('it exists');
    case 'recordPage':
      if (!isOpen(state)) return ignore('it is over');
      return state.redirectUrl === ''
        ? accept({ type: 'pageKnown', providerPaymentId: command.providerPaymentId, redirectUrl: command.redirectUrl })
        : ignore('the page is known');
    case 'recordUnknown':
      return isLive(state) && !state.isOutcomeUnknown
        ? accept({ type: 'outcomeUnknown' })
        : ignore('nothing is open, or it is known to be unknown');
    case 'recordOpened':
      return state.status === 'created' ? accept({ type: 'paymentSeen' }) : ignore('it went on already');
    case 'recordSubmitted':
      return isOpen(state) ? accept({ type: 'paymentProcessing' }) : ignore('it went on already');
    case 'recordConfirmed':
      return isOpen(state) || state.status === 'processing'
        ? accept({ type: 'paymentConfirmed' })
        : ignore('it went on already');
    case 'recordBooked':
      return decideBooked(state, command);
    case 'recordFailed':
      return isLive(state)
        ? accept({ type: 'paymentFailed', failure: command.failure, card: command.card, at: command.at })
        : ignore('it is over');
    case 'expire':
      return isOpen(state)
        ? accept({ type: 'paymentExpired', at: command.at })
        : ignore('the customer has begun to pay, or it is over');
    case 'withdraw':
      if (state.status === 'withdrawn') return ignore('it is withdrawn');
      return isOpen(state) ? accept({ type: 'paymentWithdrawn', at: command.at }) : refuse('payment_not_withdrawable');
    case 'expireProcessing':
      return state.status === 'processing'
        ? accept({ type: 'paymentProcessingExpired' })
        : ignore('it is not processing');
    default:
      return unreachable(command);
  }
}

function decideBooked(state: Payment, command: Extract<PaymentCommand, { type: 'recordBooked' }>): Decided {
  if (state.status === 'booked') return ignore('it is booked');
  if (!isLive(state) && state.status !== 'processing_expired') {
    return state.reviewReason === ''
      ? accept({ type: 'paymentHeldForReview', reason: 'paid_after_final' })
      : ignore('it is held for review');
  }
  // Another sum than was asked for is not this payment's money, whoever says so.
  if (command.amountMinor !== state.amountMinor || command.currency !== state.currency) {
    return state.reviewReason === ''
      ? accept({ type: 'paymentHeldForReview', reason: 'amount_mismatch' })
      : ignore('it is held for review');
  }
  // A person has been asked to look; a later callback does not decide for them.
  if (state.reviewReason !== '') return ignore('it is held for review');
  return accept({ type: 'paymentBooked', card: command.card, at: command.at });
}

/** The customer has not begun to pay. */
function isOpen(state: Payment): boolean {
  return state.status === 'created' || state.status === 'seen';
}

/** It may still end with money: no second payment is started beside it. */
export function isLive(state: Payment): boolean {
  return isOpen(state) || state.status === 'processing' || state.status === 'confirmed';
}

function evolve(state: PaymentState, event: PaymentEvent): PaymentState {
  if (event.type === 'paymentCreated') {
    return {
      ...event.asked,
      status: 'created',
      providerPaymentId: '',
      redirectUrl: '',
      isOutcomeUnknown: false,
      reviewReason: '',
      failure: undefined,
      card: undefined,
      finalisedAt: undefined,
    };
  }
  if (state.status === 'absent') throw new Error(`${event.type} of a payment that does not exist`);
  switch (event.type) {
    case 'pageKnown':
      return {
        ...state,
        providerPaymentId: event.providerPaymentId,
        redirectUrl: event.redirectUrl,
        isOutcomeUnknown: false,
      };
    case 'outcomeUnknown':
      return { ...state, isOutcomeUnknown: true };
    case 'paymentSeen':
      return { ...state, status: 'seen', isOutcomeUnknown: false };
    case 'paymentProcessing':
      return { ...state, status: 'processing' };
    case 'paymentConfirmed':
      return { ...state, status: 'confirmed', isOutcomeUnknown: false };
    case 'paymentBooked':
      return {
        ...state,
        status: 'booked',
        card: event.card ?? state.card,
        isOutcomeUnknown: false,
        finalisedAt: event.at,
      };
    case 'paymentFailed':
      return {
        ...state,
        status: 'failed',
        failure: event.failure,
        card: event.card ?? state.card,
        isOutcomeUnknown: false,
        finalisedAt: event.at,
      };
    case 'paymentExpired':
      return { ...state, status: 'expired', isOutcomeUnknown: false, finalisedAt: event.at };
    case 'paymentWithdrawn':
      return { ...state, status: 'withdrawn', isOutcomeUnknown: false, finalisedAt: event.at };
    case 'paymentProcessingExpired':
      return { ...state, status: 'processing_expired' };
    case 'paymentHeldForReview':
      return { ...state, reviewReason: event.reason };
    default:
      return unreachable(event);
  }
}
