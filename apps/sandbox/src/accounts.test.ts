import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { callbackSecretOf, callerOf, maySee } from './accounts.ts';

const secret = 'the installation’s secret';
const keyOf = (account: string) =>
  `${account}.${createHmac('sha256', secret).update(`api key|${account}`).digest('hex')}`;

test('a key names its account; one that was not issued names none', () => {
  expect(callerOf(`Bearer ${secret}`, secret)).toEqual({ account: '' });
  expect(callerOf(`Bearer ${keyOf('pa_1')}`, secret)).toEqual({ account: 'pa_1' });
  for (const wrong of [
    '',
    'Bearer ',
    keyOf('pa_1'),
    `Bearer ${keyOf('pa_1').replace('pa_1', 'pa_2')}`,
    `Bearer ${keyOf('')}`,
    `Bearer ${keyOf('pa_1')}0`,
  ])
    expect(callerOf(wrong, secret), wrong).toBeUndefined();
});

test('an account sees what is its own, the installation sees all', () => {
  expect(maySee({ account: 'pa_1' }, { account: 'pa_1' })).toBe(true);
  expect(maySee({ account: 'pa_1' }, { account: 'pa_2' })).toBe(false);
  expect(maySee({ account: 'pa_1' }, { account: '' })).toBe(false);
  expect(maySee({ account: '' }, { account: 'pa_2' })).toBe(true);
});

test('callbacks of accounts have secrets of their own', () => {
  expect(callbackSecretOf('', secret)).toBe(secret);
  expect(new Set(['', 'pa_1', 'pa_2'].map((account) => callbackSecretOf(account, secret))).size).toBe(3);
});
