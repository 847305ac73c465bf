/** What the fulfillment service says → a notice to the merchant. Deliveries are heard of from the order, which knows of them first. */
import type { IncomingMessage } from '@tillstream/messaging/message';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import type { NewMail } from '../domain/new-mail.ts';

export function mailsOfFulfillmentEvents(batch: readonly IncomingMessage[]): readonly NewMail[] {
  return batch.flatMap((message): readonly NewMail[] => {
    const { payload } = FulfillmentEvent.decode(message.value);
    if (payload?.$case !== 'poolLow') return [];
    const { productId, available, lowWaterMark } = payload.value;
    return [
      {
        kind: 'pool_low',
        merchantId: message.headers.merchant_id,
        traceparent: message.headers.traceparent,
        // Each notice is one mail: the pool may be filled and run low again.
        about: message.headers.ce_id,
        productId,
        available,
        lowWaterMark,
      },
    ];
  });
}
