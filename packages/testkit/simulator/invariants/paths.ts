/** I8 at rest, on any storage: histories are judged by a table of their own (transitions.ts). */
import { by, text } from './facts.ts';
import type { Row } from './facts.ts';
import type { Invariant } from './judge.ts';
import { isAllowed, next, orderPaths, paymentPaths, type Paths } from './transitions.ts';

function judgePaths(
  what: string,
  column: string,
  history: readonly Row[],
  table: Paths,
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
      const isCharge = versions.get(id)?.['is_off_session'] === true;
      const to = next(type, isCharge);
      if (to === undefined || to === at) continue;
      if (!isAllowed(table, at, to)) complaints.push(`${what} ${id} went from ${at} to ${to} (${type})`);
      at = to;
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
    ...judgePaths('order', 'order_id', facts.orderHistory, orderPaths, facts.orders, true),
    ...judgePaths('payment', 'payment_id', facts.paymentHistory, paymentPaths, facts.payments, true),
    ...judgePaths('subscription', 'subscription_id', facts.subscriptionHistory, {}, facts.subscriptions, false),
  ],
};
