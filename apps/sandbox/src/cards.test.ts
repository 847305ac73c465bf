import { expect, test } from 'vitest';
import { chargeKept, readCard } from './cards.ts';

const now = new Date('2026-11-20T00:00:00Z');

test('takes the published numbers, however they are spaced', () => {
  expect(readCard({ number: '4242 4242-42424242', expiry: '1/34', cvc: '123' }, now)).toHaveProperty('expiry');
  expect(readCard({ number: '4242 4242-42424242', expiry: '01/34', cvc: '123' }, now)).toMatchObject({
    last4: '4242',
    expiration: '01/2034',
  });
  expect(readCard({ number: '4000002760003184', expiry: '12 2034', cvc: '1234' }, now)).toMatchObject({
    rule: { isStrong: true },
  });
});

test('takes no other number, no past date and no short code, and says which', () => {
  expect(readCard({ number: '5555555555554444', expiry: '10/26', cvc: '12' }, now)).toEqual({
    number: 'number_unknown',
    expiry: 'expiry_past',
    cvc: 'cvc_wrong',
  });
  expect(readCard({ number: '', expiry: '13/30', cvc: '123' }, now)).toEqual({
    number: 'number_missing',
    expiry: 'expiry_wrong',
  });
  expect(readCard({ number: '4242424242424242', expiry: '11/26', cvc: '123' }, now)).toHaveProperty('rule');
});

test.each([
  ['4242', '11/2026', now, { status: 'succeeded', failure_code: '' }],
  ['4242', '11/2026', new Date('2026-12-01T00:00:00Z'), { status: 'failed', failure_code: 'expired_card' }],
  ['0341', '12/2034', now, { status: 'failed', failure_code: 'card_declined' }],
  ['3184', '12/2034', now, { status: 'succeeded', failure_code: '' }],
  ['7775', '12/2034', now, { status: 'succeeded', isSilent: true }],
  ['7775', '10/2026', now, { status: 'failed', failure_code: 'expired_card', isSilent: true }],
])('a kept card …%s good until %s, charged without its owner', (last4, expiration, at, outcome) => {
  expect(chargeKept({ last_4: last4, expiration }, at)).toMatchObject(outcome);
});
