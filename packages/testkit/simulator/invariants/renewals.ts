/** What a subscription does next, and when its terms begin. */
import { by, text, type Row } from './facts.ts';
import type { Invariant } from './judge.ts';

interface Term {
  readonly itemId: string;
  readonly expiresAt: string;
  readonly anchorOn: string;
  readonly periods: number;
}

export const termsFollow: Invariant = {
  id: 'I7c',
  sentence: 'A term begins where the one before it ended; only what is paid after that end begins anew.',
  check({ facts }) {
    const paid = by(
      facts.orderHistory.filter((row) => row['type'] === 'orderPaid'),
      'order_id',
    );
    return [...by(facts.subscriptionOrders, 'subscription_id')].flatMap(([id, rows]) => {
      const item = id.split('_')[1] ?? '';
      const terms = rows
        .toSorted((a, b) => Number(a['term']) - Number(b['term']))
        .flatMap((row) => (paid.get(text(row['order_id'])) ?? []).flatMap(termsOf))
        .filter((term, at) => at > 0 || term.itemId === item);
      return terms.flatMap((term, at) => {
        const before = terms[at - 1];
        if (before === undefined) return [];
        const isNext = term.anchorOn === before.anchorOn && term.periods === before.periods + 1;
        const isAnew = term.anchorOn >= before.expiresAt.slice(0, 10);
        return isNext || isAnew
          ? []
          : [`${id}: ${before.anchorOn}+${before.periods} is followed by ${term.anchorOn}+${term.periods}`];
      });
    });
  },
};

export const cancelledIsNotCharged: Invariant = {
  id: 'I7d',
  sentence: 'Of a subscription that is cancelled nothing is asked for.',
  check({ facts }) {
    return [...by(facts.subscriptionHistory, 'subscription_id')].flatMap(([id, rows]) => {
      let isCancelled = false;
      return rows
        .toSorted((a, b) => Number(a['version']) - Number(b['version']))
        .flatMap(({ type }) => {
          if (type === 'subscriptionCancelled') isCancelled = true;
          if (type === 'subscriptionRestored') isCancelled = false;
          const isAsked = type === 'renewalDue' || type === 'chargeDue';
          return isCancelled && isAsked ? [`${id}: ${type} while it is cancelled`] : [];
        });
    });
  },
};

// −20, −10 and 0 days, or −2, −1 and 0: the places are 0, 1 and 2.
const lastSlot = 2;

export const nextStepIsKnown: Invariant = {
  id: 'I16b',
  sentence:
    'Whatever is not over has a next step: a charge that is planned or under way, a question to the provider, or a customer.',
  check({ facts }) {
    const open = facts.payments.filter((row) => /^(created|seen|processing|confirmed)$/.test(text(row['status'])));
    const openOf = by(open, 'order_id');
    const openIds = new Set(open.map((row) => text(row['payment_id'])));
    return [
      ...facts.subscriptions.flatMap((row) => {
        if (row['status'] === 'cancelled' || row['type'] === 'PMR') return [];
        const isPlanned = row['charge_at'] !== null;
        const isCharging = row['charging_since'] !== null;
        const id = text(row['subscription_id']);
        if (row['step'] === 'planned' && !isPlanned) return [`${id} runs, and no charge is planned`];
        if (row['step'] !== 'open') return [];
        if (!isPlanned && !isCharging && Number(row['last_slot']) < lastSlot)
          return [`${id}: the charge after ${text(row['last_slot'])} is not planned`];
        return isCharging && !openOf.has(text(row['open_order_id']))
          ? [`${id} is being charged, and no payment of its order is under way`]
          : [];
      }),
      ...facts.attempts.flatMap((row) =>
        row['kind'] === 'create' &&
        row['settled_at'] === null &&
        row['due_at'] === null &&
        openIds.has(text(row['payment_id']))
          ? [`the provider did not answer for ${text(row['payment_id'])}, and nobody asks again`]
          : [],
      ),
    ];
  },
};

function termsOf(row: Row): readonly Term[] {
  const { terms = [] } = row['data'] as { readonly terms?: readonly Term[] };
  return terms;
}
