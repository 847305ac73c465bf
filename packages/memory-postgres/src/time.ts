/** Times and spans, as text and added up. The session's time zone is UTC, as it is on the servers of the product. */
import { postgresError } from './errors.ts';
import { Interval } from './values.ts';

const timestamp =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** Microseconds since 1970. */
export function parseTimestamp(text: string): number {
  if (text === 'infinity') return Infinity;
  if (text === '-infinity') return -Infinity;
  const found = timestamp.exec(text.trim());
  if (found === null) throw postgresError('22007', `invalid input syntax for type timestamp with time zone: "${text}"`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = found;
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const microseconds = Math.round(Number(`0.${fraction || '0'}`) * 1_000_000);
  return (wall - zoneOffset(zone)) * 1_000 + microseconds;
}

function zoneOffset(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000;
}

export function timestampText(microseconds: number): string {
  const iso = new Date(Math.floor(microseconds / 1_000)).toISOString();
  const rest = ((microseconds % 1_000_000) + 1_000_000) % 1_000_000;
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(6, '0').replace(/0+$/, '')}`;
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction}+00`;
}

const units: Record<string, [months: number, days: number, microseconds: number]> = {
  year: [12, 0, 0],
  mon: [1, 0, 0],
  month: [1, 0, 0],
  week: [0, 7, 0],
  day: [0, 1, 0],
  hour: [0, 0, 3_600_000_000],
  minute: [0, 0, 60_000_000],
  min: [0, 0, 60_000_000],
  second: [0, 0, 1_000_000],
  sec: [0, 0, 1_000_000],
  millisecond: [0, 0, 1_000],
  microsecond: [0, 0, 1],
};

/** `1 hour`, `2 days 03:04:05`, `30 seconds`. */
export function parseInterval(text: string): Interval {
  const wrong = () => postgresError('22007', `invalid input syntax for type interval: "${text}"`);
  let [months, days, microseconds] = [0, 0, 0];
  let rest = text.trim();
  if (rest === '') throw wrong();
  while (rest !== '') {
    const clock = /^(-?)(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?\s*/.exec(rest);
    const amount = /^([+-]?\d+(?:\.\d+)?)\s*([a-z]+)\s*/i.exec(rest);
    if (clock !== null) {
      const seconds = Number(clock[2]) * 3_600 + Number(clock[3]) * 60 + Number(clock[4] ?? 0);
      microseconds += (clock[1] === '-' ? -1 : 1) * Math.round(seconds * 1_000_000);
      rest = rest.slice(clock[0].length);
    } else if (amount !== null) {
      const word = (amount[2] ?? '').toLowerCase();
      const unit = units[word] ?? units[word.replace(/s$/, '')];
      if (unit === undefined) throw wrong();
      const of = scaled(new Interval(...unit), Number(amount[1]));
      [months, days, microseconds] = [months + of.months, days + of.days, microseconds + of.microseconds];
      rest = rest.slice(amount[0].length);
    } else {
      throw wrong();
    }
  }
  return new Interval(months, days, microseconds);
}

/** What is not whole of a month goes to days, and of a day to time. */
export function scaled(interval: Interval, factor: number): Interval {
  const months = interval.months * factor;
  const days = interval.days * factor + (months - Math.trunc(months)) * 30;
  const time = interval.microseconds * factor + (days - Math.trunc(days)) * 86_400_000_000;
  return new Interval(Math.trunc(months), Math.trunc(days), Math.round(time));
}

export function sum(a: Interval, b: Interval, sign: 1 | -1): Interval {
  return new Interval(a.months + sign * b.months, a.days + sign * b.days, a.microseconds + sign * b.microseconds);
}

export function later(time: number, by: Interval, sign: 1 | -1): number {
  let start = time;
  if (by.months !== 0) {
    const date = new Date(Math.floor(time / 1_000));
    const month = date.getUTCFullYear() * 12 + date.getUTCMonth() + sign * by.months;
    const lastDay = new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).getUTCDate();
    const day = Math.min(date.getUTCDate(), lastDay);
    const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
    start += (Date.UTC(Math.floor(month / 12), month % 12, day) - midnight) * 1_000;
  }
  return start + sign * (by.days * 86_400_000_000 + by.microseconds);
}

export function between(from: number, to: number): Interval {
  const microseconds = to - from;
  const days = Math.trunc(microseconds / 86_400_000_000);
  return new Interval(0, days, microseconds - days * 86_400_000_000);
}

export function intervalText(interval: Interval): string {
  const parts: string[] = [];
  const plural = (count: number, word: string) => `${count} ${word}${Math.abs(count) === 1 ? '' : 's'}`;
  const years = Math.trunc(interval.months / 12);
  if (years !== 0) parts.push(plural(years, 'year'));
  if (interval.months % 12 !== 0) parts.push(plural(interval.months % 12, 'mon'));
  if (interval.days !== 0) parts.push(plural(interval.days, 'day'));
  if (interval.microseconds !== 0 || parts.length === 0) {
    const seconds = Math.abs(interval.microseconds) / 1_000_000;
    const two = (count: number) => String(Math.floor(count)).padStart(2, '0');
    const rest = seconds % 60;
    const last = Number.isInteger(rest) ? two(rest) : rest.toFixed(6).padStart(9, '0').replace(/0+$/, '');
    parts.push(`${interval.microseconds < 0 ? '-' : ''}${two(seconds / 3_600)}:${two((seconds / 60) % 60)}:${last}`);
  }
  return parts.join(' ');
}
