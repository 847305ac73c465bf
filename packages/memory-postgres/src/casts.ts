/** From one form of a value to another: text, what the driver is given, what the driver gives back. */
import { notKnown, postgresError } from './errors.ts';
import { intervalText, parseInterval, parseTimestamp, timestampText } from './time.ts';
import {
  Composite,
  Interval,
  Json,
  copied,
  elementOf,
  isArrayType,
  jsonbText,
  type Column,
  type Tuple,
  type Type,
  type Value,
} from './values.ts';

const aliases: Record<string, Type> = {
  bool: 'bool',
  boolean: 'bool',
  smallint: 'int2',
  int: 'int4',
  integer: 'int4',
  bigint: 'int8',
  varchar: 'text',
  bpchar: 'text',
};

export const typeOfName = (name: string): Type => aliases[name] ?? name;

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const ranges: Record<string, [low: number, high: number, name: string]> = {
  int2: [-32_768, 32_767, 'smallint'],
  int4: [-2_147_483_648, 2_147_483_647, 'integer'],
};

function integer(type: Type, value: number): number {
  const [low, high, name] = ranges[type] ?? [];
  if (low === undefined || high === undefined) return value;
  if (value < low || value > high) throw postgresError('22003', `${name ?? type} out of range`);
  return value;
}

export function fromText(type: Type, text: string): Value {
  const wrong = (name: string) => postgresError('22P02', `invalid input syntax for type ${name}: "${text}"`);
  if (isArrayType(type))
    return parseArray(text).map((each) => (each === null ? null : fromText(elementOf(type), each)));
  switch (type) {
    case 'text':
    case 'name':
    case 'unknown':
      return text;
    case 'bool': {
      const word = text.trim().toLowerCase();
      if (['t', 'true', 'on', 'yes', '1'].includes(word)) return true;
      if (['f', 'false', 'off', 'no', '0'].includes(word)) return false;
      throw wrong('boolean');
    }
    case 'int2':
    case 'int4': {
      if (!/^\s*[+-]?\d+\s*$/.test(text)) throw wrong(ranges[type]?.[2] ?? type);
      const value = Number(text);
      const [low, high, name] = ranges[type] ?? [0, 0, type];
      if (value < low || value > high) throw postgresError('22003', `value "${text}" is out of range for type ${name}`);
      return value;
    }
    case 'int8': {
      if (!/^\s*[+-]?\d+\s*$/.test(text)) throw wrong('bigint');
      const value = BigInt(text.trim().replace(/^\+/, ''));
      if (BigInt.asIntN(64, value) !== value)
        throw postgresError('22003', `value "${text}" is out of range for type bigint`);
      return value;
    }
    case 'float8':
    case 'numeric': {
      if (text.trim() === '' || Number.isNaN(Number(text)))
        throw wrong(type === 'float8' ? 'double precision' : 'numeric');
      return Number(text);
    }
    case 'uuid':
      if (!uuid.test(text)) throw wrong('uuid');
      return text.length === 36
        ? text.toLowerCase()
        : text.toLowerCase().replace(/^(.{8})-?(.{4})-?(.{4})-?(.{4})-?/, '$1-$2-$3-$4-');
    case 'timestamptz':
      return parseTimestamp(text);
    case 'interval':
      return parseInterval(text);
    case 'json':
    case 'jsonb':
      try {
        return Json.parse(text);
      } catch {
        throw postgresError('22P02', `invalid input syntax for type ${type}`);
      }
    case 'bytea':
      return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text, 'latin1');
    default:
      return notKnown(`a value of type ${type} from text`);
  }
}

export function toText(type: Type, value: Value): string {
  if (value === null) return '';
  if (Array.isArray(value)) {
    const of = elementOf(type);
    return `{${value.map((each) => (each === null ? 'NULL' : quoted(toText(of, each)))).join(',')}}`;
  }
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  if (value instanceof Json) return jsonbText(value.value);
  if (value instanceof Interval) return intervalText(value);
  if (value instanceof Composite) {
    const field = (each: Value, at: number) => {
      const text = each === null ? '' : toText(value.columns[at]?.type ?? 'text', each);
      if (each !== null && (text === '' || /["\\(),\s]/.test(text)))
        return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '""')}"`;
      return text;
    };
    return `(${value.values.map(field).join(',')})`;
  }
  if (type === 'timestamptz') return timestampText(value as number);
  if (type === 'bool') return value === true ? 'true' : 'false';
  return String(value);
}

const quoted = (text: string): string =>
  text === '' || /["\\{},\s]/.test(text) || text.toUpperCase() === 'NULL'
    ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    : text;

function parseArray(text: string): (string | null)[] {
  if (!text.startsWith('{') || !text.endsWith('}')) throw postgresError('22P02', `malformed array literal: "${text}"`);
  const inner = text.slice(1, -1);
  const found: (string | null)[] = [];
  if (inner.trim() === '') return found;
  const item = /\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}]*))\s*(,|$)/gy;
  for (;;) {
    const match = item.exec(inner);
    if (match === null) throw postgresError('22P02', `malformed array literal: "${text}"`);
    const [, inQuotes, bare] = match;
    if (inQuotes !== undefined) found.push(inQuotes.replaceAll(/\\(.)/g, '$1'));
    else found.push(bare?.trim().toUpperCase() === 'NULL' ? null : (bare?.trim() ?? ''));
    if (match[3] === '') return found;
  }
}

