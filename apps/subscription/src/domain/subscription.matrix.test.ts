import { cellsOf, outcomeOf } from '@tillstream/machine/matrix';
import { describe, expect, test } from 'vitest';
import {
  asked,
  byHand,
  cancel,
  charge,
  charging,
  child,
  day,
  expire,
  failed,
  notPaid,
  paid,
  restore,
  slot0,
  slot1,
  slot2,
  start,
  stateAfter,
  tell,
  told,
  type Step,
} from './lives.ts';
import { subscription } from './machine.ts';
import { subscriptionMatrix } from './subscription.matrix.ts';
import type { SubscriptionCommand, SubscriptionState } from './subscription.ts';

describe('every status and every command', () => {
  const states: Record<SubscriptionState['status'], readonly SubscriptionState[]> = {
    absent: [subscription.absent],
    active: [stateAfter(start()), stateAfter(...asked), stateAfter(start(byHand))],
    'not paid': [
      stateAfter(...charging),
      stateAfter(...notPaid),
      stateAfter(start(byHand), charge(slot0), child(2, slot0)),
      stateAfter(...notPaid, { type: 'recordDeleted', orderId: 20n, at: slot1 }),
    ],
    cancelled: [
      stateAfter(start(), cancel(told)),
      stateAfter(...asked, cancel(slot0)),
      stateAfter(...charging, cancel(slot0)),
      stateAfter(start(byHand), cancel(told)),
      stateAfter(...notPaid, { type: 'recordDeleted', orderId: 20n, at: slot1 }, cancel(slot1)),
    ],
  };
  const times = [new Date('2026-01-11T00:00:00Z'), told, slot0, slot1, slot2, day('2026-03-01')];
  const sent: Record<SubscriptionCommand['type'], (at: Date) => readonly Step[]> = {
    start: (at) => [{ ...start(), at }],
    tellNotice: (at) => [tell(at)],
    charge: (at) => [charge(at)],
    recordChild: (at) => [child(2, at), child(1, at)],
    recordPaid: (at) => [
      (state) => paid(state.status === 'absent' ? stateAfter(start()) : state, at),
      (state) => {
        const command = paid(state.status === 'absent' ? stateAfter(start()) : state, at);
        return command.type === 'recordPaid' ? { ...command, term: { ...command.term, number: 1 } } : command;
      },
    ],
    recordFailed: (at) => [failed(20n, at), failed(99n, at)],
    recordDeleted: (at) => [20n, 99n].map((orderId) => ({ type: 'recordDeleted', orderId, at })),
    cancel: (at) => [cancel(at)],
    restore: (at) => [restore(at)],
    expire: (at) => [expire(at)],
  };

  test.each(cellsOf(subscriptionMatrix))('$status: $command', ({ status, command, outcomes }) => {
    const found = states[status as SubscriptionState['status']].flatMap((state) =>
      times.flatMap((at) =>
        sent[command as SubscriptionCommand['type']](at).map((step) =>
          outcomeOf(subscription, state, typeof step === 'function' ? step(state) : step),
        ),
      ),
    );
    expect(new Set(found)).toEqual(new Set(outcomes));
  });
});
