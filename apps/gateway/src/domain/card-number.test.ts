import { expect, test } from 'vitest';
import { looksLikeCard } from './card-number.ts';

test.each([
  '4242424242424242',
  '4242 4242 4242 4242',
  'card: 4242-4242-4242-4242.',
  '４２４２ ４２４２ ４２４２ ４２４２',
  '4242\u20114242\u20114242\u20114242',
  '4242\u00a04242\u00a04242\u00a04242',
  '378282246310005',
  'card_4242424242424242',
])('%s is a card number', (text) => expect(looksLikeCard(text)).toBe(true));

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
])('%s is none', (text) => expect(looksLikeCard(text)).toBe(false));

test('a long hostile text is searched in a moment', () => {
  const startedAt = performance.now();
  looksLikeCard('4'.repeat(250_000));
  looksLikeCard('4 '.repeat(125_000));
  looksLikeCard(`${'4242 4242 4242 424'.repeat(10_000)}x`);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
