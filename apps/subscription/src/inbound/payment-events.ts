/**
 * A charge is not made beside a live payment of the same order. When the customer was paying by hand at that moment and
 * then left, nobody says that the charge failed; this news does. Outcomes are heard from the order (order-events.ts).
 */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { IncomingMessage } from '@tillstream/messaging/message';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import type { SubscriptionCommand } from '../domain/subscription.ts';
import type { SubscriptionReader } from '../ports.ts';

export interface PaymentNewsParts {
  readonly performer: { performOnce(envelopes: readonly Envelope<SubscriptionCommand>[]): Promise<unknown> };
  readonly subscriptions: Pick<SubscriptionReader, 'renewedBy'>;
  readonly clock: Clock;
}

export function hearPayments(parts: PaymentNewsParts): (batch: readonly IncomingMessage[]) => Promise<void> {
  return async (batch) => {
    const ended = batch
      .map((message) => ({ message, event: PaymentEvent.decode(message.value) }))
      .filter(({ event: { payload } }) => payload?.$case === 'paymentExpired' || payload?.$case === 'paymentWithdrawn');
    const known = await parts.subscriptions.renewedBy(
      ended.map(({ event }) => event.orderId),
      ended.map(({ message }) => message.headers.merchant_id),
    );
    await parts.performer.performOnce(
      ended.flatMap(({ message, event }): Envelope<SubscriptionCommand>[] => {
        const id = known.get(event.orderId);
        const { merchant_id: merchantId, ce_id: messageId, traceparent } = message.headers;
        const at = parts.clock.now(merchantId);
        const { orderId, header } = event;
        const endedAt = header?.occurredAt ?? at;
        return id === undefined
          ? []
          : [
              {
                id,
                merchantId,
                command: { type: 'recordFailed', orderId, endedAt, at },
                now: at,
                messageId,
                traceparent,
              },
            ];
      }),
    );
  };
}
