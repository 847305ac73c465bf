import { expect, test } from 'vitest';
import { countriesIn } from '../src/words/countries.ts';
import { chooseLocale, formatInstant, languages, readAcceptLanguage, readLocale } from '../src/words/locale.ts';
import { textOf } from '../src/pages/html.ts';
import { gallery } from './fixtures.ts';

/** Every sentence by its path; functions are asked with a few words. */
function sentences(words: object, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    const at = `${path}.${key}`;
    if (typeof value === 'string') found.set(at, value);
    else if (typeof value === 'function')
      found.set(at, String(value(...Array.from({ length: value.length }, (_, each) => `‹${each}›`))));
    else for (const [inner, text] of sentences(value, at)) found.set(inner, text);
  }
  return found;
}

test('no word is missing, none was left in English, and none forgets what it is told', () => {
  const english = sentences(chooseLocale(['en']).words);
  const samePart = /\.(name|before|after)$/;
  for (const language of languages.filter((each) => each !== 'en')) {
    const other = sentences(chooseLocale([language]).words);
    expect([...other.keys()]).toEqual([...english.keys()]);
    for (const [path, text] of other) {
      if (!samePart.test(path)) expect(text.trim(), path).not.toBe('');
      expect(text.match(/‹\d›/g)?.toSorted() ?? [], path).toEqual(english.get(path)?.match(/‹\d›/g)?.toSorted() ?? []);
    }
    expect(
      [...other]
        .filter(([path, text]) => text === english.get(path) && /\p{L} \p{L}/u.test(text))
        .map(([path]) => path),
    ).toEqual([]);
  }
});

test('every page in every state is whole in each language, and small', () => {
  for (const language of languages) {
    for (const [name, page] of Object.entries(gallery(language))) {
      const text = textOf(page);
      expect(text, name).toContain(`<html lang="${language}" dir="ltr">`);
      expect(text, name).not.toMatch(/undefined|\[object|NaN|‹/);
      expect(text.match(/<h1/g), name).toHaveLength(1);
      expect(Buffer.byteLength(text), name).toBeLessThan(50_000);
      const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
      expect(new Set(ids).size, name).toBe(ids.length);
      for (const [, id] of text.matchAll(/(?:aria-describedby|aria-labelledby|for|href)="#?([a-z][\w-]*)"/g)) {
        expect(ids, `${name}: ${id ?? ''}`).toContain(id);
      }
    }
  }
});

test('languages are read forgivingly and never believed', () => {
  expect(readLocale('de_AT')?.tag).toBe('de-AT');
  expect(readLocale('EN-gb')?.tag).toBe('en-GB');
  for (const wish of ['fr', 'dex', '', '*', '"><', 'x'.repeat(40), '../en', undefined])
    expect(readLocale(wish)).toBeUndefined();
  expect(readAcceptLanguage('fr-CH, fr;q=0.9, en;q=0.8, de;q=0.85, *;q=0.5, it;q=0')).toEqual([
    'fr-CH',
    'fr',
    'de',
    'en',
    '*',
  ]);
  expect(chooseLocale([undefined, 'fr', 'de-CH', 'en']).tag).toBe('de-CH');
  expect(chooseLocale([]).tag).toBe('en');
});

test('countries are in the visitor’s language and order', () => {
  const german = countriesIn(chooseLocale(['de'])).map((each) => each.name);
  expect(german).toHaveLength(249);
  expect(german.indexOf('Ägypten')).toBeLessThan(german.indexOf('Albanien'));
  expect(countriesIn(chooseLocale(['en'])).find((each) => each.code === 'CI')?.name).toContain('Ivoire');
});

test('an unknown zone is read as UTC and says so', () => {
  const at = new Date('2026-07-01T12:00:00Z');
  expect(formatInstant(at, chooseLocale(['de']), 'Mars/Base')).toContain('UTC');
  expect(formatInstant(at, chooseLocale(['de']), 'Asia/Tokyo')).toContain('21:00');
});
