/**
 * A payment: one attempt to pay what an order asks for (its payment intent, payment-intent.ts), at one provider with one method.
 *
 *   created ─▶ seen ─▶ processing ─▶ confirmed ─▶ booked
 *      │         │         ├─▶ failed      └─▶ failed (in rare cases a bank rejects later)
 *      └────┬────┘         └─▶ processing_expired ─▶ booked (money that is paired later)
 *           ├─▶ expired (30 minutes or the merchant's policy, unless the customer has begun to pay)
 *           ├─▶ withdrawn (by the merchant, or because another attempt has paid; unless the customer has begun to pay)
 *           └─▶ failed
 *
 * A card that is captured is booked, one that is declined is failed (spec B7). Booked, failed, expired and withdrawn are
 * final: nothing leads out of them. Money that arrives for a payment that ended without it, in another currency, or with another
 * sum than the provider's page showed, is neither lost nor believed: the payment is held for review and a person decides.
 *
 * With an offline method the customer decides on the sum: a transfer over less or more is booked with what it brought, and the
 * intent says what is missing. What is booked after the intent was paid is a surplus: booked, and held for review.
 *
 * A renewal is charged without the customer: nobody is shown a page, authorisation begins with the charge, and so it is
 * processing from the start and neither expires nor can be withdrawn.
 */
import type { Instrument } from '@tillstream/instrument/instrument';
import { accept, ignore, refuse, unreachable, type Decision, type Machine } from '@tillstream/machine/machine';
import { isOffline } from './methods.ts';
import {
  beginIntent,
  isReached,
  receive,
  type PaymentIntent,
  type Receipt,
  type ReceiptPurpose,
} from './payment-intent.ts';

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
  /** What the order asks for: the sum of its payment intent. */
  readonly orderMinor: bigint;
  /** What this attempt asks for: what is missing of it. */
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly method: string;
  readonly provider: string;
  /** The merchant's account there. */
  readonly accountId: string;
  readonly returnUrl: string;
  readonly locale: string;
  readonly description: string;
  readonly createdAt: Date;
  /** Undefined = never: no customer is waited for. */
  readonly expiresAt: Date | undefined;
  /** The id under which the instrument is kept once this has paid; empty = it is not kept. */
  readonly savesInstrumentId: string;
  /** Which renewal is charged; undefined = a customer pays. */
  readonly renewal: Renewal | undefined;
  /** What is charged for the renewal; empty = there is no such instrument. */
  readonly instrumentId: string;
  /** What that is. */
  readonly instrument: Instrument | undefined;
}

/** One of the planned charges of a subscription's term: each happens once. */
export interface Renewal {
  readonly subscriptionId: string;
  readonly term: number;
  readonly slot: number;
}

