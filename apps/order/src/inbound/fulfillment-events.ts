/** News of deliveries → commands of orders. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { IncomingMessage } from '@tillstream/messaging/message';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import type { OrderCommand } from '../domain/order.ts';

export function hearDeliveries(parts: {
  readonly performer: { performOnce(envelopes: readonly Envelope<OrderCommand>[]): Promise<unknown> };
  readonly clock: Clock;
}): (batch: readonly IncomingMessage[]) => Promise<void> {
  return async (batch) => {
    const envelopes = batch.flatMap((message): Envelope<OrderCommand>[] => {
      const event = FulfillmentEvent.decode(message.value);
      // Waiting and low pools change no order; what is not known here yet is somebody else's.
      if (event.payload?.$case !== 'itemDelivered') return [];
      const merchantId = message.headers.merchant_id;
      const now = parts.clock.now(merchantId);
      return [
        {
          id: String(event.orderId),
          merchantId,
          command: { type: 'recordItemDelivered', itemId: event.payload.value.itemId, at: now },
          now,
          messageId: message.headers.ce_id,
          traceparent: message.headers.traceparent,
        },
      ];
    });
    await parts.performer.performOnce(envelopes);
  };
}
