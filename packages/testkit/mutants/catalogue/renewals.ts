/** Bugs of subscriptions: terms, charges, cancels, the calendar and merchants' clocks. */
import { patch, type Mutant } from '../mutant.ts';

const machine = 'apps/subscription/src/domain/machine.ts';

export const renewals: readonly Mutant[] = [
  {
    id: 'term-from-the-payment',
    sentence:
      'A term begins with the day of its payment instead of the end of the one before: terms overlap and drift.',
    museum: 'lago #6194, #6139',
    caughtBy: 'terms are contiguous',
    hint: 'charges',
    patches: [
      patch(
        'packages/calendar/src/term.ts',
        'return next.expiresAt > paidAt ? next : firstTerm(calendar, paidAt);',
        'return next.expiresAt > paidAt ? firstTerm(calendar, paidAt) : next;',
      ),
    ],
  },
  {
    id: 'cancelled-child-is-charged',
    sentence: 'The order of a renewal that comes after the cancel is charged all the same.',
    museum: 'polar #13691',
    caughtBy: 'nothing is charged of what is cancelled',
    hint: 'late cancels',
    patches: [
      patch(
        machine,
        "    status === 'cancelled'\n      ? [{ type: 'cancelRepeated' }]\n      : renewsByItself(agreed)",
        "    agreed.type === undefined\n      ? [{ type: 'cancelRepeated' }]\n      : renewsByItself(agreed)",
      ),
    ],
  },
  {
    id: 'failure-is-not-heard',
    sentence: 'A charge that failed is noted, and the next one is never planned.',
    museum: 'polar #13272',
    caughtBy: 'nothing is left without a next step',
    hint: 'charges',
    patches: [
      patch(
        machine,
        '      return { ...withCharges(state, { lastSlot: event.slot, chargingSince: undefined }), chargeAt: event.nextAt };',
        '      return { ...withCharges(state, { lastSlot: event.slot, chargingSince: undefined }), chargeAt: undefined };',
      ),
    ],
  },
];
