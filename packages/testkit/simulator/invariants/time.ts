/** Time as a merchant lives it: nobody's clock is led on over what is still on its way. */
import { by, text, type Row } from './facts.ts';
import type { Invariant } from './judge.ts';

// Whoever was dead meanwhile is back earlier, and a step of a test clock is seldom shorter.
const onItsWayMs = 600_000;

export const newsKeepsItsTime: Invariant = {
  id: 'I7e',
  sentence: 'What follows from a renewal follows at its time, by the clock of its merchant.',
  check({ facts, story }) {
    // A process that was not told of a clock that was set learns of it within five seconds, and stamps by the old one until then.
    if (story.twice !== undefined) return [];
    const said = by(facts.subscriptionHistory, 'subscription_id');
    const orders = by(facts.orders, 'order_id');
    const late = (what: string, row: Row, causes: readonly Row[]): string[] => {
      const known = causes.flatMap((cause) => timeOf(cause) ?? []);
      const at = timeOf(row);
      if (at === undefined || known.length === 0) return [];
      return known.some((time) => at >= time && at - time <= onItsWayMs)
        ? []
        : [`${what} at ${new Date(at).toISOString()}, and not when it was due`];
    };
    const ofType = (id: string, type: string) => (said.get(id) ?? []).filter((row) => row['type'] === type);
    return [
      ...facts.payments.flatMap((row) =>
        row['subscription_id'] === null
          ? []
          : late(
              `${text(row['subscription_id'])} is charged`,
              { at: row['created_at'] },
              ofType(text(row['subscription_id']), 'chargeDue'),
            ),
      ),
      ...facts.subscriptionOrders.flatMap((row) => {
        const [order] = orders.get(text(row['order_id'])) ?? [];
        const id = text(row['subscription_id']);
        return order === undefined || Number(row['term']) === 1
          ? []
          : late(
              `the order of ${id}, term ${text(row['term'])}, is made`,
              { at: order['created_at'] },
              ofType(id, 'renewalDue'),
            );
      }),
    ];
  },
};

function timeOf(row: Row): number | undefined {
  const { at } = row;
  return at instanceof Date ? at.getTime() : typeof at === 'string' ? Date.parse(at) : undefined;
}
