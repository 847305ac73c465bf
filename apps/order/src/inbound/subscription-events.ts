/** News of subscriptions → child orders, and what orders show of their subscriptions. */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Log } from '@tillstream/messaging/log';
import type { IncomingMessage } from '@tillstream/messaging/message';
import { SubscriptionEvent, type RenewalDue } from '@tillstream/proto/subscription/v1/subscription_events';
import type { OrderCommand, SubscriptionNews } from '../domain/order.ts';
import { placeDraft } from '../domain/draft.ts';
import type { PlanType } from '../domain/item.ts';
import { draftChild, methodOf, savedOf, type Lineage } from '../domain/subscription/child.ts';
import type { Renewal } from '../domain/subscription/renewal.ts';
import type { SubscriptionStatus } from '../domain/subscription/subscription.ts';
import type { CatalogueReader, PlacedLineage, TermKey } from '../ports.ts';

export interface SubscriptionNewsParts {
  readonly performer: { performOnce(envelopes: readonly Envelope<OrderCommand>[]): Promise<unknown> };
  readonly catalogue: Pick<CatalogueReader, 'shops'>;
  readonly orders: {
    /** In the order asked; undefined where the merchant has no such parent. */
    lineages(keys: readonly TermKey[]): Promise<readonly (PlacedLineage | undefined)[]>;
    numbersOfChildren(count: number): Promise<readonly { orderId: bigint; itemId: bigint }[]>;
  };
  /** Whether an error says that a term got its child at the same moment from somebody else. */
  isTermTaken(error: unknown): boolean;
  readonly clock: Clock;
  readonly log: Log;
}

interface Heard {
  readonly message: IncomingMessage;
  readonly event: SubscriptionEvent;
}

interface Due extends TermKey {
  readonly message: IncomingMessage;
  readonly event: SubscriptionEvent;
  readonly due: RenewalDue;
}

// Each round finds the children that others made meanwhile; two at once need two.
const mostTries = 3;

export function hearSubscriptions(parts: SubscriptionNewsParts): (batch: readonly IncomingMessage[]) => Promise<void> {
  return async (batch) => {
    const heard = batch.map((message) => ({ message, event: SubscriptionEvent.decode(message.value) }));
    await placeChildren(parts, heard.flatMap(renewalOf));
    // A note on a child follows the child: what is said of it was said after it had been made.
    await parts.performer.performOnce(heard.flatMap((each) => notesOf(parts, each)));
  };
}

function renewalOf({ message, event }: Heard): Due[] {
  if (event.payload?.$case !== 'renewalDue') return [];
  const { subscriptionId, parentOrderId } = event;
  const due = event.payload.value;
  const { term, previousOrderId } = due;
  const { merchant_id: merchantId } = message.headers;
  return [{ message, event, due, merchantId, subscriptionId, term, parentOrderId, previousOrderId }];
}

/**
 * All children of a batch at once: one question for their parents and payments, one for their numbers, one commit. A
 * hundred thousand renewals of one minute arrive here two hundred at a time.
 */
