/** A page that was not found linked to its own path: below //evil.example that was another site. */
import { expect, test } from 'vitest';
import { ownPath } from './visit.ts';

test('a page’s own path is a path of this site, whatever was asked for', () => {
  for (const url of [
    '//evil.example/x',
    '///evil.example/x',
    '/\\evil.example/x',
    '\\\\evil.example/x',
    'http://shop.example//evil.example/x',
    'HTTPS://evil.example//evil.example/x',
  ])
    expect(ownPath(url)).toBe('/evil.example/x');
  expect(ownPath('/checkout/abc?locale=de')).toBe('/checkout/abc');
  expect(ownPath('/a//b')).toBe('/a//b');
  expect(ownPath('?x')).toBe('/');
});
