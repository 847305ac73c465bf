/** Which language a visitor reads. The tag keeps its region (de-AT), because sums and dates are written by region. */
import { de } from './de.ts';
import { en, type Words } from './en.ts';

const catalogues = { en, de } as const satisfies Record<string, Words>;

export type Language = keyof typeof catalogues;

export const languages = Object.keys(catalogues) as readonly Language[];

export interface Locale {
  /** BCP 47, canonical. */
  readonly tag: string;
  readonly language: Language;
  readonly direction: 'ltr' | 'rtl';
  readonly words: Words;
}

// No registered tag that we could show is longer; what is longer is somebody's experiment.
const longestTag = 35;
const rightToLeft = new Set(['ar', 'fa', 'he', 'ur']);

/** The first wish that there is a catalogue for; English when there is none. */
export function chooseLocale(wishes: readonly (string | undefined)[]): Locale {
  for (const wish of wishes) {
    const found = readLocale(wish);
    if (found !== undefined) return found;
  }
  return { tag: 'en', language: 'en', direction: 'ltr', words: en };
}

/** Undefined when it is no tag or there is no catalogue for its language. `en_GB` is read as `en-GB`. */
export function readLocale(text: string | undefined): Locale | undefined {
  if (text === undefined || text === '' || text.length > longestTag) return undefined;
  try {
    const [tag = ''] = Intl.getCanonicalLocales(text.replaceAll('_', '-'));
    const language = languages.find((each) => tag === each || tag.startsWith(`${each}-`));
    if (language === undefined) return undefined;
    return {
      tag,
      language,
      direction: rightToLeft.has(language) ? 'rtl' : 'ltr',
      words: catalogues[language],
    };
  } catch {
    return undefined;
  }
}

/** The tags of an Accept-Language header, most wanted first. */
export function readAcceptLanguage(header: string | undefined): readonly string[] {
  return (header ?? '')
    .slice(0, 500)
    .split(',')
    .map((part, at) => {
      const [tag = '', ...parameters] = part.split(';').map((each) => each.trim());
      const quality = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1');
      return { tag, at, quality: Number.isFinite(quality) ? quality : 0 };
    })
    .filter((each) => each.tag !== '' && each.quality > 0)
    .toSorted((a, b) => b.quality - a.quality || a.at - b.at)
    .map((each) => each.tag);
}

const instants = new Map<string, Intl.DateTimeFormat>();

/** An instant as people of this locale read it, in this IANA zone, which is named. An unknown zone is read as UTC. */
export function formatInstant(at: Date, locale: Locale, timeZone: string): string {
  const key = `${locale.tag} ${timeZone}`;
  let format = instants.get(key);
  if (format === undefined) {
    format = makeInstantFormat(locale.tag, timeZone);
    // Locales come from browsers: the store must not grow with what they think of.
    if (instants.size < 500) instants.set(key, format);
  }
  return format.format(at);
}

function makeInstantFormat(tag: string, timeZone: string): Intl.DateTimeFormat {
  const parts = {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  } as const;
  try {
    return new Intl.DateTimeFormat(tag, { ...parts, timeZone: timeZone === '' ? 'UTC' : timeZone });
  } catch {
    return new Intl.DateTimeFormat(tag, { ...parts, timeZone: 'UTC' });
  }
}
