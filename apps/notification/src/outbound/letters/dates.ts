/** Moments as a customer reads them: in the customer's language, in the shop's time zone. '' for one that is not known. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import { formatLocaleOf, wordsOf } from '../words/languages.ts';

/** 24 July 2022 */
export function dayOf(at: Date | string | undefined, order: Order): string {
  return format(at, order, { day: 'numeric', month: 'long', year: 'numeric' });
}

/** With time and zone, for the customer may live in another one than the shop. */
export function momentOf(at: Date | string | undefined, order: Order): string {
  return format(at, order, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  });
}

/** An ISO 8601 period in words, such as 6 months. */
export function lengthOf(period: string, order: Order): string {
  try {
    return Temporal.Duration.from(period).toLocaleString(localeOf(order), { style: 'long' });
  } catch {
    return '';
  }
}

export function localeOf(order: Order): string {
  return formatLocaleOf(order.locale, wordsOf(order.locale));
}

function format(at: Date | string | undefined, order: Order, style: Intl.DateTimeFormatOptions): string {
  const date = typeof at === 'string' ? new Date(at) : at;
  if (date === undefined || Number.isNaN(date.getTime())) return '';
  const timeZone = order.timeZone === '' ? 'UTC' : order.timeZone;
  return formatOf(localeOf(order), style, timeZone).format(date);
}

// To make one takes longer than to write the whole letter. There are some languages, and the time zones of the shops.
const formats = new Map<string, Intl.DateTimeFormat>();
const mostFormats = 1_000;

function formatOf(locale: string, style: Intl.DateTimeFormatOptions, timeZone: string): Intl.DateTimeFormat {
  const key = `${locale} ${timeZone} ${style.hour === undefined ? 'day' : 'moment'}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { ...style, timeZone });
  if (formats.size < mostFormats) formats.set(key, made);
  return made;
}
