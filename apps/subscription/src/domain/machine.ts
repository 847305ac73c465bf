/** How a subscription decides and what becomes of it (subscription.ts has the picture). */
import { chargeAfter, noticeOf } from '@tillstream/calendar/term';
import {
  accept,
  evolveAll,
  ignore,
  refuse,
  unreachable,
  type Decision,
  type Machine,
} from '@tillstream/machine/machine';
import { calendarOf, renewsByItself, slotAt, slotsOf, type Agreement, type RunningTerm } from './agreement.ts';
import {
  canRestore,
  isRenewing,
  openChild,
  type Subscription,
  type SubscriptionCommand,
  type SubscriptionEvent,
  type SubscriptionRefusal,
  type SubscriptionState,
} from './subscription.ts';

type Decided = Decision<SubscriptionEvent, SubscriptionRefusal>;
type Asked<Type extends SubscriptionCommand['type']> = Extract<SubscriptionCommand, { type: Type }>;

export const subscription: Machine<SubscriptionState, SubscriptionCommand, SubscriptionEvent, SubscriptionRefusal> = {
  absent: { status: 'absent' },

  decide(state, command) {
    const decided = state.status === 'absent' ? decideFirst(command) : decideNext(state, command);
    if (decided.answer !== 'accepted') return decided;
    // Whatever ends the last hope of a renewal also ends the paid time that ran out while it was hoped for.
    const after = evolveAll(subscription, state, decided.events);
    return accept(...decided.events, ...lapse(after, command.at));
  },

  evolve(state, event) {
    if (event.type === 'subscriptionStarted') {
      const { agreed, term, noticeAt, chargeAt } = event;
      return {
        status: 'active',
        agreed,
        term,
        renewal: { step: 'planned' },
        priceMinor: agreed.renewalPriceMinor,
        noticeAt,
        chargeAt,
        isExpired: false,
        cancelled: undefined,
      };
    }
    if (state.status === 'absent') throw new Error(`${event.type} of a subscription that does not exist`);
    return evolveNext(state, event);
  },
};

function decideFirst(command: SubscriptionCommand): Decided {
  switch (command.type) {
    case 'start': {
      const { agreed, term } = command;
      return accept({
        type: 'subscriptionStarted',
        agreed,
        term,
        ...planOf(agreed, term, agreed.startedAt, agreed.startedAt),
      });
    }
    case 'cancel':
    case 'restore':
      return refuse('subscription_not_found');
    default:
      return ignore('there is no such subscription');
  }
}

function decideNext(state: Subscription, command: SubscriptionCommand): Decided {
  switch (command.type) {
    case 'start':
      return ignore('it has started');
    case 'tellNotice':
      return decideNotice(state, command);
    case 'charge':
      return decideCharge(state, command.at);
    case 'recordChild':
      return decideChild(state, command);
    case 'recordPaid':
      return decidePaid(state, command);
    case 'recordFailed':
      return decideFailed(state, command);
    case 'recordDeleted':
      return openChild(state)?.orderId === command.orderId
        ? accept({ type: 'childGone' })
        : ignore('that order is not the open one');
    case 'cancel': {
      const { by, isQuiet, at } = command;
      if (state.status === 'cancelled') return ignore('it is cancelled');
      return accept({ type: 'subscriptionCancelled', by, isQuiet, at });
    }
    case 'restore':
      return decideRestore(state, command);
    case 'expire': {
      const events = lapse(state, command.at);
      return events.length === 0 ? ignore('its paid time is not over, or a renewal is under way') : accept();
    }
    default:
      return unreachable(command);
  }
}

/**
 * What a paid term plans. A charge is never planned for before its payment: who pays late is not charged twice in a day.
 * A notice that would come before the term began says nothing new where the price is agreed on, and is left out; where
 * the price may have changed it comes when the term begins.
 */
