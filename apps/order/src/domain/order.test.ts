import { evolveAll } from '@tillstream/machine/machine';
import { cellsOf, outcomeOf } from '@tillstream/machine/matrix';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderMatrix } from './order.matrix.ts';
import { fulfilmentOf, order, type Order, type OrderCommand, type OrderState } from './order.ts';
import type { Item } from './item.ts';
import { orderName, type PaymentShown, type Placed } from './placed.ts';
import type { Renewal } from './subscription/renewal.ts';

const visa = { kind: 'card', details: { brand: 'Visa', last4: '4242', expiration: '12/2034' } } as const;

const at = new Date('2026-11-20T08:00:00Z');
const item: Item = {
  id: 1n,
  productId: '100001',
  name: 'Demo',
  familyName: '',
  vendorCode: '',
  sku: '',
  businessSegment: 'b2c',
  priceMinor: 5_000n,
  quantity: 1,
  discountMinor: 0n,
  vatMinor: 0n,
  amountMinor: 5_000n,
  marginMinor: 5_000n,
  deliveryMethod: 'pool',
  oneCodePer: 'unit',
  sendMail: true,
  showOnOrderPage: true,
  terms: {
    type: 'AR',
    period: 'P1Y',
    trialPeriod: '',
    renewalPriceMinor: 5_000n,
    renewalPrice: 'snapshot',
  },
};
const placed: Placed = {
  orderId: 7n,
  source: 'cart',
  cartId: 'c',
  cartVersion: 1,
  livemode: false,
  createdAt: at,
  currency: 'EUR',
  locale: 'en',
  token: 't',
  shopName: 'Shop',
  supportEmail: '',
  timeZone: 'UTC',
  customer: {
    country: 'FR',
    type: 'physical',
    email: 'a@b.example',
    firstName: 'A',
    lastName: 'B',
    phone: '',
    vatNumber: '',
    companyName: '',
    companyBillingAddress: '',
    companyDeliveryAddress: '',
  },
  items: [item, { ...item, id: 2n, terms: undefined }],
  totalMinor: 10_000n,
  paymentMethod: 'CreditCard',
  paymentSystemName: 'Bank Card',
  autoRenew: true,
  externalId: '',
  additionalData: [],
  metadata: {},
  consent: { wording: '', termsUrl: '', privacyUrl: '', at },
  reminders: ['P1D', 'P7D'],
  renewal: undefined,
};

const renewal: Renewal = {
  subscriptionId: '7_1',
  term: 2,
  parentOrderId: 7n,
  parentItemId: 1n,
  parentToken: 't',
  previousOrderId: 7n,
  previousItemId: 1n,
  type: 'AR',
  period: 'P1Y',
  isConversionFromTrial: false,
  expiresAt: new Date('2027-11-20T23:59:00Z'),
  nextChargeAt: new Date('2027-10-31T23:59:00Z'),
  anchorOn: '2026-11-20',
  periods: 1,
  instrumentId: 'i',
  saved: { systemName: 'Bank Card', instrument: visa },
};
const child: Placed = { ...placed, orderId: 8n, cartId: '', items: [{ ...item, id: 3n }], totalMinor: 5_000n, renewal };
const shown = (paymentId: string, status: 'booked' | 'failed'): PaymentShown => ({
  paymentId,
  status,
  method: 'CreditCard',
  systemName: 'Bank Card',
  instrument: visa,
  reason: '',
  errorCode: '',
  errorDescription: '',
  instrumentId: 'i',
});
const pay = (paymentId: string): Extract<OrderCommand, { type: 'recordPayment' }> => ({
  type: 'recordPayment',
  payment: shown(paymentId, 'booked'),
  amountMinor: 10_000n,
  currency: 'EUR',
  at,
});
const news = (change: 'cancelled' | 'restored', status: 'not paid' | 'active' = 'active'): OrderCommand => ({
  type: 'recordSubscription',
  news: {
    subscriptionId: '7_1',
    change,
    status: change === 'cancelled' ? 'cancelled' : status,
    expiresAt: new Date('2028-11-20T23:59:00Z'),
    nextChargeAt: undefined,
  },
});
const cancel = news('cancelled');

const commands: Record<OrderCommand['type'], OrderCommand> = {
  place: { type: 'place', placed },
  recordPaymentFailed: { type: 'recordPaymentFailed', payment: shown('p-failed', 'failed'), at },
  recordPayment: pay('p-new'),
  recordItemDelivered: { type: 'recordItemDelivered', itemId: 1n, at },
  recordSubscription: cancel,
  remind: { type: 'remind', number: 1, dueAt: at, at, isWanted: true },
  resendLicences: { type: 'resendLicences', requestId: '' },
  delete: { type: 'delete', reason: 'by_merchant' },
};

function after(...sent: readonly OrderCommand[]): OrderState {
  return sent.reduce<OrderState>((state, command) => {
    const decision = order.decide(state, command);
    return decision.answer === 'accepted' ? evolveAll(order, state, decision.events) : state;
  }, order.absent);
}

function existing(...sent: readonly OrderCommand[]): Order {
  const state = after(commands.place, ...sent);
  if (state.status === 'absent') throw new Error('absent');
  return state;
}

const ways: Record<OrderState['status'], readonly OrderCommand[]> = {
  absent: [],
  'not paid': [commands.place],
  paid: [commands.place, pay('p-first')],
  deleted: [commands.place, commands.delete],
};

