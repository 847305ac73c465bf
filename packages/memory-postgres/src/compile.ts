/** What compiling a statement needs to know, and what running it needs. */
import type { Node } from 'libpg-query';
import type { Catalog, TableDefinition } from './catalog.ts';
import { castOf, isNumber, wider } from './casts.ts';
import { notKnown, postgresError } from './errors.ts';
import type { Row, Snapshot, Store } from './store.ts';
import { isArrayType, type Column, type Tuple, type Type, type Value } from './values.ts';

/** What a running statement may ask of its session and server. */
export interface Surroundings extends Snapshot {
  readonly store: Store;
  /** The rows of a view of pg_catalog. */
  readonly system: (name: string) => Tuple[];
  /** Others have committed since the snapshot: keys of indexes are those of newer versions. */
  readonly isOld: boolean;
  /** Checked when the statement is through: foreign keys. */
  readonly after: (() => void)[];
  /** Microseconds. */
  readonly now: () => number;
  readonly newId: (version: 4 | 7) => string;
  readonly setting: (name: string) => string | undefined;
  readonly set: (name: string, value: string, isLocal: boolean) => void;
  readonly user: string;
  readonly schema: string;
  readonly notify: (channel: string, payload: string) => void;
  readonly advisory: (verb: 'lock' | 'try' | 'unlock' | 'unlock all', key: string, isOfSession: boolean) => boolean;
  readonly nextval: (sequence: string) => bigint;
  /** Runs statements of their own: what a function of the language plpgsql executes. */
  readonly execute: (text: string) => void;
  readonly processId: number;
  readonly terminate: (processId: number) => boolean;
}

/** One run of one statement. `t` holds the current tuple of each table it reads, by number; `s` the row it came from. */
export interface Env {
  readonly t: Tuple[];
  readonly s: (Row | undefined)[];
  readonly p: readonly Value[];
  /** Aggregates and window functions of the group or row at hand. */
  readonly a: Value[];
  /** What is worked out once per run. */
  readonly memo: unknown[];
  readonly run: Surroundings;
}

export interface Expr {
  readonly type: Type;
  readonly run: (env: Env) => Value;
  /** A literal or parameter whose type its neighbours decide. */
  readonly unknown?: { readonly parameter: number } | { readonly literal: string | null };
  readonly column?: { readonly k: number; readonly c: number };
  /** The columns of a row value. */
  readonly fields?: readonly Column[];
  /** This equals that: a way into an index. `isList`: equals one of. */
  readonly equality?: readonly Equality[];
  readonly name?: string;
}

export interface Equality {
  readonly column: { readonly k: number; readonly c: number };
  readonly value: (env: Env) => Value;
  readonly isList: boolean;
  readonly uses: ReadonlySet<number>;
}

export interface ScopeEntry {
  readonly alias: string;
  readonly k: number;
  readonly columns: readonly Column[];
  readonly table?: TableDefinition;
  /** Columns that `using` merged into those of another. */
  readonly hidden: Set<string>;
  /** Not part of `*`: excluded. */
  readonly isAside?: boolean;
}

export interface Scope {
  readonly entries: ScopeEntry[];
  readonly parent: Scope | undefined;
}

export interface Rows {
  readonly columns: readonly Column[];
  /** At most `max`. */
  rows(env: Env, max?: number): Tuple[];
}

export interface CteEntry {
  readonly name: string;
  readonly plan: Rows;
  readonly columns: readonly Column[];
  readonly memo: number;
}

/** One statement under way of being compiled. */
export interface Context {
  readonly catalog: Catalog;
  readonly path: readonly string[];
  /** Null for the superuser, who sees everything. */
  readonly role: string | null;
  readonly parameters: (Type | undefined)[];
  readonly names: ReadonlyMap<string, number>;
  /** Tables that the statement writes or locks: it must not read shared rows of them. */
  readonly written: Set<TableDefinition>;
  readonly counts: { tables: number; aggregates: number; memos: number };
  scope: Scope;
  ctes: readonly CteEntry[];
  /** The tables that what is being compiled reads. */
  used: Set<number>;
  /** Where aggregates may stand. */
  aggregates: Aggregate[] | undefined;
  windows: Window[] | undefined;
  readonly expression: (context: Context, node: Node) => Expr;
  readonly select: (context: Context, node: Node, wanted?: readonly (Type | undefined)[]) => Rows;
  readonly modify: (context: Context, node: Node) => Rows;
  readonly callFunction: (context: Context, name: string, args: readonly Expr[]) => Expr | undefined;
}