function planOf(
  agreed: Agreement,
  term: RunningTerm,
  beginsAt: Date,
  paidAt: Date,
): { readonly noticeAt: Date | undefined; readonly chargeAt: Date } {
  const planned = noticeOf(calendarOf(agreed), term.expiresAt, term.periods);
  const early = agreed.renewalPrice === 'current' ? beginsAt : undefined;
  return {
    noticeAt: planned >= beginsAt ? planned : early,
    chargeAt: chargeAfter(calendarOf(agreed), term.expiresAt, paidAt, term.periods),
  };
}

function decideNotice(state: Subscription, { at, priceMinor: present }: Asked<'tellNotice'>): Decided {
  const { noticeAt, chargeAt, agreed } = state;
  if (state.status !== 'active' || state.renewal.step !== 'planned') return ignore('there is nothing to tell of');
  if (noticeAt === undefined || at < noticeAt) return ignore('it was told, or is not to be told yet');
  // A host that slept does not tell of what is already happening.
  if (chargeAt === undefined || at >= chargeAt) return ignore('it is too late to tell: the charge is due');
  const priceMinor = agreed.renewalPrice === 'current' ? (present ?? state.priceMinor) : state.priceMinor;
  return accept({ type: 'renewalNoticeDue', priceMinor, isNewPrice: priceMinor !== state.priceMinor });
}

function decideCharge(state: Subscription, at: Date): Decided {
  const { chargeAt, agreed, term } = state;
  if (chargeAt === undefined || at < chargeAt) return ignore('no charge is due');
  if (state.renewal.step === 'planned') return accept({ type: 'renewalDue' });
  const open = openChild(state);
  const slot = slotAt(agreed, term, at);
  if (open === undefined || slot <= open.lastSlot) return ignore('that charge was asked for');
  return accept({ type: 'chargeDue', slot, at });
}

function decideChild(state: Subscription, command: Asked<'recordChild'>): Decided {
  const { orderId, itemId, amountMinor, at } = command;
  const { agreed, term, renewal, status } = state;
  if (command.term !== term.number + 1) return ignore('that term is paid');
  if (renewal.step === 'open' || renewal.step === 'gone') return ignore('the child order is known');
  const opened = { type: 'childOpened', orderId, itemId, amountMinor } as const;
  const follows: readonly SubscriptionEvent[] =
    status === 'cancelled'
      ? [{ type: 'cancelRepeated' }]
      : renewsByItself(agreed)
        ? [{ type: 'chargeDue', slot: slotAt(agreed, term, at), at }]
        : [];
  return accept<SubscriptionEvent>(opened, ...follows);
}

function decidePaid(state: Subscription, { term, paidAt }: Asked<'recordPaid'>): Decided {
  if (term.number !== state.term.number + 1) return ignore('that term is paid');
  const isNext = term.anchorOn === state.term.anchorOn && term.periods === state.term.periods + 1;
  const beginsAt = isNext ? state.term.expiresAt : paidAt;
  return accept({ type: 'subscriptionRenewed', term, ...planOf(state.agreed, term, beginsAt, paidAt) });
}

function decideFailed(state: Subscription, { orderId, endedAt, at }: Asked<'recordFailed'>): Decided {
  const open = openChild(state);
  if (open?.orderId !== orderId) return ignore('that order is not the open one');
  const { chargingSince, lastSlot: slot } = open;
  // A customer who tried by hand and failed changes nothing.
  if (chargingSince === undefined || (endedAt !== undefined && endedAt < chargingSince))
    return ignore('it was none of our charges');
  if (state.status === 'cancelled') return accept({ type: 'chargeLapsed', slot });
  const nextAt = slotsOf(state.agreed, state.term).find((slotAtDate, place) => place > slot && slotAtDate > at);
  return accept({ type: 'renewalFailed', slot, nextAt });
}

