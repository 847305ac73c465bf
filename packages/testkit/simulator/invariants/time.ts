/** Time as a merchant lives it: nobody's clock is led on over what is still on its way. */
import { readPublicId } from '@tillstream/database/public-id';
import { by, text, type Row } from './facts.ts';
import type { Invariant } from './judge.ts';

// Whoever was dead meanwhile is back earlier, and a step of a test clock is seldom shorter.
const restartedMs = 600_000;

export const newsKeepsItsTime: Invariant = {
  id: 'I7e',
  sentence: 'What follows from a payment or a renewal follows at its time, by the clock of its merchant.',
  check({ facts, story }) {
    // A process that was not told of a clock that was set learns of it within five seconds, and stamps by the old one until then.
    if (story.twice !== undefined) return [];
    // A machine that slept has slept with what was on its way.
    const sleptS = story.orders.flatMap(({ steps }) => steps.map((step) => (step.do === 'wait' ? step.seconds : 0)));
    const onItsWayMs = restartedMs + 1_000 * sleptS.reduce((sum, each) => sum + each, 0);
    const payments = by(facts.payments, 'payment_id');
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
      ...facts.orderHistory.flatMap((row) => {
        if (row['type'] !== 'orderPaid') return [];
        const { payment } = row['data'] as { readonly payment?: { readonly paymentId?: string } };
        const [paidBy] = payments.get(readPublicId('pay', payment?.paymentId ?? '') ?? '') ?? [];
        const [heardAt, time] = [timeOf(row), paidBy && timeOf({ at: paidBy['finalised_at'] })];
        return heardAt === undefined || time === undefined || Math.abs(heardAt - time) <= onItsWayMs
          ? []
          : [
              `order ${text(row['order_id'])} hears at ${new Date(heardAt).toISOString()} that it is paid, and not when it was, at ${new Date(time).toISOString()}`,
            ];
      }),
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
