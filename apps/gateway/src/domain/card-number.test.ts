import { expect, test } from 'vitest';
import { findCardNumber } from './card-number.ts';

test.each([
  ['4242424242424242', ''],
  ['4242 4242 4242 4242', ''],
  ['card: 4242-4242-4242-4242.', ''],
  ['４２４２ ４２４２ ４２４２ ４２４２', ''],
  ['4242\u20114242\u20114242\u20114242', ''],
  ['378282246310005', ''],
  ['card_4242424242424242', ''],
])('%s is a card number', (text, path) => expect(findCardNumber(text)).toBe(path));

test.each([
  '',
  'Quill Editor 2',
  '4242424242424241',
  '1763708400000',
  '424242424242',
  '42424242424242424242424242',
  'x4242424242424242',
  'a4242424242424242b',
  '018f0000-0000-7000-8000-000000000001',
])('%s is none', (text) => expect(findCardNumber(text)).toBeUndefined());

test('the place is named, also in keys, lists and depths', () => {
  expect(findCardNumber({ name: 'x', metadata: { note: '4242424242424242' } })).toBe('metadata.note');
  expect(findCardNumber({ metadata: { '4242424242424242': 'x' } })).toBe('metadata');
  expect(findCardNumber({ events: ['a', '4242424242424242'] })).toBe('events[1]');
  expect(findCardNumber({ amount: 4242424242424242, deep: null })).toBeUndefined();
});

test('a long hostile text is searched in a moment', () => {
  const startedAt = performance.now();
  findCardNumber('4'.repeat(250_000));
  findCardNumber('4 '.repeat(125_000));
  findCardNumber(`${'4242 4242 4242 424'.repeat(10_000)}x`);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
