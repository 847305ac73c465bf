import { cellsOf, outcomeOf } from '@tillstream/machine/matrix';
import { evolveAll } from '@tillstream/machine/machine';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  payment,
  type Asked,
  type PaymentCommand,
  type PaymentEvent,
  type PaymentState,
  type Settlement,
} from './payment.ts';
import { receive } from './payment-intent.ts';
import { paymentMatrix } from './payment.matrix.ts';

const at = new Date('2026-11-20T08:00:00Z');
const asked: Asked = {
  orderId: 1n,
  livemode: false,
  orderMinor: 10_000n,
  amountMinor: 10_000n,
  currency: 'EUR',
  method: 'CreditCard',
  provider: 'sandbox',
  accountId: 'account',
  returnUrl: 'https://shop.example/thanks',
  locale: 'en',
  description: 'A0000000001',
  createdAt: at,
  expiresAt: new Date(at.getTime() + 1_800_000),
  savesInstrumentId: '',
  renewal: undefined,
  instrumentId: '',
  instrument: undefined,
};
const renewal: Asked = {
  ...asked,
  expiresAt: undefined,
  renewal: { subscriptionId: '1_2', term: 2, slot: 0 },
  instrumentId: 'kept',
};
const settlement: Settlement = { at, providerPaymentId: 'p', instrument: undefined, instrumentToken: '' };
const failure = { reason: 'card_declined', code: 'card_declined', description: 'no' };
const commands: Record<PaymentCommand['type'], PaymentCommand> = {
  create: { type: 'create', asked },
  charge: { type: 'charge', asked: renewal, obstacle: '' },
  recordPage: { type: 'recordPage', providerPaymentId: 'p', redirectUrl: 'https://provider.example/p' },
  recordUnknown: { type: 'recordUnknown' },
  recordOpened: { type: 'recordOpened' },
  recordSubmitted: { type: 'recordSubmitted' },
  recordConfirmed: { type: 'recordConfirmed' },
  recordBooked: { type: 'recordBooked', amountMinor: 10_000n, currency: 'EUR', settlement },
  recordFailed: { type: 'recordFailed', failure, settlement },
  expire: { type: 'expire', at, closedPage: '' },
  withdraw: { type: 'withdraw', at, closedPage: '' },
  recordClosed: { type: 'recordClosed', at, closedPage: '' },
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
    const wrong: PaymentCommand = { ...commands.recordBooked, type: 'recordBooked', settlement, ...sum };
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

describe('a transfer, of which the customer decides on the sum', () => {
  const transfer: PaymentCommand = { type: 'create', asked: { ...asked, method: 'BankTransfer' } };
  const bringing = (amountMinor: bigint, currency = 'EUR'): PaymentCommand => ({
    type: 'recordBooked',
    amountMinor,
    currency,
    settlement,
  });

  test.each([
    [9_999n, 'partially_paid'],
    [10_000n, 'paid'],
    [10_001n, 'overpaid'],
  ])('is booked with what it brought: %s makes the intent %s', (amountMinor, status) => {
    const booked = after(transfer, commands.recordSubmitted, bringing(amountMinor));
    const intent = { amountMinor: 10_000n, receivedMinor: amountMinor, status };
    expect(booked).toMatchObject({ status: 'booked', reviewReason: '', intent });
    expect(payment.decide(booked, bringing(amountMinor)).answer).toBe('ignored');
  });

  test.each([
    ['another currency', 10_000n, 'USD', 'other_currency'],
    ['nothing', 0n, 'EUR', undefined],
  ])('over %s is held for review', (_, amountMinor, currency, takenFor) => {
    const held = payment.decide(after(transfer), bringing(amountMinor, currency));
    const receipt = takenFor === undefined ? undefined : { amountMinor, currency, takenFor, receivedAt: at };
    expect(held).toEqual({
      answer: 'accepted',
      events: [{ type: 'paymentHeldForReview', reason: 'amount_mismatch', receipt }],
    });
  });

  test('that arrives after another attempt has paid is booked as a surplus and held for review', () => {
    const waiting = after(transfer);
    if (waiting.status === 'absent') throw new Error('no payment');
    const paid: PaymentState = { ...waiting, intent: receive(waiting.intent, 10_000n) };
    const decision = payment.decide(paid, bringing(10_000n));
    if (decision.answer !== 'accepted') throw new Error(decision.answer);
    expect(decision.events).toMatchObject([
      { type: 'paymentBooked', receipt: { takenFor: 'surplus' } },
      { type: 'paymentHeldForReview', reason: 'paid_after_final', receipt: undefined },
    ]);
    expect(evolveAll(payment, paid, decision.events)).toMatchObject({
      status: 'booked',
      reviewReason: 'paid_after_final',
      intent: { receivedMinor: 20_000n, status: 'overpaid' },
    });
  });
});

describe('a page that came after the provider had been asked to close it', () => {
  test.each(['expire', 'withdraw'] as const)('is closed before the payment ends: %s', (type) => {
    const open = after(commands.create, commands.recordPage);
    expect(payment.decide(open, { type, at, closedPage: '' }).answer).toBe('ignored');
    expect(payment.decide(open, { type, at, closedPage: 'another' }).answer).toBe('ignored');
    expect(payment.decide(open, { type, at, closedPage: 'p' }).answer).toBe('accepted');
  });
  test.each(['expire', 'withdraw'] as const)('and so is one whose address is not here yet: %s', (type) => {
    expect(payment.decide(after(commands.create), { type, at, closedPage: 'p' }).answer).toBe('accepted');
  });
});

describe('a page that the provider says is closed, and nobody here knows why', () => {
  const open = after(commands.create, commands.recordPage, commands.recordOpened);
  const end = (sinceMs: number, closedPage = 'p') =>
    payment.decide(open, { type: 'recordClosed', at: new Date(at.getTime() + sinceMs), closedPage });
  test('was withdrawn before its time was over, and has expired after', () => {
    const early = new Date(at.getTime() + 1_799_999);
    expect(end(1_799_999)).toEqual({ answer: 'accepted', events: [{ type: 'paymentWithdrawn', at: early }] });
    const expired = { answer: 'accepted', events: [{ type: 'paymentExpired', at: asked.expiresAt }] };
    expect(end(1_800_000)).toEqual(expired);
    expect(end(9_000_000)).toEqual(expired);
  });
  test('changes nothing when it is another than this payment’s', () => {
    expect(end(0, 'another').answer).toBe('ignored');
  });
});

describe('a renewal', () => {
  test('is processing from the start: it neither expires nor can be withdrawn', () => {
    const charged = after(commands.charge);
    expect(charged).toMatchObject({ status: 'processing', instrumentId: 'kept' });
    expect(payment.decide(charged, commands.expire).answer).toBe('ignored');
    expect(payment.decide(charged, commands.withdraw).answer).toBe('refused');
    expect(after(commands.charge, commands.recordBooked)).toMatchObject({ status: 'booked', instrumentId: 'kept' });
  });

  test.each([
    ['beside a payment that lives', { asked: renewal, obstacle: 'the order is being paid' }, 'ignored'],
    ['of nothing', { asked: { ...renewal, amountMinor: 0n }, obstacle: '' }, 'refused: amount_out_of_range'],
    ['of what is not known', { asked: { ...renewal, instrumentId: '' }, obstacle: '' }, 'failed'],
  ])('%s: %s', (_, charge, outcome) => {
    expect(outcomeOf(payment, payment.absent, { type: 'charge', ...charge })).toBe(outcome);
  });
});

describe('an instrument', () => {
  const saving = { type: 'create', asked: { ...asked, amountMinor: 0n, savesInstrumentId: 'new' } } as const;
  const paid = { ...commands.recordBooked, type: 'recordBooked', amountMinor: 0n, currency: 'EUR' } as const;

  test('is kept by a payment that paid, also by one of nothing', () => {
    const token = { ...settlement, instrumentToken: 'secret' };
    expect(after(saving)).toMatchObject({ status: 'created', instrumentId: '' });
    expect(after(saving, { ...paid, settlement: token })).toMatchObject({ status: 'booked', instrumentId: 'new' });
    expect(after(saving, { type: 'recordFailed', failure, settlement: token })).toMatchObject({ instrumentId: '' });
  });

  test('that the provider did not keep is none; nothing is paid with nothing', () => {
    expect(after(saving, { ...paid, settlement })).toMatchObject({ status: 'booked', instrumentId: '' });
    const free: PaymentCommand = { type: 'create', asked: { ...asked, amountMinor: 0n } };
    expect(outcomeOf(payment, payment.absent, free)).toBe('refused: amount_out_of_range');
  });
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
