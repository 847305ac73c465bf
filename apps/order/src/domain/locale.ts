/** The language tag as BCP 47 writes it, or '' for what is none. A browser or a link may say anything. */
export function readLocale(text: string): string {
  // The longest tag in use has 35 characters.
  if (text.length > 35) return '';
  try {
    return Intl.getCanonicalLocales(text)[0] ?? '';
  } catch {
    return '';
  }
}
