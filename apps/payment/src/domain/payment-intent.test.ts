import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginAttempt, type EarlierAttempt, type Wanted } from './begin-attempt.ts';
import { beginIntent, isReached, missingMinor, receive, type IntentStatus } from './payment-intent.ts';
import { expiresAt, expiryMinutesOf } from './policies.ts';

const intentOf = (...sums: readonly bigint[]) => sums.reduce(receive, beginIntent(10_000n, 'EUR'));

describe('the sums of an intent', () => {
  test.each<[readonly bigint[], IntentStatus, bigint]>([
    [[], 'unpaid', 10_000n],
    [[1n], 'partially_paid', 9_999n],
    [[6_000n, 3_999n], 'partially_paid', 1n],
    [[6_000n, 4_000n], 'paid', 0n],
    [[10_000n], 'paid', 0n],
    [[10_001n], 'overpaid', 0n],
    [[10_000n, 10_000n], 'overpaid', 0n],
  ])('received %s: %s, %s missing', (sums, status, missing) => {
    const intent = intentOf(...sums);
    expect([intent.status, missingMinor(intent)]).toEqual([status, missing]);
  });

  test('over nothing is paid when the instrument was verified, not before', () => {
    const free = beginIntent(0n, 'EUR');
    expect(free.status).toBe('unpaid');
    expect(receive(free, 0n).status).toBe('paid');
  });

  test('of any receipts in any order: the sum is theirs, it is reached once and for ever, and statuses only go forward', () => {
    const places: readonly IntentStatus[] = ['unpaid', 'partially_paid', 'paid', 'overpaid'];
    const sum = fc.bigInt(1n, 20_000n);
    fc.assert(
      fc.property(fc.bigInt(0n, 20_000n), fc.array(sum, { maxLength: 20 }), (asked, sums) => {
        let intent = beginIntent(asked, 'EUR');
        let reached = 0;
        for (const amount of sums) {
          const after = receive(intent, amount);
          expect(places.indexOf(after.status)).toBeGreaterThanOrEqual(places.indexOf(intent.status));
          if (isReached(after) && !isReached(intent)) reached += 1;
          if (isReached(intent)) expect(isReached(after)).toBe(true);
          intent = after;
        }
        const total = sums.reduce((one, other) => one + other, 0n);
        expect(intent).toMatchObject({ receivedMinor: total, amountMinor: asked });
        expect(isReached(intent)).toBe(sums.length > 0 && total >= asked);
        expect(reached).toBe(isReached(intent) ? 1 : 0);
        expect(missingMinor(intent)).toBe(total < asked ? asked - total : 0n);
        expect(sums.toReversed().reduce(receive, beginIntent(asked, 'EUR'))).toEqual(intent);
      }),
    );
  });
});

describe('another attempt', () => {
  const card: Wanted = { method: 'CreditCard', orderMinor: 10_000n, currency: 'EUR', savesInstrument: false };
  const transfer: Wanted = { ...card, method: 'BankTransfer' };
  const earlier = (wanted: Wanted, more: Partial<EarlierAttempt> = {}): EarlierAttempt => ({
    id: 'first',
    status: 'created',
    method: wanted.method,
    amountMinor: wanted.orderMinor,
    currency: wanted.currency,
    savesInstrument: wanted.savesInstrument,
    isOffSession: false,
    ...more,
  });
  const unpaid = beginIntent(10_000n, 'EUR');
  const begin = { do: 'begin', amountMinor: 10_000n };
  const goOn = { do: 'go on', id: 'first' };
  const unresolved = { do: 'refuse', reason: 'attempt_unresolved' };

  test.each<[string, readonly EarlierAttempt[], Wanted, unknown]>([
    ['the first of an order', [], card, begin],
    ['after one that failed', [earlier(card, { status: 'failed' })], card, begin],
    ['the same again', [earlier(card, { status: 'processing' })], card, goOn],
    ['the same transfer again', [earlier(transfer)], transfer, goOn],
    ['a card while a transfer waits', [earlier(transfer)], card, begin],
    ['a card while a transfer is being checked', [earlier(transfer, { status: 'processing' })], card, begin],
    ['a transfer while a card page is open', [earlier(card)], transfer, unresolved],
    ['a card that is kept while one is not', [earlier(card)], { ...card, savesInstrument: true }, unresolved],
    ['a transfer over another sum', [earlier(transfer, { amountMinor: 1n })], transfer, unresolved],
    ['beside a renewal that is charged', [earlier(card, { isOffSession: true })], card, unresolved],
    ['the waiting transfer, beside a card', [earlier(card, { id: 'second' }), earlier(transfer)], transfer, goOn],
  ])('%s', (_, before, wanted, answer) => {
    expect(beginAttempt(before.length === 0 ? undefined : unpaid, before, wanted)).toEqual(answer);
  });

  test('asks for what is missing, and is refused when nothing is', () => {
    const booked = earlier(transfer, { status: 'booked' });
    expect(beginAttempt(intentOf(6_000n), [booked], card)).toEqual({ do: 'begin', amountMinor: 4_000n });
    const paid = { do: 'refuse', reason: 'order_already_paid' };
    expect(beginAttempt(intentOf(10_000n), [booked], card)).toEqual(paid);
    expect(beginAttempt(intentOf(12_000n), [booked, earlier(card)], card)).toEqual(paid);
  });
});

test('a page expires after the minutes of the policy: 30 unless it says otherwise, 5 at least and a day at most', () => {
  expect([0, 5, 45, 1_440, 4, 1_441, -1].map(expiryMinutesOf)).toEqual([
    30,
    5,
    45,
    1_440,
    undefined,
    undefined,
    undefined,
  ]);
  expect(expiresAt(new Date('2026-11-20T08:00:00Z'), 45)).toEqual(new Date('2026-11-20T08:45:00Z'));
});
