/** The subscriptions' part of an order's timeline: what happened to them, and what they wait for. */
import type { Awaited, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import { unreachable } from '@tillstream/machine/machine';
import { openChild } from '../domain/subscription.ts';
import { stateOf } from './stored-subscription.ts';
import type { Story, Subscriptions } from './subscriptions.ts';
import type { HistoryRow, SubscriptionRow } from './tables.ts';

const source = 'subscription';
// The answer's limit: of a long life the newest, told from the oldest of them on.
const mostEntries = 200;

export async function readTimeline(
  subscriptions: Pick<Subscriptions, 'stories'>,
  merchantId: string,
  orderId: bigint,
): Promise<{ entries: TimelineEntry[]; awaited: Awaited[] }> {
  const stories = await subscriptions.stories(merchantId, orderId, mostEntries);
  const history = stories.flatMap(({ row, history: events }) => events.map((event) => ({ row, event })));
  const entries = history
    .toSorted((a, b) => a.event.at.getTime() - b.event.at.getTime() || Number(a.event.version - b.event.version))
    .slice(-mostEntries)
    .map(({ row, event }) => entryOf(row, event));
  return { entries, awaited: stories.flatMap(awaitedBy) };
}

function entryOf(row: SubscriptionRow, event: HistoryRow): TimelineEntry {
  return {
    at: event.at,
    source,
    type: event.type.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    summary: sentenceOf(row, event),
    traceId: event.trace_id,
    objectId: row.subscription_id,
  };
}

function sentenceOf(row: SubscriptionRow, { type, term, data }: HistoryRow): string {
  const on = (instant: string | undefined) => dayOf(instant, row.time_zone);
  const attempt = (data.slot ?? 0) + 1;
  switch (type) {
    case 'subscriptionStarted':
      return `The subscription of ${row.product_name} started; it is paid until ${on(data.expiresAt)}.`;
    case 'renewalNoticeDue':
      return `The customer is told of the coming renewal (term ${term}).`;
    case 'renewalDue':
      return `Term ${term} is due; its order is being made.`;
    case 'childOpened':
      return `Order ${data.orderId} is to pay term ${term}.`;
    case 'chargeDue':
      return `The saved card is to be charged for order ${data.orderId} (attempt ${attempt} of 3).`;
    case 'renewalFailed':
      return data.nextAt === undefined
        ? `Attempt ${attempt} of 3 for order ${data.orderId} failed; it was the last, the customer may pay the order.`
        : `Attempt ${attempt} of 3 for order ${data.orderId} failed; the next is planned for ${on(data.nextAt)}.`;
    case 'chargeLapsed':
      return `The charge for order ${data.orderId} failed; the subscription is cancelled, nothing follows.`;
    case 'subscriptionRenewed':
      return `Term ${term} is paid by order ${data.orderId}; it lasts until ${on(data.expiresAt)}.`;
    case 'childGone':
      return `The unpaid order of term ${term} was deleted.`;
    case 'subscriptionCancelled':
      return `The subscription was cancelled (by: ${data.by}); access lasts until ${on(data.expiresAt)}.`;
    case 'cancelRepeated':
      return `Order ${data.orderId} came after the cancel: it is not charged.`;
    case 'subscriptionRestored':
      return `The subscription was restored (by: ${data.by}).`;
    case 'subscriptionExpired':
      return `The paid time was over on ${on(data.expiresAt)}.`;
    default:
      return unreachable(type);
  }
}

/** The day in the shop. */
function dayOf(instant: string | undefined, timeZone: string): string {
  if (instant === undefined) return 'an unknown day';
  return Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString();
}

function awaitedBy({ row }: Story): Awaited[] {
  const state = stateOf(row);
  const open = openChild(state);
  const next = state.term.number + 1;
  const until = undefined;
  if (open?.chargingSince !== undefined)
    return [{ source, type: 'charge_outcome', summary: `What became of the charge for order ${open.orderId}.`, until }];
  if (state.renewal.step === 'asked')
    return [{ source, type: 'child_order', summary: `The order that is to pay term ${next}.`, until }];
  if (state.chargeAt !== undefined)
    return [{ source, type: 'renewal', summary: `The renewal for term ${next}.`, until: state.chargeAt }];
  if (open !== undefined && state.status === 'not paid')
    return [{ source, type: 'customer_pays', summary: `The customer to pay order ${open.orderId}.`, until }];
  return [];
}
