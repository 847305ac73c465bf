import { expect, test } from 'vitest';
import { canPay, isOpen, phaseOf, type Phase } from './phase.ts';

const unpaid = { status: 'not paid', fulfilmentStatus: 'not delivered' };

test.each<[string, string, Phase]>([
  ['created', 'no', 'unfinished'],
  ['seen', 'no', 'unfinished'],
  ['seen', 'unknown', 'unknown'],
  ['processing', 'no', 'checking'],
  ['processing', 'unknown', 'checking'],
  ['created', 'unknown', 'unknown'],
  ['failed', 'unknown', 'unknown'],
  ['expired', 'yes', 'unknown'],
  ['confirmed', 'yes', 'checking'],
  ['booked', 'yes', 'confirming'],
  ['failed', 'no', 'failed'],
  ['expired', 'no', 'expired'],
  ['withdrawn', 'no', 'withdrawn'],
  ['processing_expired', 'unknown', 'unknown'],
  ['of_the_future', 'no', 'checking'],
])('an unpaid order with a %s payment (money moved: %s) is %s', (status, moneyMoved, phase) => {
  expect(phaseOf({ ...unpaid, payment: { status, moneyMoved } })).toBe(phase);
});

test('the order says more than its payment: paid, delivered and deleted win', () => {
  const payment = { status: 'failed', moneyMoved: 'no' };
  expect(phaseOf({ ...unpaid, status: 'paid', payment })).toBe('paid');
  expect(phaseOf({ status: 'paid', fulfilmentStatus: 'delivered', payment })).toBe('delivered');
  expect(phaseOf({ ...unpaid, status: 'deleted', payment: { status: 'booked', moneyMoved: 'yes' } })).toBe('deleted');
  expect(phaseOf(unpaid)).toBe('unpaid');
});

test('nobody is offered to pay where money may already have moved', () => {
  for (const phase of ['unknown', 'checking', 'confirming', 'paid', 'delivered', 'deleted'] as const) {
    expect(canPay(phase)).toBe(false);
  }
  for (const phase of ['unpaid', 'unfinished', 'failed', 'expired', 'withdrawn'] as const)
    expect(canPay(phase)).toBe(true);
  expect(isOpen('delivered')).toBe(false);
  expect(isOpen('failed')).toBe(false);
});
