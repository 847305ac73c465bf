/** The order's part of a timeline: what happened to it, and what it waits for. */
import { unreachable } from '@tillstream/machine/machine';
import type { Awaited, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Order, OrderEvent } from '../../domain/order.ts';
import { renewsByItself } from '../../domain/subscription/subscription.ts';
import { readPlaced } from '../stored-order.ts';
import type { HistoryRow, StoredPlaced } from '../tables.ts';
import { eventOf } from './history.ts';

// The answer's limit; an order of a hundred items has about as many in its history.
const mostEntries = 200;
// D11.
const unpaidLifetimeMs = 90 * 86_400_000;

export function entriesOf(stored: StoredPlaced, history: readonly HistoryRow[]): TimelineEntry[] {
  const placed = readPlaced(stored);
  return history.slice(0, mostEntries).map((row) => {
    const [summary, objectId] = sentenceOf(eventOf(row, placed));
    const type = row.type.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return { at: row.at, source: 'order', type, summary, traceId: row.trace_id, objectId };
  });
}

/** What happened, and to which payment. */
function sentenceOf(event: OrderEvent): [summary: string, objectId: string] {
  switch (event.type) {
    case 'orderCreated': {
      const { renewal, externalId } = event.placed;
      const known = externalId === '' ? '' : ` Its external id is ${externalId}.`;
      return renewal === undefined
        ? [`The customer placed the order.${known}`, '']
        : [`The order renews the subscription ${renewal.subscriptionId}.${known}`, ''];
    }
    case 'orderPaymentFailed': {
      const { reason, paymentId } = event.payment;
      return [`A payment failed${reason === '' ? '' : ` (${reason})`}; the customer may try again.`, paymentId];
    }
    case 'orderPaid':
      return ['The order is paid.', event.payment.paymentId];
    case 'orderPaidAgain':
      return ['A second payment came; it is due for refund.', event.paymentId];
    case 'orderPaidLate':
      return ['Money came after the order was deleted; it is due for refund.', event.paymentId];
    case 'orderItemDelivered':
      return [`Item ${event.itemId} was delivered.`, ''];
    case 'orderDelivered':
      return ['Everything is delivered.', ''];
    case 'orderDeleted':
      return event.reason === 'by_merchant'
        ? ['The merchant deleted the unpaid order.', '']
        : ['The order was deleted: nobody paid it for 90 days.', ''];
    case 'orderReminderDue':
      return [`The customer is reminded of the unpaid order (${event.number}).`, ''];
    case 'orderLicencesAsked':
      return [`The licences are sent once more (${event.number}).`, ''];
    case 'orderSubscriptionCancelled':
      return [`The subscription of item ${event.note.itemId} was cancelled.`, ''];
    case 'orderSubscriptionRestored':
      return [`The subscription of item ${event.note.itemId} was restored.`, ''];
    case 'orderSubscriptionNoted':
      return [`The subscription that the order renews is ${event.note.status}.`, ''];
    default:
      return unreachable(event);
  }
}

export function awaitedBy(state: Order): Awaited[] {
  if (state.status === 'not paid') {
    return [
      {
        source: 'order',
        type: 'customer_pays',
        summary: `${renewsByItself(state.placed.renewal) ? 'The charge, or the customer to pay' : 'The customer to pay'}; unpaid orders are deleted after 90 days.`,
        until: new Date(state.placed.createdAt.getTime() + unpaidLifetimeMs),
      },
    ];
  }
  if (state.status === 'deleted') return [];
  return state.placed.items
    .filter((item) => !state.deliveredAt.has(item.id))
    .map((item) => ({
      source: 'order',
      type: 'item_delivered',
      summary: `The delivery of ${item.name}.`,
      until: undefined,
    }));
}