describe('every status and every command', () => {
  test.each(cellsOf(orderMatrix))('$status: $command', ({ status, command, outcomes }) => {
    const state = after(...ways[status as OrderState['status']]);
    expect(outcomes).toContain(outcomeOf(order, state, commands[command as OrderCommand['type']]));
  });

  test('of a child: the same cells, and the subscription is noted before it is paid', () => {
    const ofChild = { ...commands, place: { type: 'place', placed: child } } as const;
    const paying = { ...pay('p-new'), amountMinor: 5_000n };
    for (const { status, command, outcomes } of cellsOf(orderMatrix)) {
      const start: readonly OrderCommand[] = [
        ...(status === 'absent' ? [] : [ofChild.place]),
        ...(status === 'paid' ? [{ ...paying, payment: shown('p-first', 'booked') }] : []),
        ...(status === 'deleted' ? [commands.delete] : []),
      ];
      const asked =
        command === 'recordPayment'
          ? paying
          : command === 'recordItemDelivered'
            ? ({ type: 'recordItemDelivered', itemId: 3n, at } as const)
            : ofChild[command as OrderCommand['type']];
      expect(outcomes, `${status}: ${command}`).toContain(outcomeOf(order, after(...start), asked));
    }
    expect(outcomeOf(order, after(ofChild.place), cancel)).toBe('not paid');
  });
});

test('another sum does not pay the order', () => {
  for (const sum of [{ amountMinor: 9_999n }, { amountMinor: 10_001n }, { currency: 'USD' }]) {
    expect(order.decide(existing(), { ...pay('p'), ...sum })).toEqual({ answer: 'refused', reason: 'amount_mismatch' });
  }
});

test('licences are sent again while the order is paid and something is delivered, at most twenty times (R38)', () => {
  const resend = commands.resendLicences;
  expect(outcomeOf(order, existing(), resend)).toBe('refused: order_not_paid');
  expect(outcomeOf(order, existing(pay('a')), resend)).toBe('ignored');
  const delivered = existing(pay('a'), commands.recordItemDelivered);
  expect(order.decide(delivered, resend)).toEqual({
    answer: 'accepted',
    events: [{ type: 'orderLicencesAsked', itemIds: [1n], number: 1, requestId: '' }],
  });
  const often = existing(pay('a'), commands.recordItemDelivered, ...Array.from({ length: 20 }, () => resend));
  expect(often.resends).toHaveLength(20);
  expect(outcomeOf(order, often, resend)).toBe('refused: too_many_resends');
  expect(outcomeOf(order, existing(commands.delete), resend)).toBe('refused: order_deleted');
  const named = { type: 'resendLicences', requestId: 'r1' } as const;
  const asked = existing(pay('a'), commands.recordItemDelivered, named);
  expect(outcomeOf(order, asked, named)).toBe('ignored');
  expect(outcomeOf(order, asked, { ...named, requestId: 'r2' })).toBe('paid');
  expect(outcomeOf(order, asked, resend)).toBe('paid');
});

test('a second payment is due for refund, once, and delivers nothing more', () => {
  const twice = existing(pay('a'), pay('b'), pay('b'), pay('a'));
  expect([twice.status, twice.payment?.paymentId, twice.refundDue]).toEqual(['paid', 'a', ['b']]);
});

test('money for a deleted order is due for refund and does not revive it', () => {
  expect(existing(commands.delete, pay('late'))).toMatchObject({ status: 'deleted', refundDue: ['late'] });
});

test('delivered only when every item is (R37)', () => {
  const one = existing(pay('a'), commands.recordItemDelivered);
  expect(fulfilmentOf(one)).toBe('not delivered');
  const both = order.decide(one, { type: 'recordItemDelivered', itemId: 2n, at });
  expect(both).toMatchObject({
    answer: 'accepted',
    events: [{ type: 'orderItemDelivered' }, { type: 'orderDelivered' }],
  });
  expect(order.decide(one, commands.recordItemDelivered).answer).toBe('ignored');
  expect(order.decide(one, { type: 'recordItemDelivered', itemId: 99n, at }).answer).toBe('refused');
});

test('names have ten digits (R18)', () => {
  expect([orderName(5_555_555n), orderName(12_345_678n)]).toEqual(['A0005555555', 'A0012345678']);
});

test('in any order of any commands: never unpaid again, delivered only after paid, one paying payment', () => {
  const any = fc.constantFrom(...Object.values(commands), pay('a'), pay('b'), {
    type: 'recordItemDelivered',
    itemId: 2n,
    at,
  } as const);
  fc.assert(
    fc.property(fc.array(any, { maxLength: 40 }), (sent) => {
      let state: OrderState = order.absent;
      let payer: string | undefined;
      for (const command of sent) {
        const before = state;
        const decision = order.decide(state, command);
        if (decision.answer === 'accepted') state = evolveAll(order, state, decision.events);
        if (before.status === 'paid' || before.status === 'deleted') expect(state.status).toBe(before.status);
        if (state.status === 'absent') continue;
        if (state.deliveredAt.size > 0) expect(state.status).toBe('paid');
        if (state.status === 'paid') {
          payer ??= state.payment?.paymentId;
          expect(state.payment?.paymentId).toBe(payer);
        }
      }
    }),
  );
});
