/** Functions that answer rows: unnest, generate_series, jsonb_populate_recordset and their like. */
import type { FuncCall, Node } from 'libpg-query';
import { tupleOfJson } from './casts.ts';
import { coerce, knownType, type Context, type Env, type Expr, type Rows } from './compile.ts';
import { notKnown } from './errors.ts';
import { qualified } from './syntax.ts';
import { Json, elementOf, isArrayType, jsonbText, type Column, type Tuple, type Value } from './values.ts';

export const isRowSource = (name: string): boolean => Object.hasOwn(sources, name);

type Source = (context: Context, args: readonly Expr[], nodes: readonly Node[]) => Rows;

const one = (name: string, type: string): Column[] => [{ name, type }];

const unnest: Source = (context, args) => {
  const lists = args.map((arg) => knownType(context, arg));
  for (const list of lists) if (!isArrayType(list.type)) notKnown(`unnest of ${list.type}`);
  const columns = lists.map((list) => ({ name: 'unnest', type: elementOf(list.type) }));
  const rows = (env: Env): Tuple[] => {
    const values = lists.map((list) => (list.run(env) ?? []) as Value[]);
    const longest = values.reduce((length, list) => Math.max(length, list.length), 0);
    const [only] = values;
    if (values.length === 1 && only !== undefined) return only.map((each) => [each]);
    return Array.from({ length: longest }, (_, at) => values.map((list) => list[at] ?? null));
  };
  return { columns, rows };
};

const series: Source = (context, args) => {
  const known = args.map((arg) => knownType(context, arg));
  const type = known.some((arg) => arg.type === 'int8') ? 'int8' : 'int4';
  const [from, to, step] = known.map((arg) => coerce(context, arg, type));
  const rows = (env: Env): Tuple[] => {
    const [first, last] = [Number(from?.run(env)), Number(to?.run(env))];
    const by = step === undefined ? 1 : Number(step.run(env));
    const found: Tuple[] = [];
    for (let at = first; by > 0 ? at <= last : at >= last; at += by) found.push([type === 'int8' ? BigInt(at) : at]);
    return found;
  };
  return { columns: one('generate_series', type), rows };
};

const ofJson =
  (columns: readonly Column[], take: (json: Json['value']) => Tuple[]): Source =>
  (context, args) => {
    const json = coerce(context, knownType(context, args.at(-1) as Expr), 'jsonb');
    return { columns, rows: (env) => ((value) => (value === null ? [] : take((value as Json).value)))(json.run(env)) };
  };

const text = (value: Json['value']): Value =>
  value === null ? null : typeof value === 'string' ? value : jsonbText(value);
const list = (value: Json['value']) => (Array.isArray(value) ? value : notKnown('elements of what is not an array'));
const fields = (value: Json['value']) => Object.entries(typeof value === 'object' && value !== null ? value : {});

const sources: Record<string, Source> = {
  unnest,
  generate_series: series,
  jsonb_populate_recordset: (context, args) => {
    const columns = args[0]?.fields ?? notKnown('jsonb_populate_recordset of this');
    return ofJson(columns, (value) => list(value).map((each) => tupleOfJson(columns, each)))(context, args, []);
  },
  jsonb_populate_record: (context, args) => {
    const columns = args[0]?.fields ?? notKnown('jsonb_populate_record of this');
    return ofJson(columns, (value) => [tupleOfJson(columns, value)])(context, args, []);
  },
  jsonb_array_elements: ofJson(one('value', 'jsonb'), (value) => list(value).map((each) => [new Json(each)])),
  jsonb_array_elements_text: ofJson(one('value', 'text'), (value) => list(value).map((each) => [text(each)])),
  jsonb_object_keys: ofJson(one('jsonb_object_keys', 'text'), (value) => fields(value).map(([key]) => [key])),
  jsonb_each: ofJson([...one('key', 'text'), ...one('value', 'jsonb')], (value) =>
    fields(value).map(([key, each]) => [key, new Json(each)]),
  ),
  jsonb_each_text: ofJson([...one('key', 'text'), ...one('value', 'text')], (value) =>
    fields(value).map(([key, each]) => [key, text(each)]),
  ),
};

export function rowSource(context: Context, call: FuncCall): Rows {
  const { name } = qualified(call.funcname);
  const source = sources[name];
  if (source !== undefined) {
    const args = (call.args ?? []).map((arg) => context.expression(context, arg));
    return source(context, args, call.args ?? []);
  }
  // Any other function is one row with its value.
  const expr = context.expression(context, { FuncCall: call });
  return { columns: one(name, expr.type), rows: (env) => [[expr.run(env)]] };
}
