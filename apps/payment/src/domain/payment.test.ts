import { cellsOf, outcomeOf } from '@tillstream/machine/matrix';
import { evolveAll } from '@tillstream/machine/machine';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { payment, type Asked, type PaymentCommand, type PaymentEvent, type PaymentState } from './payment.ts';
import { paymentMatrix } from './payment.matrix.ts';

const at = new Date('2026-11-20T08:00:00Z');
const asked: Asked = {
  orderId: 1n,
  livemode: false,
  amountMinor: 10_000n,
  currency: 'EUR',
  method: 'CreditCard',
  provider: 'sandbox',
  returnUrl: 'https://shop.example/thanks',
  locale: 'en',
  description: 'A0000000001',
  createdAt: at,
  expiresAt: new Date(at.getTime() + 1_800_000),
};
const failure = { reason: 'card_declined', code: 'card_declined', description: 'no' };
const commands: Record<PaymentCommand['type'], PaymentCommand> = {
  create: { type: 'create', asked },
  recordPage: { type: 'recordPage', providerPaymentId: 'p', redirectUrl: 'https://provider.example/p' },
  recordUnknown: { type: 'recordUnknown' },
  recordOpened: { type: 'recordOpened' },
  recordSubmitted: { type: 'recordSubmitted' },
  recordConfirmed: { type: 'recordConfirmed' },
  recordBooked: { type: 'recordBooked', amountMinor: 10_000n, currency: 'EUR', card: undefined, at },
  recordFailed: { type: 'recordFailed', failure, card: undefined, at },
  expire: { type: 'expire', at },
  withdraw: { type: 'withdraw', at },
  expireProcessing: { type: 'expireProcessing' },
};
const ways: Record<PaymentState['status'], readonly (keyof typeof commands)[]> = {
  absent: [],
  created: ['create'],
  seen: ['create', 'recordOpened'],
  processing: ['create', 'recordSubmitted'],
  confirmed: ['create', 'recordConfirmed'],
  booked: ['create', 'recordBooked'],
  failed: ['create', 'recordFailed'],
  expired: ['create', 'expire'],
  withdrawn: ['create', 'withdraw'],
  processing_expired: ['create', 'recordSubmitted', 'expireProcessing'],
};

function after(...sent: readonly PaymentCommand[]): PaymentState {
  return sent.reduce<PaymentState>((state, command) => {
    const decision = payment.decide(state, command);
    return decision.answer === 'accepted' ? evolveAll(payment, state, decision.events) : state;
  }, payment.absent);
}

const reach = (status: PaymentState['status']) => after(...ways[status].map((name) => commands[name]));

describe('every status and every command', () => {
  test.each(cellsOf(paymentMatrix))('$status: $command', ({ status, command, outcomes }) => {
    const state = reach(status as PaymentState['status']);
    expect(state.status).toBe(status);
    expect(outcomes).toContain(outcomeOf(payment, state, commands[command as PaymentCommand['type']]));
  });
});

describe('money', () => {
  test.each([
    ['another amount', { amountMinor: 9_999n, currency: 'EUR' }],
    ['another currency', { amountMinor: 10_000n, currency: 'USD' }],
    ['more', { amountMinor: 10_001n, currency: 'EUR' }],
  ])('%s is not booked but held for review, once', (_, sum) => {
    const wrong: PaymentCommand = { ...commands.recordBooked, type: 'recordBooked', card: undefined, at, ...sum };
    const held = after(commands.create, commands.recordSubmitted, wrong);
    expect(held).toMatchObject({ status: 'processing', reviewReason: 'amount_mismatch' });
    expect(payment.decide(held, wrong).answer).toBe('ignored');
    expect(payment.decide(held, commands.recordBooked).answer).toBe('ignored');
  });

  test.each(['failed', 'expired', 'withdrawn'] as const)(
    'that arrives after %s is held for review; the status stays',
    (status) => {
      const late = after(...ways[status].map((name) => commands[name]), commands.recordBooked);
      expect(late).toMatchObject({ status, reviewReason: 'paid_after_final' });
    },
  );
});

test('in any order of any commands: at most one booking, and an end is an end', () => {
  const anyCommand = fc.constantFrom(...Object.values(commands));
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 30 }), (sent) => {
      let state: PaymentState = payment.absent;
      const events: PaymentEvent[] = [];
      for (const command of sent) {
        const before = state;
        const decision = payment.decide(state, command);
        if (decision.answer !== 'accepted') continue;
        state = evolveAll(payment, state, decision.events);
        events.push(...decision.events);
        if (['booked', 'failed', 'expired', 'withdrawn'].includes(before.status))
          expect(state.status).toBe(before.status);
      }
      expect(events.filter((event) => event.type === 'paymentBooked').length).toBeLessThanOrEqual(1);
    }),
  );
});
