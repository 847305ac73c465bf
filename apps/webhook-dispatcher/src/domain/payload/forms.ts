/** The forms that values take in the seed's examples. */

/** `2021-08-13T09:16:35+03:00`: the zone's offset at that moment, no milliseconds, never Z (D9). */
export function dateIn(timeZone: string, at: Date): string {
  const instant = Temporal.Instant.fromEpochMilliseconds(at.getTime());
  return instant.toZonedDateTimeISO(timeZone).toString({ smallestUnit: 'second', timeZoneName: 'never' });
}

/** `en` → `en_EN`, `pt-BR` → `pt_BR`. The seed knows no locale without a second half, so the language stands in. */
export function localeOf(tag: string): string {
  const [language = '', ...rest] = tag.split(/[-_]/);
  const region = rest.find((part) => /^[A-Za-z]{2}$/.test(part)) ?? language;
  return `${language.toLowerCase()}_${region.toUpperCase()}`;
}

/** Whether a card of `MM/YYYY` is past its last month at that moment (in UTC: no card is refused for an hour). */
export function isCardExpired(expiration: string, at: Date): boolean {
  const match = /^(\d{2})\/(\d{4})$/.exec(expiration);
  if (match === null) return false;
  const [, month = '', year = ''] = match;
  return at.getTime() >= Date.UTC(Number(year), Number(month), 1);
}

/** Two decimals: what share of the undiscounted sum a discount is. */
export function percentOf(discountMinor: bigint, wholeMinor: bigint): string {
  if (wholeMinor <= 0n) return '0.00';
  const hundredths = (discountMinor * 20_000n + wholeMinor) / (wholeMinor * 2n);
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`;
}