export interface Payment extends Asked {
  readonly status: PaymentStatus;
  /** Read and locked together with the payment: it is shared with the other attempts of the order. */
  readonly intent: PaymentIntent;
  readonly providerPaymentId: string;
  readonly redirectUrl: string;
  /** The provider did not say what became of it; it is being asked. */
  readonly isOutcomeUnknown: boolean;
  readonly reviewReason: '' | ReviewReason;
  readonly failure: Failure | undefined;
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

/** How it ended at the provider. */
export interface Settlement {
  readonly at: Date;
  /** Empty = the provider has none for it. */
  readonly providerPaymentId: string;
  /** Undefined when the provider does not say what was paid with. */
  readonly instrument: Instrument | undefined;
  /** What the provider charges by later; empty = nothing was kept. It is told to nobody. */
  readonly instrumentToken: string;
}

export type PaymentCommand =
  | { readonly type: 'create'; readonly asked: Asked }
  /** A renewal. `obstacle` says why it must not be charged: the order is paid, or is being paid. Empty = it may. */
  | { readonly type: 'charge'; readonly asked: Asked; readonly obstacle: string }
  | { readonly type: 'recordPage'; readonly providerPaymentId: string; readonly redirectUrl: string }
  | { readonly type: 'recordUnknown' }
  | { readonly type: 'recordOpened' }
  | { readonly type: 'recordSubmitted' }
  | { readonly type: 'recordConfirmed' }
  | {
      readonly type: 'recordBooked';
      readonly amountMinor: bigint;
      readonly currency: string;
      readonly settlement: Settlement;
    }
  | { readonly type: 'recordFailed'; readonly failure: Failure; readonly settlement: Settlement }
  /** `closedPage`: the provider's id of the page that it has closed for this; empty = it knew of none. */
  | { readonly type: 'expire'; readonly at: Date; readonly closedPage: string }
  | { readonly type: 'withdraw'; readonly at: Date; readonly closedPage: string }
  /** The provider says that its page is closed: whoever asked for that may have died before it was written down here. */
  | { readonly type: 'recordClosed'; readonly at: Date; readonly closedPage: string }
  | { readonly type: 'expireProcessing' };

export type PaymentEvent =
  | { readonly type: 'paymentCreated'; readonly asked: Asked }
  | { readonly type: 'pageKnown'; readonly providerPaymentId: string; readonly redirectUrl: string }
  | { readonly type: 'outcomeUnknown' }
  | { readonly type: 'paymentSeen' }
  | { readonly type: 'paymentProcessing' }
  | { readonly type: 'paymentConfirmed' }
  /** Without a receipt it was over nothing. */
  | { readonly type: 'paymentBooked'; readonly settlement: Settlement; readonly receipt: Receipt | undefined }
  | { readonly type: 'paymentFailed'; readonly failure: Failure; readonly settlement: Settlement }
  | { readonly type: 'paymentExpired'; readonly at: Date }
  | { readonly type: 'paymentWithdrawn'; readonly at: Date }
  | { readonly type: 'paymentProcessingExpired' }
  /** `receipt`: the money that is neither booked nor believed; undefined = it is booked, or the provider named no sum above 0. */
  | { readonly type: 'paymentHeldForReview'; readonly reason: ReviewReason; readonly receipt: Receipt | undefined };

export type PaymentRefusal = 'payment_not_found' | 'payment_not_withdrawable' | 'amount_out_of_range';

export const payment: Machine<PaymentState, PaymentCommand, PaymentEvent, PaymentRefusal> = {
  absent: { status: 'absent' },
  decide,
  evolve,
};

type Decided = Decision<PaymentEvent, PaymentRefusal>;

function decide(state: PaymentState, command: PaymentCommand): Decided {
  if (state.status === 'absent') return decideFirst(command);
  switch (command.type) {
    case 'create':
    case 'charge':
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
        ? accept({ type: 'paymentFailed', failure: command.failure, settlement: command.settlement })
        : ignore('it is over');
    case 'expire':
      if (!isOpen(state)) return ignore('the customer has begun to pay, or it is over');
      return isPageOpen(state, command)
        ? ignore('its page came meanwhile')
        : accept({ type: 'paymentExpired', at: command.at });
    case 'withdraw':
      if (state.status === 'withdrawn') return ignore('it is withdrawn');
      if (isOpen(state) && isPageOpen(state, command)) return ignore('its page came meanwhile');
      return isOpen(state) ? accept({ type: 'paymentWithdrawn', at: command.at }) : refuse('payment_not_withdrawable');
    case 'recordClosed':
      if (!isOpen(state)) return ignore('the customer has begun to pay, or it is over');
      return isPageOpen(state, command) ? ignore('another page of it is open') : accept(closed(state, command.at));
    case 'expireProcessing':
      return state.status === 'processing'
        ? accept({ type: 'paymentProcessingExpired' })
        : ignore('it is not processing');
    default:
      return unreachable(command);
  }
}

function decideFirst(command: PaymentCommand): Decided {
  switch (command.type) {
    case 'create': {
      const { amountMinor, savesInstrumentId } = command.asked;
      // Nothing is charged only to keep an instrument: the first term of a trial.
      const isFair = amountMinor > 0n || (amountMinor === 0n && savesInstrumentId !== '');
      return isFair ? accept({ type: 'paymentCreated', asked: command.asked }) : refuse('amount_out_of_range');
    }
    case 'charge': {
      const { asked, obstacle } = command;
      if (obstacle !== '') return ignore(obstacle);
      if (asked.amountMinor <= 0n) return refuse('amount_out_of_range');
      const created: PaymentEvent = { type: 'paymentCreated', asked };
      if (asked.instrumentId !== '') return accept(created);
      // Whoever waits for the renewal hears that it failed.
      const settlement = { at: asked.createdAt, providerPaymentId: '', instrument: undefined, instrumentToken: '' };
      return accept<PaymentEvent>(created, { type: 'paymentFailed', failure: noInstrument, settlement });
    }
    default:
      return refuse('payment_not_found');
  }
}

const noInstrument: Failure = {
  reason: 'provider_error',
  code: 'instrument_not_found',
  description: 'There is no such saved instrument.',
};

function decideBooked(state: Payment, command: Asking<'recordBooked'>): Decided {
  if (state.status === 'booked') return ignore('it is booked');
  if (!isLive(state) && state.status !== 'processing_expired') return hold(state, command, 'paid_after_final', 'late');
  if (command.currency !== state.currency) return hold(state, command, 'amount_mismatch', 'other_currency');
  // The provider's page had one sum. Another is not this payment's money, whoever says so; over a transfer the customer decides.
  const isAnySum = isOffline(state.method) && command.amountMinor > 0n;
  if (command.amountMinor !== state.amountMinor && !isAnySum)
    return hold(state, command, 'amount_mismatch', 'other_sum');
  // A person has been asked to look; a later callback does not decide for them.
  if (state.reviewReason !== '') return ignore('it is held for review');
  const { settlement } = command;
  if (!isReached(state.intent))
    return accept({ type: 'paymentBooked', settlement, receipt: receiptOf(command, 'counted') });
  // Another attempt was faster.
  return accept<PaymentEvent>(
    { type: 'paymentBooked', settlement, receipt: receiptOf(command, 'surplus') },
    { type: 'paymentHeldForReview', reason: 'paid_after_final', receipt: undefined },
  );
}

type Asking<Type extends PaymentCommand['type']> = Extract<PaymentCommand, { type: Type }>;

function hold(
  state: Payment,
  command: Asking<'recordBooked'>,
  reason: ReviewReason,
  takenFor: ReceiptPurpose,
): Decided {
  return state.reviewReason === ''
    ? accept({ type: 'paymentHeldForReview', reason, receipt: receiptOf(command, takenFor) })
    : ignore('it is held for review');
}

/** Undefined when nothing was received: an instrument was verified, or a provider names no sum. */
function receiptOf(command: Asking<'recordBooked'>, takenFor: ReceiptPurpose): Receipt | undefined {
  const { amountMinor, currency, settlement } = command;
  return amountMinor > 0n ? { amountMinor, currency, takenFor, receivedAt: settlement.at } : undefined;
}

/** The customer has not begun to pay. */
function isOpen(state: Payment): boolean {
  return state.status === 'created' || state.status === 'seen';
}

/** Whoever asked the provider before the page came has not closed it. */
function isPageOpen(state: Payment, { closedPage }: { readonly closedPage: string }): boolean {
  return state.providerPaymentId !== '' && state.providerPaymentId !== closedPage;
}

/** When its time was over it was closed for that; before, by the merchant. */
function closed({ expiresAt }: Payment, at: Date): PaymentEvent {
  const isTimeOver = expiresAt !== undefined && at.getTime() >= expiresAt.getTime();
  return isTimeOver ? { type: 'paymentExpired', at: expiresAt } : { type: 'paymentWithdrawn', at };
}

/** It may still end with money: no second one is begun beside it, unless its method is offline. */
export function isLive(state: Payment): boolean {
  return isOpen(state) || state.status === 'processing' || state.status === 'confirmed';
}

function evolve(state: PaymentState, event: PaymentEvent): PaymentState {
  if (event.type === 'paymentCreated') {
    return {
      ...event.asked,
      intent: beginIntent(event.asked.orderMinor, event.asked.currency),
      status: event.asked.renewal === undefined ? 'created' : 'processing',
      providerPaymentId: '',
      redirectUrl: '',
      isOutcomeUnknown: false,
      reviewReason: '',
      failure: undefined,
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
    case 'paymentBooked': {
      const isKept = state.savesInstrumentId !== '' && event.settlement.instrumentToken !== '';
      const instrumentId = isKept ? state.savesInstrumentId : state.instrumentId;
      const intent = receive(state.intent, event.receipt?.amountMinor ?? 0n);
      return { ...settled(state, event.settlement), status: 'booked', instrumentId, intent };
    }
    case 'paymentFailed':
      return { ...settled(state, event.settlement), status: 'failed', failure: event.failure };
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

function settled(state: Payment, settlement: Settlement): Payment {
  return {
    ...state,
    providerPaymentId: state.providerPaymentId || settlement.providerPaymentId,
    instrument: settlement.instrument ?? state.instrument,
    isOutcomeUnknown: false,
    finalisedAt: settlement.at,
  };
}
