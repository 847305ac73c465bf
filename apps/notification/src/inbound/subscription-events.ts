/** What the subscription service says → the mails that follow, all but those of a child order, of which the order tells. */
import type { IncomingMessage } from '@tillstream/messaging/message';
import { SubscriptionEvent } from '@tillstream/proto/subscription/v1/subscription_events';
import type { NewMail } from '../domain/new-mail.ts';

export function mailsOfSubscriptionEvents(batch: readonly IncomingMessage[]): readonly NewMail[] {
  return batch.flatMap((message): readonly NewMail[] => mailsOf(message, SubscriptionEvent.decode(message.value)));
}

function mailsOf(message: IncomingMessage, event: SubscriptionEvent): readonly NewMail[] {
  const { subscriptionId, payload, header } = event;
  const common = {
    merchantId: message.headers.merchant_id,
    traceparent: message.headers.traceparent,
    orderId: event.parentOrderId,
    itemId: event.parentItemId,
  };
  // A subscription may be cancelled more than once: each time is a mail of its own.
  const thisTime = `${subscriptionId}.${header?.aggregateVersion ?? message.headers.ce_id}`;
  switch (payload?.$case) {
    case 'renewalNoticeDue': {
      const { term, amountMinor, currency, type, isNewPrice, isConversionFromTrial } = payload.value;
      const facts = {
        kind: 'renewal_notice',
        term,
        chargeAt: momentOf(payload.value.chargeAt),
        expiresAt: momentOf(payload.value.expiresAt),
        amountMinor: String(amountMinor),
        currency,
        type,
        isNewPrice,
        isConversionFromTrial,
      } as const;
      return [{ ...common, kind: facts.kind, about: `${subscriptionId}.${term}`, facts }];
    }
    case 'renewalFailed': {
      const { orderId, term, slot, isLast } = payload.value;
      const facts = {
        kind: 'renewal_failed',
        term,
        slot,
        isLast,
        nextChargeAt: momentOf(payload.value.nextChargeAt),
      } as const;
      const { itemId: _, ...ofChild } = { ...common, orderId };
      return [{ ...ofChild, kind: facts.kind, about: `${subscriptionId}.${term}.${slot}`, facts }];
    }
    case 'subscriptionCancelled': {
      if (payload.value.suppressCustomerNotification) return [];
      const facts = {
        kind: 'subscription_cancelled',
        by: payload.value.by,
        at: momentOf(header?.occurredAt),
        expiresAt: momentOf(payload.value.expiresAt),
        openOrderId: String(payload.value.openOrderId),
      } as const;
      return [{ ...common, kind: facts.kind, about: thisTime, facts }];
    }
    case 'subscriptionRestored': {
      if (payload.value.suppressCustomerNotification) return [];
      const facts = {
        kind: 'subscription_restored',
        expiresAt: momentOf(payload.value.expiresAt),
        chargeAt: momentOf(payload.value.chargeAt),
        openOrderId: String(payload.value.openOrderId),
      } as const;
      return [{ ...common, kind: facts.kind, about: thisTime, facts }];
    }
    case 'subscriptionExpired': {
      // Something renews it.
      if (payload.value.status === 'active') return [];
      const facts = {
        kind: 'subscription_expired',
        status: payload.value.status,
        expiresAt: momentOf(payload.value.expiresAt),
        openOrderId: String(payload.value.openOrderId),
      } as const;
      return [{ ...common, kind: facts.kind, about: thisTime, facts }];
    }
    case 'subscriptionStarted':
    case 'renewalDue':
    case 'chargeDue':
    case 'subscriptionRenewed':
      return [];
    // A newer sender said something I do not know yet.
    case undefined:
      return [];
  }
}

function momentOf(date: Date | undefined): string {
  return date?.toISOString() ?? '';
}
