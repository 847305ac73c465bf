import { publicSubscriptionId } from '@tillstream/public-api/values';
import { expect, test } from 'vitest';
import { readSubscriptionId } from './subscription-id.ts';

test('the public id and the seed’s name the same subscription', () => {
  expect(readSubscriptionId('5555555_456660')).toBe('5555555_456660');
  expect(readSubscriptionId(publicSubscriptionId('5555555_456660'))).toBe('5555555_456660');
});

test.each([
  '',
  'sub_',
  '5555555',
  'sub_5555555',
  '5555555_',
  '_1',
  '0_1',
  '1_0',
  '01_1',
  '1_1 ',
  'SUB_1_1',
  'sub_sub_1_1',
  '1_1_1',
  '-1_1',
  '1e3_1',
  `${'9'.repeat(16)}_1`,
])('%j names none', (text) => expect(readSubscriptionId(text)).toBeUndefined());
