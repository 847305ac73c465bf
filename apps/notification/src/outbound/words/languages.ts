/** Which language a mail speaks. */
import { de } from './de.ts';
import { en } from './en.ts';
import type { Words } from './words.ts';

const languages: Readonly<Record<string, Words>> = { de, en };

/** By the language of a BCP 47 tag; English when there is no such catalogue. */
export function wordsOf(locale: string): Words {
  return languages[locale.toLowerCase().split('-')[0] ?? ''] ?? en;
}

/** The tag itself where it is of the same language, so that de-CH gets its own sums and dates. */
export function formatLocaleOf(locale: string, words: Words): string {
  try {
    const [canonical = ''] = Intl.getCanonicalLocales(locale);
    return canonical.split('-')[0] === words.locale ? canonical : words.locale;
  } catch {
    return words.locale;
  }
}