async function placeChildren(parts: SubscriptionNewsParts, all: readonly Due[]): Promise<void> {
  // The same term twice in one batch is the same child.
  let open = [...new Map(all.map((each) => [`${each.subscriptionId} ${each.term}`, each])).values()];
  for (let attempt = 1; open.length > 0; attempt += 1) {
    const lineages = await parts.orders.lineages(open);
    const missing = open.flatMap((due, at) => {
      const lineage = lineages[at];
      if (lineage === undefined)
        throw new Error(`there is no order ${due.parentOrderId} whose subscription ${due.subscriptionId} could renew`);
      return lineage.isPlaced ? [] : [{ due, lineage }];
    });
    if (missing.length < open.length)
      parts.log.info(
        { terms: open.length - missing.length },
        'terms that have their child order are not given another',
      );
    if (missing.length === 0) return;
    open = missing.map(({ due }) => due);
    const [shops, numbers] = await Promise.all([
      parts.catalogue.shops(open.map((due) => due.merchantId)),
      parts.orders.numbersOfChildren(missing.length),
    ]);
    const envelopes = missing.map(({ due, lineage }, at): Envelope<OrderCommand> => {
      const shop = shops.get(due.merchantId);
      const number = numbers[at];
      if (shop === undefined || number === undefined) throw new Error(`there is no merchant ${due.merchantId}`);
      const { shopName, supportEmail, commissionBp } = shop;
      const now = parts.clock.now(due.merchantId);
      const draft = draftChild({
        parent: lineage.parent,
        method: methodOf(lineage, due.due.instrumentId),
        renewal: renewalFrom(due, lineage),
        priceMinor: due.due.priceMinor,
        shopName,
        supportEmail,
        commissionBp,
      });
      if (draft === undefined) throw new Error(`order ${due.parentOrderId} has no item ${due.event.parentItemId}`);
      const { orderId, itemId } = number;
      const token = randomBytes(16).toString('hex');
      const placed = placeDraft(draft, { orderId, itemIds: [itemId], token, createdAt: now });
      return {
        id: String(orderId),
        merchantId: due.merchantId,
        command: { type: 'place', placed },
        now,
        messageId: due.message.headers.ce_id,
        traceparent: due.message.headers.traceparent,
      };
    });
    try {
      await parts.performer.performOnce(envelopes);
      return;
    } catch (error) {
      if (!parts.isTermTaken(error) || attempt >= mostTries) throw error;
    }
  }
}

const planTypes: readonly PlanType[] = ['AR', 'AR_TRIAL', 'PMR'];

function renewalFrom({ subscriptionId, parentOrderId, event, due }: Due, lineage: Lineage): Renewal {
  if (due.expiresAt === undefined) throw new Error(`the renewal of ${subscriptionId} names no end of the running term`);
  const type = planTypes.find((each) => each === due.type);
  // Parked until it is known here: nobody is charged by a guess.
  if (type === undefined) throw new Error(`${due.type} is not a kind of subscription that is known here`);
  return {
    subscriptionId,
    term: due.term,
    parentOrderId,
    parentItemId: event.parentItemId,
    parentToken: lineage.parent.token,
    previousOrderId: due.previousOrderId,
    previousItemId: due.previousItemId,
    type,
    period: due.period,
    isConversionFromTrial: due.isConversionFromTrial,
    expiresAt: due.expiresAt,
    nextChargeAt: due.nextChargeAt ?? due.expiresAt,
    anchorOn: due.anchorOn,
    // The message counts to the end of the child's term; until it is paid the one before runs.
    periods: due.periods - 1,
    instrumentId: due.instrumentId,
    saved: savedOf(lineage, due.instrumentId),
  };
}

/** On the parent, for its documents and webhooks, and on the child that is open. */
function notesOf(parts: SubscriptionNewsParts, { message, event }: Heard): Envelope<OrderCommand>[] {
  const { payload, subscriptionId, parentOrderId } = event;
  // Other news changes no order; what is not known here yet is somebody else's.
  if (payload?.$case !== 'subscriptionCancelled' && payload?.$case !== 'subscriptionRestored') return [];
  const isCancelled = payload.$case === 'subscriptionCancelled';
  const { expiresAt, nextChargeAt, openOrderId } = payload.value;
  const news: SubscriptionNews = {
    subscriptionId,
    change: isCancelled ? 'cancelled' : 'restored',
    status: isCancelled ? 'cancelled' : statusOf(payload.value.status),
    expiresAt,
    nextChargeAt,
  };
  const { merchant_id: merchantId, ce_id: messageId, traceparent } = message.headers;
  const now = parts.clock.now(merchantId);
  const noteOn = (orderId: bigint, id: string): Envelope<OrderCommand> => ({
    id: String(orderId),
    merchantId,
    command: { type: 'recordSubscription', news },
    now,
    messageId: id,
    traceparent,
  });
  const onChild = openOrderId === 0n ? [] : [noteOn(openOrderId, secondOf(messageId))];
  return [noteOn(parentOrderId, messageId), ...onChild];
}

/** One message, two commands: the inbox knows the second by an id of its own, always the same UUID. */
function secondOf(messageId: string): string {
  const hex = createHash('sha256').update(`${messageId} second`).digest('hex');
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function statusOf(text: string): SubscriptionStatus {
  return text === 'not paid' ? 'not paid' : 'active';
}
