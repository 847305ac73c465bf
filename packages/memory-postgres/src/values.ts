/**
 * How values are held: int2, int4, float8 and numeric as number, int8 as bigint, timestamptz as microseconds since 1970,
 * uuid as small letters, bytea as Buffer, json and jsonb as Json, arrays as arrays, NULL as null. Tuples are never changed
 * once they are stored, so versions and copies share them.
 */
import { notKnown } from './errors.ts';

export type Value = null | boolean | number | bigint | string | Buffer | Json | Interval | Composite | Value[];
export type Tuple = readonly Value[];
/** `int4`, `text`, `uuid[]`, `record`, `unknown`, or `schema.table` for a row of a table. */
export type Type = string;

export interface Column {
  readonly name: string;
  readonly type: Type;
}

export class Interval {
  readonly months: number;
  readonly days: number;
  readonly microseconds: number;
  constructor(months: number, days: number, microseconds: number) {
    [this.months, this.days, this.microseconds] = [months, days, microseconds];
  }
  /** As Postgres compares them: a month is 30 days, a day 24 hours. */
  get length(): number {
    return (this.months * 30 + this.days) * 86_400_000_000 + this.microseconds;
  }
}

export class Composite {
  readonly columns: readonly Column[];
  readonly values: Tuple;
  constructor(columns: readonly Column[], values: Tuple) {
    [this.columns, this.values] = [columns, values];
  }
}

type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** A jsonb: its keys in Postgres's order, shorter ones first. The text is made when it is needed. */
export class Json {
  readonly value: JsonValue;
  #text: string | undefined;
  constructor(value: JsonValue) {
    this.value = value;
  }
  static parse(text: string): Json {
    return new Json(canonical(JSON.parse(text) as JsonValue));
  }
  static of(value: JsonValue): Json {
    return new Json(canonical(value));
  }
  get text(): string {
    this.#text ??= JSON.stringify(this.value);
    return this.#text;
  }
}

function canonical(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(canonical);
  const sorted: { [key: string]: JsonValue } = {};
  const keys = Object.keys(value);
  if (!keys.every((key, at) => at === 0 || inOrder(keys[at - 1] as string, key) < 0)) keys.sort(inOrder);
  for (const key of keys) sorted[key] = canonical(value[key] as JsonValue);
  return sorted;
}

const inOrder = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

/** Of his own for whoever gets it, as if it had been read from text. */
export function copied(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy: { [key: string]: JsonValue } = {};
  for (const key of Object.keys(value)) copy[key] = copied(value[key] as JsonValue);
  return copy;
}

/** jsonb as text has a space after each colon and comma. */
export function jsonbText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${jsonbText(each)}`);
  return `{${fields.join(', ')}}`;
}

export const isArrayType = (type: Type): boolean => type.endsWith('[]');
export const elementOf = (type: Type): Type => type.slice(0, -2);

/** Of two values of one type, neither of them null. */
export type Order = (a: Value, b: Value) => number;

const simple: Order = (a, b) => ((a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0);

export function orderOf(type: Type): Order {
  if (isArrayType(type)) {
    const order = orderOf(elementOf(type));
    return (a, b) => compareLists(a as Value[], b as Value[], () => order);
  }
  switch (type) {
    case 'bytea':
      return (a, b) => Buffer.compare(a as Buffer, b as Buffer);
    case 'interval':
      return (a, b) => (a as Interval).length - (b as Interval).length;
    case 'json':
    case 'jsonb':
      return (a, b) => simple((a as Json).text, (b as Json).text);
    case 'record':
      return (a, b) =>
        compareLists((a as Composite).values, (b as Composite).values, (at) =>
          orderOf((a as Composite).columns[at]?.type ?? 'text'),
        );
    default:
      return simple;
  }
}

function compareLists(a: Tuple, b: Tuple, order: (at: number) => Order): number {
  for (let at = 0; at < a.length && at < b.length; at += 1) {
    const [left, right] = [a[at] as Value, b[at] as Value];
    if (left === null || right === null) {
      if (left !== right) return left === null ? 1 : -1;
      continue;
    }
    const sign = order(at)(left, right);
    if (sign !== 0) return sign;
  }
  return a.length - b.length;
}

/** Equal values have equal keys, for Maps. */
export function keyOf(value: Value): string | number | bigint | boolean | null {
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value)) return `b:${value.toString('hex')}`;
  if (value instanceof Json) return `j:${value.text}`;
  if (value instanceof Interval) return `i:${value.length}`;
  if (value instanceof Composite) return `c:${keyOfAll(value.values)}`;
  if (Array.isArray(value)) return `a:${keyOfAll(value)}`;
  return notKnown('a key of this value');
}

/** The key of several values: of one, its own. */
export function keyOfAll(values: Tuple): string | number | bigint | boolean | null {
  if (values.length === 1) return keyOf(values[0] as Value);
  let key = '';
  for (const value of values) {
    const each = keyOf(value);
    key += `${each === null ? 'n' : String(each)}\u0000`;
  }
  return key;
}
