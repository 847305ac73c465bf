/** News of payments → commands of orders. */
import { publicId } from '@tillstream/database/public-id';
import { instrumentOf } from '@tillstream/instrument/wire';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { IncomingMessage } from '@tillstream/messaging/message';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import type {
  GetPaymentsRequest,
  GetPaymentsResponse,
  Payment as WirePayment,
} from '@tillstream/proto/payment/v1/payment_api';
import type { OrderCommand } from '../domain/order.ts';
import type { PaymentShown } from '../domain/placed.ts';

export interface PaymentNewsParts {
  readonly performer: { performOnce(envelopes: readonly Envelope<OrderCommand>[]): Promise<unknown> };
  getPayments(request: GetPaymentsRequest): Promise<GetPaymentsResponse>;
  readonly clock: Clock;
}

export function hearPayments(parts: PaymentNewsParts): (batch: readonly IncomingMessage[]) => Promise<void> {
  return async (batch) => {
    const news = batch
      .map((message) => ({ message, event: PaymentEvent.decode(message.value) }))
      // Other news of payments changes no order; a newer sender may say something that is not known here yet.
      .filter(({ event }) => event.payload?.$case === 'paymentBooked' || event.payload?.$case === 'paymentFailed');
    if (news.length === 0) return;
    // The event names the payment; what documents show of it is asked for (docs/decisions/thin-events.md).
    const keys = news.map(({ message, event }) => ({
      merchantId: message.headers.merchant_id,
      paymentId: event.paymentId,
    }));
    const { payments } = await parts.getPayments({ keys });
    const byId = new Map(payments.map((payment) => [`${payment.merchantId} ${payment.id}`, payment]));
    await parts.performer.performOnce(
      news.map(({ message, event }): Envelope<OrderCommand> => {
        const merchantId = message.headers.merchant_id;
        const now = parts.clock.now(merchantId);
        const payment = byId.get(`${merchantId} ${publicId('pay', event.paymentId)}`);
        if (payment === undefined) throw new Error(`the payment service does not know the payment ${event.paymentId}`);
        return {
          id: String(event.orderId),
          merchantId,
          command: commandOf(event, payment, now),
          now,
          messageId: message.headers.ce_id,
          traceparent: message.headers.traceparent,
        };
      }),
    );
  };
}

/** An order is paid at the moment it says so: in the seed's documents pay_date and event_date are one instant. */
function commandOf(event: PaymentEvent, payment: WirePayment, now: Date): OrderCommand {
  if (event.payload?.$case === 'paymentBooked') {
    const { amountMinor, currency } = event.payload.value;
    return { type: 'recordPayment', payment: showPayment(payment, 'booked'), amountMinor, currency, at: now };
  }
  return { type: 'recordPaymentFailed', payment: showPayment(payment, 'failed'), at: now };
}

function showPayment(payment: WirePayment, status: PaymentShown['status']): PaymentShown {
  const isFailed = status === 'failed';
  return {
    paymentId: payment.id,
    status,
    method: payment.method,
    systemName: payment.systemName,
    instrument: instrumentOf(payment),
    reason: isFailed ? payment.reason : '',
    errorCode: isFailed ? payment.providerErrorCode : '',
    errorDescription: isFailed ? payment.providerErrorDescription : '',
    instrumentId: payment.instrumentId,
  };
}
