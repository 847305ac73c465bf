/** A mail about an order, as things are when it is sent: a letter, or why there is none. */
import type { Licence } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { Order, OrderDocument, OrderItem } from '@tillstream/proto/order/v1/order_api';
import type { RenewalFailedFacts, RenewalNoticeFacts, SubscriptionExpiredFacts } from '../domain/facts.ts';
import type { Letter } from './letters/letter.ts';
import { writeLicence } from './letters/licence.ts';
import { writeOrderReminder } from './letters/order-reminder.ts';
import { writePaymentConfirmed } from './letters/payment-confirmed.ts';
import { writeRenewalNotice } from './letters/renewal-notice.ts';
import { writeRenewalFailed, writeRenewalOrder } from './letters/renewal-orders.ts';
import { writeCancelled, writeExpired, writeRestored } from './letters/subscription-ends.ts';
import type { DueMail, Written as WrittenAs } from '../ports.ts';

export type Written = WrittenAs<Letter>;

export interface Known {
  readonly document: OrderDocument | undefined;
  /** The unpaid child of a subscription that the mail speaks of beside the parent. */
  readonly openOrder: Order | undefined;
  readonly licences: readonly Licence[];
  /** The merchant's. */
  readonly now: Date;
}

export function writeOfOrder(mail: DueMail, known: Known): Written {
  const { document } = known;
  const order = document?.order;
  if (document === undefined || order === undefined) return later('order_unknown');
  if ((order.customer?.email ?? '') === '') return { outcome: { type: 'refused_for_good', reason: 'no_address' } };
  if (mail.kind === 'payment_confirmed') return { letter: writePaymentConfirmed(document, order) };
  const { facts } = mail;
  if (facts?.kind === 'order_reminder') {
    return whyNotPayable(order) ?? { letter: writeOrderReminder(document, order) };
  }
  // A child order has one item.
  const item = mail.item_id === null ? order.items[0] : order.items.find((each) => each.id === mail.item_id);
  if (item === undefined) return later('item_unknown');
  const about: About = { mail, document, order, item, known };
  switch (facts?.kind) {
    case undefined:
      return licence(about);
    case 'renewal_notice':
      return renewalNotice(about, facts);
    case 'renewal_failed':
      return renewalFailed(about, facts);
    case 'renewal_order':
      return renewalOrder(about);
    case 'subscription_cancelled':
      return { letter: writeCancelled(document, order, item, { facts, now: known.now }) };
    case 'subscription_restored':
      return {
        letter: writeRestored(document, order, item, { facts, now: known.now, openOrder: known.openOrder }),
      };
    case 'subscription_expired':
      return expired(about, facts);
  }
}

export function later(reason: string): Written {
  return { outcome: { type: 'refused_for_now', reason } };
}

export function notWanted(reason: string): Written {
  return { outcome: { type: 'not_wanted', reason } };
}

interface About {
  readonly mail: DueMail;
  readonly document: OrderDocument;
  readonly order: Order;
  readonly item: OrderItem;
  readonly known: Known;
}

function licence({ document, order, item, known }: About): Written {
  if (!item.sendMail) return notWanted('send_mail_off');
  const codes = known.licences.filter((each) => each.itemId === item.id).map((each) => each.code);
  return codes.length === 0 ? later('licence_unknown') : { letter: writeLicence(document, order, item, codes) };
}

/** After its charge a notice is news of yesterday, such as when this host has slept. */
function renewalNotice(about: About, facts: RenewalNoticeFacts): Written {
  const { document, order, item, known } = about;
  if (new Date(facts.chargeAt) <= known.now) return notWanted('charge_is_past');
  return whyCancelled(about) ?? { letter: writeRenewalNotice(document, order, item, facts) };
}

function renewalFailed(about: About, facts: RenewalFailedFacts): Written {
  const { document, order, item, known } = about;
  // The next try has a mail of its own.
  if (!facts.isLast && new Date(facts.nextChargeAt) <= known.now) return notWanted('charged_again');
  return (
    whyNotPayable(order) ??
    whyCancelled(about) ?? { letter: writeRenewalFailed(document, order, item, { facts, now: known.now }) }
  );
}

function renewalOrder({ document, order, item }: About): Written {
  if (!order.isPaidByHand) return notWanted('paid_by_itself');
  return whyNotPayable(order) ?? { letter: writeRenewalOrder(document, order, item) };
}

function expired({ document, order, item, known }: About, facts: SubscriptionExpiredFacts): Written {
  const { openOrder } = known;
  if (facts.openOrderId !== '0' && openOrder === undefined) return later('open_order_unknown');
  if (openOrder?.status === 'paid') return notWanted('renewed');
  const isCancelled = facts.status === 'cancelled';
  // It ended because the last charge failed, and the mail about that says so.
  if (!isCancelled && openOrder?.isPaidByHand === false) return notWanted('told_with_last_charge');
  const toPay = isCancelled || openOrder?.status !== 'not paid' ? undefined : openOrder;
  return { letter: writeExpired(document, order, item, { facts, toPay }) };
}

/** Undefined when the order still waits for its payment. */
function whyNotPayable(order: Order): Written | undefined {
  if (order.status === 'not paid') return undefined;
  return notWanted(order.status === 'paid' ? 'order_paid' : 'order_deleted');
}

/** The order hears of a cancel or restore a moment after we do: it is asked a second time before it is believed. */
function whyCancelled({ mail, item }: About): Written | undefined {
  if (item.subscription?.status !== 'cancelled') return undefined;
  return mail.tries === 0 ? later('subscription_cancelled') : notWanted('subscription_cancelled');
}