export interface Aggregate {
  readonly at: number;
  readonly start: () => unknown;
  readonly step: (state: unknown, env: Env) => unknown;
  readonly end: (state: unknown) => Value;
}

export interface Window {
  readonly at: number;
  readonly partition: readonly Expr[];
  readonly order: readonly SortKey[];
  /** The values of one partition in its order. `bind` puts a row into the env; `peers` says where each row's equals begin. */
  values(count: number, bind: (at: number) => void, env: Env, peers: readonly number[]): Value[];
}

export interface SortKey {
  readonly expr: Expr;
  readonly compare: (a: Value, b: Value) => number;
}

export interface Captured {
  readonly t: readonly Tuple[];
  readonly s: readonly (Row | undefined)[];
}

export function newTable(context: Context): number {
  context.counts.tables += 1;
  return context.counts.tables - 1;
}

export function newMemo(context: Context): number {
  context.counts.memos += 1;
  return context.counts.memos - 1;
}

/** Compiles with an empty list of used tables, and answers it. */
export function using<R>(context: Context, compile: () => R): [R, ReadonlySet<number>] {
  const outer = context.used;
  const used = new Set<number>();
  context.used = used;
  try {
    return [compile(), used];
  } finally {
    for (const k of used) outer.add(k);
    context.used = outer;
  }
}

export function within<R>(context: Context, scope: Scope, compile: () => R): R {
  const { scope: outer, aggregates, windows } = context;
  Object.assign(context, { scope, aggregates: undefined, windows: undefined });
  try {
    return compile();
  } finally {
    Object.assign(context, { scope: outer, aggregates, windows });
  }
}

export const constant = (type: Type, value: Value): Expr => ({ type, run: () => value });

/** Makes an expression one of this type. Literals and parameters become it, others are cast. */
export function coerce(context: Context, expr: Expr, type: Type): Expr {
  const { unknown } = expr;
  if (unknown === undefined || type === 'unknown') return expr.type === type ? expr : cast(expr, type);
  if ('literal' in unknown) {
    if (unknown.literal === null) return constant(type, null);
    const convert = castOf('unknown', type);
    const value = convert === undefined ? unknown.literal : convert(unknown.literal);
    return constant(type, value);
  }
  const { parameter } = unknown;
  const known = context.parameters[parameter];
  if (known !== undefined && known !== type) return cast({ type: known, run: (env) => env.p[parameter] ?? null }, type);
  context.parameters[parameter] = type;
  return { type, run: (env) => env.p[parameter] ?? null };
}

export function cast(expr: Expr, type: Type): Expr {
  const convert = castOf(expr.type, type);
  if (convert === undefined) return { ...expr, type };
  const { run } = expr;
  return { type, run: (env) => convert(run(env)) };
}

/** The type that all can have: of numbers the widest. */
export function commonType(exprs: readonly Expr[]): Type {
  let type: Type | undefined;
  for (const expr of exprs) {
    if (expr.unknown !== undefined) continue;
    if (type === undefined || type === expr.type) type = expr.type;
    else if (isNumber(type) && isNumber(expr.type)) type = wider(type, expr.type);
    else if (type !== 'text' && expr.type !== 'text') {
      throw postgresError('42804', `types ${type} and ${expr.type} cannot be matched`);
    } else type = 'text';
  }
  return type ?? 'text';
}

/** Of a function's argument or an operator's side, when nothing says more: text. */
export function settled(context: Context, expr: Expr): Expr {
  if (expr.unknown === undefined) return expr;
  if ('parameter' in expr.unknown) {
    const known = context.parameters[expr.unknown.parameter];
    if (known !== undefined) return coerce(context, expr, known);
  }
  return coerce(context, expr, 'text');
}

/** What the statement knows of a parameter so far. */
export function knownType(context: Context, expr: Expr): Expr {
  if (expr.unknown === undefined || !('parameter' in expr.unknown)) return expr;
  const known = context.parameters[expr.unknown.parameter];
  return known === undefined ? expr : coerce(context, expr, known);
}

export function requireArray(expr: Expr): Type {
  if (!isArrayType(expr.type)) notKnown(`an array of type ${expr.type}`);
  return expr.type;
}

/** Runs with nothing bound: constants, defaults of columns. */
export function emptyEnv(run: Surroundings, parameters: readonly Value[] = []): Env {
  return { t: [], s: [], p: parameters, a: [], memo: [], run };
}
