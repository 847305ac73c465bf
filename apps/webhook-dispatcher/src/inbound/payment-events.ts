/** Payment events → webhook events in the profile `standard`, for merchants with an endpoint that wants them. */
import { publicId } from '@tillstream/database/public-id';
import type { IncomingMessage } from '@tillstream/messaging/message';
import type { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import { showPayment } from '@tillstream/public-api/payment';
import { standardBody, typeCausedBy, type EventType } from '@tillstream/public-api/webhook-events';
import type { NewEvent, PaymentKey, StoreEvents } from '../ports.ts';

export interface PaymentReads {
  /** The merchants with an endpoint of the profile `standard` that wants one of these types. */
  merchantsThatWant(merchants: readonly string[], types: readonly EventType[]): Promise<ReadonlySet<string>>;
  /** By payment id. */
  fetchPayments(keys: readonly PaymentKey[]): Promise<ReadonlyMap<string, Payment>>;
  readonly store: StoreEvents;
}

interface PaymentHappening extends PaymentKey {
  readonly message: IncomingMessage;
  readonly type: EventType;
  readonly sourceEventId: string;
  readonly version: bigint;
  readonly occurredAt: Date;
}

export function handlePaymentEvents(reads: PaymentReads): (batch: readonly IncomingMessage[]) => Promise<void> {
  return async (batch) => {
    const all = batch.flatMap(decode);
    if (all.length === 0) return;
    const wanting = await reads.merchantsThatWant(
      [...new Set(all.map((each) => each.merchantId))],
      [...new Set(all.map((each) => each.type))],
    );
    const happenings = all.filter((each) => wanting.has(each.merchantId));
    if (happenings.length === 0) return;
    // The types of the catalogue are final statuses, so that the payment as it is now still has the status of the event.
    const payments = await reads.fetchPayments(
      happenings.map(({ merchantId, paymentId }) => ({ merchantId, paymentId })),
    );
    await reads.store(happenings.map((each) => toEvent(each, payments.get(each.paymentId))));
  };
}

function decode(message: IncomingMessage): PaymentHappening[] {
  const { header, paymentId, payload } = PaymentEvent.decode(message.value);
  const type = typeCausedBy('payment', payload?.$case);
  if (header === undefined || type === undefined) return [];
  return [
    {
      message,
      type,
      // Events name the row; the API and webhooks name it with its prefix.
      paymentId: publicId('pay', paymentId),
      sourceEventId: header.eventId,
      merchantId: header.merchantId,
      version: header.aggregateVersion,
      occurredAt: header.occurredAt ?? new Date(message.headers.ce_time),
    },
  ];
}

function toEvent(happening: PaymentHappening, payment: Payment | undefined): NewEvent {
  const { message, type, paymentId, sourceEventId, merchantId, occurredAt } = happening;
  // The payment service said it, so it must know it: tried again, then parked.
  if (payment === undefined) throw new Error(`payment ${paymentId} is not known`);
  return {
    messageId: message.headers.ce_id,
    sourceEventId,
    merchantId,
    livemode: payment.livemode,
    itemId: 0n,
    type,
    profile: 'standard',
    subjectKind: 'payment',
    subjectId: paymentId,
    orderId: payment.orderId,
    position: happening.version,
    occurredAt,
    body: standardBody(type, occurredAt, showPayment(payment)),
    traceparent: message.headers.traceparent,
  };
}
