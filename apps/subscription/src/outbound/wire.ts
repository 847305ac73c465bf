/** What subscriptions say to the world. Key = parent order id, so that what one says stays in order. */
import type { Change, VersionedEvent } from '@tillstream/messaging/keeper';
import type { OutgoingMessage } from '@tillstream/messaging/message';
import { toMessage } from '@tillstream/messaging/outgoing';
import { subscriptionEvents } from '@tillstream/messaging/topics';
import { SubscriptionEvent as WireEvent } from '@tillstream/proto/subscription/v1/subscription_events';
import { chargeAfter } from '@tillstream/calendar/term';
import { calendarOf, isInTrial } from '../domain/agreement.ts';
import { amountOfTerm } from '../domain/price.ts';
import {
  openChild,
  type Subscription,
  type SubscriptionEvent,
  type SubscriptionState,
} from '../domain/subscription.ts';

type Payload = WireEvent['payload'];

/** An event, and what the subscription was when it had just happened. */
export interface Moment extends VersionedEvent<SubscriptionEvent> {
  readonly state: Subscription;
}

export function toWire(
  { id, merchantId }: Change<SubscriptionState, SubscriptionEvent>,
  { event, state, version, eventId, now, traceparent }: Moment,
): OutgoingMessage[] {
  const payload = payloadOf(event, state, now);
  if (payload === undefined) return [];
  const { parentOrderId, parentItemId } = state.agreed;
  const value = WireEvent.encode({
    header: { eventId, merchantId, aggregateVersion: BigInt(version), occurredAt: now, schemaVersion: 1, traceparent },
    subscriptionId: id,
    parentOrderId,
    parentItemId,
    payload,
  }).finish();
  return [
    toMessage(
      subscriptionEvents,
      'subscription',
      String(parentOrderId),
      { eventId, now, traceparent, merchantId },
      value,
    ),
  ];
}

/** Undefined where an event concerns nobody else. */
function payloadOf(event: SubscriptionEvent, state: Subscription, now: Date): Payload {
  const { agreed, term } = state;
  const { expiresAt, nextChargeAt } = term;
  const openOrderId = openChild(state)?.orderId ?? 0n;
  switch (event.type) {
    case 'subscriptionStarted':
      return { $case: 'subscriptionStarted', value: { expiresAt, nextChargeAt } };
    case 'renewalNoticeDue':
      return {
        $case: 'renewalNoticeDue',
        value: {
          ...aboutNext(state),
          chargeAt: state.chargeAt,
          expiresAt,
          amountMinor: amountOfTerm(agreed, event.priceMinor, now),
          currency: agreed.currency,
          isNewPrice: event.isNewPrice,
        },
      };
    case 'renewalDue':
      return {
        $case: 'renewalDue',
        value: {
          ...aboutNext(state),
          previousOrderId: term.orderId,
          previousItemId: term.itemId,
          period: agreed.period,
          priceMinor: state.priceMinor,
          expiresAt,
          nextChargeAt,
          anchorOn: term.anchorOn,
          periods: term.periods + 1,
          instrumentId: term.instrumentId,
        },
      };
    case 'chargeDue':
      return {
        $case: 'chargeDue',
        value: {
          orderId: openOrderId,
          term: term.number + 1,
          slot: event.slot,
          instrumentId: term.instrumentId,
          amountMinor: openChild(state)?.amountMinor ?? 0n,
          currency: agreed.currency,
          livemode: agreed.livemode,
        },
      };
    case 'renewalFailed': {
      const { slot, nextAt } = event;
      return {
        $case: 'renewalFailed',
        value: {
          orderId: openOrderId,
          term: term.number + 1,
          slot,
          isLast: nextAt === undefined,
          nextChargeAt: nextAt,
        },
      };
    }
    case 'subscriptionRenewed':
      return {
        $case: 'subscriptionRenewed',
        value: { orderId: term.orderId, term: term.number, expiresAt, nextChargeAt: state.chargeAt ?? nextChargeAt },
      };
    case 'subscriptionCancelled':
      return {
        $case: 'subscriptionCancelled',
        value: { by: event.by, suppressCustomerNotification: event.isQuiet, expiresAt, nextChargeAt, openOrderId },
      };
    // Quiet: the customer was told. The order service ignores it on the parent and notes it on the child.
    case 'cancelRepeated':
      return {
        $case: 'subscriptionCancelled',
        value: {
          by: state.cancelled?.by ?? 'customer',
          suppressCustomerNotification: true,
          expiresAt,
          nextChargeAt,
          openOrderId,
        },
      };
    case 'subscriptionRestored':
      return {
        $case: 'subscriptionRestored',
        value: {
          by: event.by,
          suppressCustomerNotification: event.isQuiet,
          status: event.status,
          expiresAt,
          nextChargeAt: chargeAfter(calendarOf(agreed), expiresAt, now, term.periods),
          chargeAt: event.chargeAt,
          openOrderId,
        },
      };
    case 'subscriptionExpired':
      return { $case: 'subscriptionExpired', value: { status: state.status, expiresAt, openOrderId } };
    case 'childOpened':
    case 'chargeLapsed':
    case 'childGone':
      return undefined;
  }
}

function aboutNext({ agreed, term }: Subscription) {
  const isConversionFromTrial = agreed.type === 'AR_TRIAL' && isInTrial(term);
  return { term: term.number + 1, type: agreed.type, isConversionFromTrial };
}