function decideRestore(state: Subscription, { by, isQuiet, at }: Asked<'restore'>): Decided {
  if (!renewsByItself(state.agreed)) return refuse('restore_not_supported');
  if (state.status !== 'cancelled') return ignore('it is not cancelled');
  if (!canRestore(state, at)) return refuse('subscription_ended');
  const { step } = state.renewal;
  const status = step === 'open' || step === 'gone' ? 'not paid' : 'active';
  return accept({ type: 'subscriptionRestored', by, isQuiet, status, chargeAt: chargeWhenRestored(state, at) });
}

/** What was missed while it was cancelled is made up for at once, with the latest slot that has come. */
function chargeWhenRestored({ agreed, term, renewal }: Subscription, at: Date): Date | undefined {
  const slots = slotsOf(agreed, term);
  const first = slots[0] ?? term.expiresAt;
  switch (renewal.step) {
    case 'planned':
      return first > at ? first : at;
    case 'open':
      if (renewal.chargingSince !== undefined) return undefined;
      return slotAt(agreed, term, at) > renewal.lastSlot ? at : slots.find((slot) => slot > at);
    // The child is on its way, and is charged when it is here; or it was deleted, and there is nothing to charge.
    case 'asked':
    case 'gone':
      return undefined;
    default:
      return unreachable(renewal);
  }
}

/** The paid time is over, and no further term is paid by itself: the customer should know. */
function lapse(state: SubscriptionState, at: Date): readonly SubscriptionEvent[] {
  if (state.status === 'absent' || state.isExpired || at < state.term.expiresAt || isRenewing(state)) return [];
  return [{ type: 'subscriptionExpired' }];
}

function evolveNext(
  state: Subscription,
  event: Exclude<SubscriptionEvent, { type: 'subscriptionStarted' }>,
): Subscription {
  switch (event.type) {
    case 'renewalNoticeDue':
      return { ...state, noticeAt: undefined, priceMinor: event.priceMinor };
    case 'renewalDue':
      return { ...state, renewal: { step: 'asked' }, noticeAt: undefined, chargeAt: undefined };
    case 'childOpened': {
      const { orderId, itemId, amountMinor } = event;
      const status = state.status === 'cancelled' ? 'cancelled' : 'not paid';
      const charges = { lastSlot: -1, chargingSince: undefined };
      return {
        ...state,
        status,
        renewal: { step: 'open', orderId, itemId, amountMinor, ...charges },
        chargeAt: undefined,
      };
    }
    case 'chargeDue':
      return { ...withCharges(state, { lastSlot: event.slot, chargingSince: event.at }), chargeAt: undefined };
    case 'renewalFailed':
      return { ...withCharges(state, { lastSlot: event.slot, chargingSince: undefined }), chargeAt: event.nextAt };
    case 'chargeLapsed':
      return withCharges(state, { lastSlot: event.slot, chargingSince: undefined });
    case 'subscriptionRenewed': {
      const isCancelled = state.status === 'cancelled';
      return {
        ...state,
        status: isCancelled ? 'cancelled' : 'active',
        term: event.term,
        renewal: { step: 'planned' },
        noticeAt: event.noticeAt,
        chargeAt: isCancelled ? undefined : event.chargeAt,
        isExpired: false,
      };
    }
    case 'childGone':
      return { ...state, renewal: { step: 'gone' }, chargeAt: undefined };
    case 'subscriptionCancelled':
      return { ...state, status: 'cancelled', chargeAt: undefined, cancelled: { at: event.at, by: event.by } };
    case 'cancelRepeated':
      return state;
    case 'subscriptionRestored':
      return { ...state, status: event.status, chargeAt: event.chargeAt, cancelled: undefined };
    case 'subscriptionExpired':
      return { ...state, isExpired: true };
    default:
      return unreachable(event);
  }
}

function withCharges(
  state: Subscription,
  charges: { readonly lastSlot: number; readonly chargingSince: Date | undefined },
): Subscription {
  return state.renewal.step === 'open' ? { ...state, renewal: { ...state.renewal, ...charges } } : state;
}
