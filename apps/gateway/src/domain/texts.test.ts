import { expect, test } from 'vitest';
import { canBeKept, textsIn } from './texts.ts';

const placesOf = (value: unknown, wanted: string) =>
  [...textsIn(value)].filter(({ text }) => text === wanted).map(({ path }) => path);

test('every text is found with its place: values, keys, lists, depths', () => {
  expect(placesOf('w', 'w')).toEqual(['']);
  expect(placesOf({ name: 'x', metadata: { note: 'w' } }, 'w')).toEqual(['metadata.note']);
  expect(placesOf({ metadata: { w: 'x' } }, 'w')).toEqual(['metadata']);
  expect(placesOf({ events: ['a', 'w'], prices: [{ currency: 'w' }] }, 'w').toSorted()).toEqual([
    'events[1]',
    'prices[0].currency',
  ]);
  expect(placesOf({ amount: 7, deep: null, yes: true }, 'w')).toEqual([]);
});

test('a hundred thousand levels are only long', () => {
  let deep: unknown = 'w';
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect([...textsIn(deep)]).toHaveLength(1);
});

test('what cannot be kept as it was given is known', () => {
  for (const text of ['', 'Quill', 'محمد 🌸', '\u202e', '\t\r\n', '\u0001']) expect(canBeKept(text)).toBe(true);
  for (const text of ['a\0b', '\ud800', 'x\udc00', '\udf38\ud83c']) expect(canBeKept(text)).toBe(false);
});