/** What the driver would have sent for this, read as the type that the statement says. */
export function fromDriver(type: Type, value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (isArrayType(type) && Array.isArray(value)) {
    const of = elementOf(type);
    return value.map((each) => fromDriver(of, each));
  }
  switch (typeof value) {
    case 'string':
      return type === 'text' ? value : fromText(type, value);
    case 'bigint':
      return type === 'int8' ? value : fromText(type, String(value));
    case 'boolean':
      return type === 'bool' ? value : fromText(type, String(value));
    case 'number':
      return type === 'int4' && Number.isInteger(value) ? integer(type, value) : fromText(type, String(value));
    default:
  }
  if (value instanceof Date)
    return type === 'timestamptz' ? value.getTime() * 1_000 : fromText(type, value.toISOString());
  if (value instanceof Uint8Array) return type === 'bytea' ? Buffer.from(value) : notKnown(`bytes for a ${type}`);
  return fromText(type, JSON.stringify(value));
}

/** Turns values of a type into what the driver answers. `bigint`: whether the pool reads int8 so. */
export function toDriver(type: Type, bigint: boolean): (value: Value) => unknown {
  if (isArrayType(type)) {
    const of = toDriver(elementOf(type), bigint);
    return (value) => (value === null ? null : (value as Value[]).map(of));
  }
  switch (type) {
    case 'int8':
      return bigint ? (value) => value : (value) => (value === null ? null : toText(type, value));
    case 'numeric':
      return (value) => (value === null ? null : toText(type, value));
    case 'timestamptz':
      return (value) => (value === null ? null : dateOf(value as number));
    case 'json':
    case 'jsonb':
      return (value) => (value === null ? null : copied((value as Json).value));
    case 'bytea':
      return (value) => (value === null ? null : Buffer.from(value as Buffer));
    case 'int2':
    case 'int4':
    case 'float8':
    case 'bool':
    case 'text':
    case 'uuid':
    case 'name':
      return (value) => value;
    default:
      return (value) => (value === null ? null : toText(type, value));
  }
}

const dateOf = (time: number): Date | number => (Number.isFinite(time) ? new Date(Math.floor(time / 1_000)) : time);

const numbers = ['int2', 'int4', 'int8', 'numeric', 'float8'];
export const isNumber = (type: Type): boolean => numbers.includes(type);
export const wider = (a: Type, b: Type): Type => (numbers.indexOf(a) >= numbers.indexOf(b) ? a : b);

export type Cast = (value: Value) => Value;

/** Undefined when a value of the one type is already one of the other. */
export function castOf(from: Type, to: Type): Cast | undefined {
  if (from === to || (from === 'name' && to === 'text') || (from === 'text' && to === 'name')) return undefined;
  if (from === 'json' && to === 'jsonb') return undefined;
  const nullable =
    (cast: Cast): Cast =>
    (value) =>
      value === null ? null : cast(value);
  if (from === 'text' || from === 'unknown') return nullable(rememberingLast((value) => fromText(to, value as string)));
  if (to === 'text') return nullable((value) => toText(from, value));
  if (isArrayType(from) && isArrayType(to)) {
    const each = castOf(elementOf(from), elementOf(to));
    return each && nullable((value) => (value as Value[]).map(each));
  }
  if (isNumber(from) && isNumber(to)) return nullable(numberCast(from, to));
  if (from === 'bool' && to === 'int4') return nullable((value) => (value === true ? 1 : 0));
  if (from === 'jsonb' && (isNumber(to) || to === 'bool')) {
    return nullable((value) => fromText(to, (value as Json).text));
  }
  if (from === 'record' || to === 'record') return undefined;
  return notKnown(`a cast from ${from} to ${to}`);
}

function numberCast(from: Type, to: Type): Cast {
  if (to === 'int8') return from === 'int8' ? (value) => value : (value) => BigInt(rounded(from, value as number));
  if (from === 'int8') return (value) => integer(to, Number(value));
  if (to === 'int2' || to === 'int4') return (value) => integer(to, rounded(from, value as number));
  return (value) => value;
}

// A half goes away from zero in numeric, to the even neighbour in float8.
function rounded(from: Type, value: number): number {
  if (from === 'numeric') return Math.sign(value) * Math.round(Math.abs(value));
  const whole = Math.round(value);
  return Math.abs(value % 1) === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
}

/** A statement reads the same text for each row: the merchants of its transaction. */
function rememberingLast(cast: Cast): Cast {
  let [lastFrom, lastTo]: [Value, Value] = [null, null];
  return (value) => {
    if (value === lastFrom) return lastTo;
    lastTo = cast(value);
    lastFrom = value;
    return lastTo;
  };
}

/** A row as JSON: row_to_json and to_jsonb. */
export function jsonOf(type: Type, value: Value): Json['value'] {
  if (value === null) return null;
  if (value instanceof Json) return value.value;
  if (Array.isArray(value)) return value.map((each) => jsonOf(elementOf(type), each));
  if (value instanceof Composite) {
    return Object.fromEntries(
      value.columns.map((column, at) => [column.name, jsonOf(column.type, value.values[at] as Value)]),
    );
  }
  if (type === 'timestamptz')
    return timestampText(value as number)
      .replace(' ', 'T')
      .replace('+00', '+00:00');
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return toText(type, value);
}

/** The reverse of jsonOf, for jsonb_populate_recordset: an absent key is NULL. */
export function tupleOfJson(columns: readonly Column[], value: Json['value']): Tuple {
  const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return columns.map((column) => valueOfJson(column.type, fields[column.name]));
}

export function valueOfJson(type: Type, value: Json['value'] | undefined): Value {
  if (value === undefined) return null;
  if (type === 'jsonb' || type === 'json')
    return value === null ? (type === 'jsonb' ? null : new Json(null)) : new Json(value);
  if (value === null) return null;
  if (isArrayType(type) && Array.isArray(value)) return value.map((each) => valueOfJson(elementOf(type), each));
  return fromText(type, typeof value === 'object' ? JSON.stringify(value) : String(value));
}
