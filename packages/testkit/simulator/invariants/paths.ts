/**
 * I8. Histories are judged twice: by the tables that the machines are specified by, and by a second table that was written
 * by hand from the specification (entities and states B1, B3, B5), without looking at the first.
 */
import { by, text } from './facts.ts';
import type { Row } from './facts.ts';
import type { Invariant } from './judge.ts';

/** Event → the status that it leads to; undefined = it stays. */
const leadsTo: Readonly<Record<string, string | undefined>> = {
  orderCreated: 'not paid',
  orderPaid: 'paid',
  orderDeleted: 'deleted',
  paymentCreated: 'created',
  paymentSeen: 'seen',
  paymentProcessing: 'processing',
  paymentConfirmed: 'confirmed',
  paymentBooked: 'booked',
  paymentFailed: 'failed',
  paymentExpired: 'expired',
  paymentWithdrawn: 'withdrawn',
  paymentProcessingExpired: 'processing_expired',
};

/** By hand: status → where it may go. */
const order = { absent: ['not paid'], 'not paid': ['paid', 'deleted'], paid: [], deleted: [] };
const payment = {
  absent: ['created', 'processing'],
  created: ['seen', 'processing', 'confirmed', 'booked', 'failed', 'expired', 'withdrawn'],
  seen: ['processing', 'confirmed', 'booked', 'failed', 'expired', 'withdrawn'],
  processing: ['confirmed', 'booked', 'failed', 'processing_expired'],
  confirmed: ['booked', 'failed'],
  processing_expired: ['booked'],
  booked: [],
  failed: [],
  expired: [],
  withdrawn: [],
};

type Table = Readonly<Record<string, readonly string[]>>;

function judgePaths(
  what: string,
  column: string,
  history: readonly Row[],
  table: Table,
  rows: readonly Row[],
  status: boolean,
): readonly string[] {
  const complaints: string[] = [];
  const versions = new Map(rows.map((row) => [text(row[column]), row]));
  for (const [id, unsorted] of by(history, column)) {
    const told = unsorted.toSorted((a, b) => Number(a['version']) - Number(b['version']));
    const numbers = told.map((row) => Number(row['version']));
    if (!numbers.every((number, at) => number === at + 1))
      complaints.push(`${what} ${id} has the versions ${numbers.join(', ')}`);
    let at = 'absent';
    for (const row of told) {
      const type = text(row['type']);
      // What is charged without the customer has no page to be opened.
      const isCharge = type === 'paymentCreated' && versions.get(id)?.['is_off_session'] === true;
      const next = isCharge ? 'processing' : leadsTo[type];
      if (next === undefined || next === at) continue;
      if (!(table[at] ?? []).includes(next)) complaints.push(`${what} ${id} went from ${at} to ${next} (${type})`);
      at = next;
    }
    const row = versions.get(id);
    if (row !== undefined && Number(row['version']) !== numbers.length)
      complaints.push(`${what} ${id} is at version ${text(row['version'])} after ${numbers.length} events`);
    if (status && row !== undefined && row['status'] !== at)
      complaints.push(`${what} ${id} is ${text(row['status'])}, its history ends at ${at}`);
  }
  return complaints;
}

export const pathsAreKnown: Invariant = {
  id: 'I8',
  sentence: 'Every history is a path of the published table: versions without a gap, ends that stay ends.',
  check: ({ facts }) => [
    ...judgePaths('order', 'order_id', facts.orderHistory, order, facts.orders, true),
    ...judgePaths('payment', 'payment_id', facts.paymentHistory, payment, facts.payments, true),
    ...judgePaths('subscription', 'subscription_id', facts.subscriptionHistory, {}, facts.subscriptions, false),
  ],
};
