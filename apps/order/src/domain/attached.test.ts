import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attach,
  complainAboutAttached,
  maxAdditionalParameters,
  maxExternalIdLength,
  maxParameterNameLength,
  maxParameterValueLength,
  nothingAttached,
  type Attached,
} from './attached.ts';

const withId = (externalId: string): Attached => ({ ...nothingAttached, externalId });
const withData = (...additionalData: Attached['additionalData']): Attached => ({ externalId: '', additionalData });
const one = (name: string, value = '') => withData({ name, value });
const codesOf = (attached: Attached) => complainAboutAttached(attached).map(({ param, code }) => `${param} ${code}`);

describe('what a later link attaches', () => {
  test('replaces the external id, unless the link has none', () => {
    expect(attach(withId('a'), withId('b')).externalId).toBe('b');
    expect(attach(withId('a'), nothingAttached).externalId).toBe('a');
  });

  test('wins by name at the place of the earlier value; new names follow', () => {
    const before = withData({ name: 'a', value: '1' }, { name: 'b', value: '2' });
    const added = withData({ name: 'c', value: '3' }, { name: 'a', value: '' });
    expect(attach(before, added).additionalData).toEqual([
      { name: 'a', value: '' },
      { name: 'b', value: '2' },
      { name: 'c', value: '3' },
    ]);
  });

  test('changes nothing when it is attached again', () => {
    const attached = fc.record({
      externalId: fc.string(),
      additionalData: fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c'), value: fc.string() })),
    });
    fc.assert(
      fc.property(attached, attached, (before, added) => {
        const after = attach(before, added);
        expect(attach(after, added)).toEqual(after);
        expect(new Set(after.additionalData.map(({ name }) => name)).size).toBe(after.additionalData.length);
      }),
    );
  });
});

describe('what may be attached', () => {
  test('is any printable text up to the limits', () => {
    const most: Attached = {
      externalId: 'x'.repeat(maxExternalIdLength),
      additionalData: Array.from({ length: maxAdditionalParameters }, (_, index) => ({
        name: `${'n'.repeat(maxParameterNameLength - 2)}${String(index).padStart(2, '0')}`,
        value: 'é'.repeat(maxParameterValueLength),
      })),
    };
    expect(complainAboutAttached(most)).toEqual([]);
    expect(complainAboutAttached(nothingAttached)).toEqual([]);
    expect(complainAboutAttached(one('utm.source_1-A', ' a;b&c "سلام" '))).toEqual([]);
  });

  test.each([
    ['an id that is too long', withId('x'.repeat(maxExternalIdLength + 1)), 'external_id too_long'],
    ['an id with a line break', withId('a\nb'), 'external_id invalid_field'],
    ['an id with half a character', withId('a\ud800'), 'external_id invalid_field'],
    ['a card number as id', withId('4242 4242 4242 4242'), 'external_id card_number_refused'],
    ['a value that is too long', one('a', 'x'.repeat(maxParameterValueLength + 1)), 'additional_data.a too_long'],
    ['a value with a zero character', one('a', '\0'), 'additional_data.a invalid_field'],
    ['a card number as value', one('a', 'n=4242-4242-4242-4242'), 'additional_data.a card_number_refused'],
    ['no name', one(''), 'additional_data invalid_field'],
    ['a name that is too long', one('n'.repeat(maxParameterNameLength + 1)), 'additional_data invalid_field'],
    ['a name of other characters', one('a b'), 'additional_data invalid_field'],
    ['a card number as name', one('4242424242424242'), 'additional_data invalid_field'],
    ['a name twice', withData({ name: 'a', value: '' }, { name: 'a', value: '' }), 'additional_data invalid_field'],
    [
      'one parameter too many',
      withData(
        ...Array.from({ length: maxAdditionalParameters + 1 }, (_, index) => ({ name: `n${index}`, value: '' })),
      ),
      'additional_data invalid_field',
    ],
  ])('is not %s', (_what, attached, complaint) => {
    expect(codesOf(attached)).toEqual([complaint]);
  });
});
