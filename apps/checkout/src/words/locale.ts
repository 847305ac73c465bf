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

const formats = new Map<string, Intl.DateTimeFormat>();

const dayParts = { day: 'numeric', month: 'long', year: 'numeric' } as const;
const instantParts = { ...dayParts, hour: 'numeric', minute: '2-digit', timeZoneName: 'short' } as const;

/** An instant as people of this locale read it, in this IANA zone, which is named. An unknown zone is read as UTC. */
export function formatInstant(at: Date, locale: Locale, timeZone: string): string {
  return formatIn('instant', instantParts, locale, timeZone).format(at);
}

/** The day alone, as it is in this zone: terms end with their last day. */
export function formatDay(at: Date, locale: Locale, timeZone: string): string {
  return formatIn('day', dayParts, locale, timeZone).format(at);
}

function formatIn(
  name: string,
  parts: Intl.DateTimeFormatOptions,
  locale: Locale,
  timeZone: string,
): Intl.DateTimeFormat {
  const key = `${name} ${locale.tag} ${timeZone}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = makeFormat(locale.tag, timeZone, parts);
    // Locales come from browsers: the store must not grow with what they think of.
    if (formats.size < 500) formats.set(key, format);
  }
  return format;
}

function makeFormat(tag: string, timeZone: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(tag, { ...parts, timeZone: timeZone === '' ? 'UTC' : timeZone });
  } catch {
    return new Intl.DateTimeFormat(tag, { ...parts, timeZone: 'UTC' });
  }
}
