import { by, text, type Row } from './facts.ts';
import type { Invariant } from './judge.ts';

export const oneChargeATerm: Invariant = {
  id: 'I7',
  sentence: 'Each term of a subscription has one order and is charged once; terms follow each other without a gap.',
  check({ world, facts }) {
    const captured = new Set(
      world.provider.books.journal.filter((entry) => entry.what === 'capture').map((entry) => entry.payment.reference),
    );
    const charges = facts.payments.filter(
      (row) => row['subscription_id'] !== null && captured.has(text(row['payment_id'])),
    );
    const twice = [
      ...Map.groupBy(charges, (row) => `${text(row['subscription_id'])} term ${text(row['term'])}`),
    ].filter(([, all]) => all.length > 1);
    const gaps = [...by(facts.subscriptionOrders, 'subscription_id')].flatMap(([id, rows]) => {
      const terms = rows.map((row) => Number(row['term'])).toSorted((a, b) => a - b);
      return terms.every((term, at) => term === at + 1) ? [] : [`subscription ${id} has the terms ${terms.join(', ')}`];
    });
    return [...twice.map(([what, all]) => `${what} was charged ${all.length} times`), ...gaps];
  },
};

export const paidTermsCount: Invariant = {
  id: 'I7b',
  sentence: 'Every paid order of something that renews counts as a term of its subscription.',
  check({ facts }) {
    const known = new Set(facts.subscriptionOrders.map((row) => text(row['order_id'])));
    return facts.orderHistory
      .filter((row) => row['type'] === 'orderPaid' && termsOf(row) > 0 && !known.has(text(row['order_id'])))
      .map((row) => `order ${text(row['order_id'])} is paid and counts for no subscription`);
  },
};

function termsOf(row: Row): number {
  const data = row['data'] as { readonly terms?: readonly unknown[] };
  return data.terms?.length ?? 0;
}
