/** What the order service says → the mails that follow. */
import type { IncomingMessage } from '@tillstream/messaging/message';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import type { NewMail } from '../domain/new-mail.ts';

export function mailsOfOrderEvents(batch: readonly IncomingMessage[]): readonly NewMail[] {
  return batch.flatMap((message): readonly NewMail[] => {
    const { orderId, payload } = OrderEvent.decode(message.value);
    const common = { merchantId: message.headers.merchant_id, traceparent: message.headers.traceparent, orderId };
    switch (payload?.$case) {
      case 'orderPaid':
        return [{ ...common, kind: 'payment_confirmed', about: String(orderId) }];
      case 'orderItemDelivered': {
        const { itemId } = payload.value;
        return [{ ...common, kind: 'licence', about: `${orderId}.${itemId}`, itemId }];
      }
      case 'orderCreated': {
        const { renewal } = payload.value;
        // What is charged by itself needs nobody to pay it.
        if (renewal?.isPaidByHand !== true) return [];
        return [
          {
            ...common,
            kind: 'renewal_order',
            about: String(orderId),
            facts: { kind: 'renewal_order', term: renewal.term },
          },
        ];
      }
      case 'orderReminderDue': {
        const { number } = payload.value;
        return [
          {
            ...common,
            kind: 'order_reminder',
            about: `${orderId}.${number}`,
            facts: { kind: 'order_reminder', number },
          },
        ];
      }
      case 'orderLicencesAsked': {
        const { itemIds, number } = payload.value;
        return itemIds.map((itemId) => ({
          ...common,
          kind: 'licence',
          // Another mail than the first, so that a redelivered request sends no third.
          about: `${orderId}.${itemId}.${number}`,
          itemId,
        }));
      }
      case 'orderPaymentFailed':
      case 'orderDelivered':
      case 'orderDeleted':
      case 'orderPaidAgain':
      case 'orderPaidLate':
      // The subscription itself says what its customer should hear.
      case 'orderSubscriptionCancelled':
      case 'orderSubscriptionRestored':
      case 'orderSubscriptionNoted':
        return [];
      // A newer sender said something I do not know yet.
      case undefined:
        return [];
    }
  });
}
