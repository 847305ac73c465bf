/** Lives of a subscription, for the tests of the machine. */
import { firstTerm, nextTerm } from '@tillstream/calendar/term';
import { evolveAll } from '@tillstream/machine/machine';
import { calendarOf, type Agreement, type RunningTerm } from './agreement.ts';
import { subscription } from './machine.ts';
import type { Subscription, SubscriptionCommand, SubscriptionEvent, SubscriptionState } from './subscription.ts';

export const day = (text: string) => new Date(`${text}T23:59:00Z`);
// Monthly, paid on 10 January: ends 10 February, charged on the 8th, 9th and 10th, told of on 1 February.
export const agreed: Agreement = {
  parentOrderId: 1n,
  parentItemId: 2n,
  livemode: false,
  productId: '100001',
  productName: 'Editor',
  quantity: 2,
  type: 'AR',
  period: 'P1M',
  trialPeriod: '',
  timeZone: 'UTC',
  currency: 'EUR',
  renewalPrice: 'snapshot',
  renewalPriceMinor: 500n,
  startedAt: new Date('2026-01-10T10:00:00Z'),
};
export const firstOf = (of: Agreement): RunningTerm => ({
  ...firstTerm(calendarOf(of), of.startedAt, of.trialPeriod === '' ? undefined : of.trialPeriod),
  number: 1,
  orderId: 1n,
  itemId: 2n,
  instrumentId: of.type === 'PMR' ? '' : 'card-1',
});
export const start = (of: Agreement = agreed): SubscriptionCommand => ({
  type: 'start',
  agreed: of,
  term: firstOf(of),
  at: of.startedAt,
});
export const child = (term: number, at: Date, orderId = BigInt(term * 10)): SubscriptionCommand => ({
  type: 'recordChild',
  orderId,
  itemId: orderId + 1n,
  term,
  amountMinor: 1000n,
  at,
});
export const paid = (before: SubscriptionState, paidAt: Date, instrumentId = 'card-1'): SubscriptionCommand => {
  if (before.status === 'absent') throw new Error('it has not started');
  const number = before.term.number + 1;
  const term = { ...nextTerm(calendarOf(before.agreed), before.term, paidAt), number, instrumentId };
  return { type: 'recordPaid', term: { ...term, orderId: BigInt(number * 10), itemId: 1n }, paidAt, at: paidAt };
};
export const charge = (at: Date): SubscriptionCommand => ({ type: 'charge', at });
export const expire = (at: Date): SubscriptionCommand => ({ type: 'expire', at });
export const tell = (at: Date, priceMinor?: bigint): SubscriptionCommand => ({ type: 'tellNotice', priceMinor, at });
export const failed = (orderId: bigint, at: Date, endedAt?: Date): SubscriptionCommand => ({
  type: 'recordFailed',
  orderId,
  at,
  ...(endedAt === undefined ? {} : { endedAt }),
});
export const cancel = (at: Date): SubscriptionCommand => ({ type: 'cancel', by: 'customer', isQuiet: false, at });
export const restore = (at: Date): SubscriptionCommand => ({ type: 'restore', by: 'customer', isQuiet: false, at });

export type Step = SubscriptionCommand | ((state: SubscriptionState) => SubscriptionCommand);

export function live(steps: readonly Step[]): { state: SubscriptionState; said: SubscriptionEvent[] } {
  let state = subscription.absent;
  const said: SubscriptionEvent[] = [];
  for (const step of steps) {
    const decision = subscription.decide(state, typeof step === 'function' ? step(state) : step);
    if (decision.answer !== 'accepted') continue;
    state = evolveAll(subscription, state, decision.events);
    said.push(...decision.events);
  }
  return { state, said };
}
export const stateAfter = (...steps: Step[]): SubscriptionState => live(steps).state;
export const saidBy = (...steps: Step[]) => live(steps).said.map((event) => event.type);
export const existing = (state: SubscriptionState): Subscription => {
  if (state.status === 'absent') throw new Error('it does not exist');
  return state;
};

export const [told, slot0, slot1, slot2] = [day('2026-02-01'), day('2026-02-08'), day('2026-02-09'), day('2026-02-10')];
export const soon = new Date(slot0.getTime() + 5_000);
export const asked = [start(), charge(slot0)];
export const charging = [...asked, child(2, slot0)];
export const notPaid = [...charging, failed(20n, soon)];
export const lost = [...notPaid, charge(slot1), failed(20n, slot1), charge(slot2), failed(20n, slot2)];
export const byHand: Agreement = { ...agreed, type: 'PMR' };
