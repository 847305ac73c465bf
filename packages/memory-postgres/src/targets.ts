/** Lists of what is answered: the columns of a select, and of `returning`. */
import type { Node } from 'libpg-query';
import { coerce, knownType, settled, type Context, type Env, type Expr } from './compile.ts';
import { notKnown, postgresError } from './errors.ts';
import { columnAtOf, findEntry } from './expressions.ts';
import { isRowSource, rowSource } from './row-sources.ts';
import { kindOf, qualified, textOf } from './syntax.ts';
import type { Column, Tuple, Type, Value } from './values.ts';

export interface Targets {
  readonly columns: readonly Column[];
  readonly exprs: readonly Expr[];
  /** For each node that was written, in order: its expression. */
  readonly written: readonly { readonly name: string | undefined; readonly node: Node; readonly expr: Expr }[];
  project(env: Env): Tuple;
  /** When a target answers rows: all of them. */
  readonly expand?: (env: Env) => Tuple[];
}

export function targetList(
  context: Context,
  nodes: readonly Node[],
  wanted: readonly (Type | undefined)[] = [],
): Targets {
  const columns: Column[] = [];
  const exprs: Expr[] = [];
  const written: { name: string | undefined; node: Node; expr: Expr }[] = [];
  const sources = new Map<number, (env: Env) => Tuple[]>();
  const add = (name: string, expr: Expr) => {
    const type = wanted[exprs.length];
    const known = knownType(context, expr);
    const typed =
      known.unknown === undefined ? known : type === undefined ? settled(context, known) : coerce(context, known, type);
    columns.push({ name, type: typed.type });
    exprs.push(typed);
    return typed;
  };
  for (const node of nodes) {
    if (!('ResTarget' in node)) return notKnown(kindOf(node));
    const { name, val } = node.ResTarget;
    const star = starOf(context, val as Node);
    if (star !== undefined) {
      for (const each of star) add(each.name ?? '', each);
    } else if (val !== undefined && 'FuncCall' in val && isRowSource(qualified(val.FuncCall.funcname).name)) {
      const source = rowSource(context, val.FuncCall);
      const column = source.columns[0] as Column;
      sources.set(exprs.length, (env) => source.rows(env));
      written.push({ name, node: val, expr: add(name ?? column.name, { type: column.type, run: () => null }) });
    } else {
      const expr = context.expression(context, val as Node);
      written.push({ name, node: val as Node, expr: add(name ?? expr.name ?? '?column?', expr) });
    }
  }
  const runs = exprs.map((expr) => expr.run);
  const project = (env: Env): Tuple => {
    const values: Value[] = [];
    for (let at = 0; at < runs.length; at += 1) values.push((runs[at] as Expr['run'])(env));
    return values;
  };
  if (sources.size === 0) return { columns, exprs, written, project };
  const expand = (env: Env): Tuple[] => {
    const base = project(env);
    const rows = [...sources].map(([at, source]) => [at, source(env)] as const);
    const longest = rows.reduce((length, [, list]) => Math.max(length, list.length), 0);
    return Array.from({ length: longest }, (_, n) => {
      const values = [...base];
      for (const [at, list] of rows) values[at] = list[n]?.[0] ?? null;
      return values;
    });
  };
  return { columns, exprs, written, project, expand };
}

function starOf(context: Context, val: Node): Expr[] | undefined {
  if ('A_Indirection' in val && (val.A_Indirection.indirection ?? []).some((step) => 'A_Star' in step))
    return notKnown('(row).*');
  if (!('ColumnRef' in val)) return undefined;
  const fields = val.ColumnRef.fields ?? [];
  const last = fields.at(-1);
  if (last === undefined || !('A_Star' in last)) return undefined;
  if (fields.length > 1) {
    const alias = textOf(fields.at(-2));
    const entry = findEntry(context, alias);
    if (entry === undefined) throw postgresError('42P01', `missing FROM-clause entry for table "${alias}"`);
    return entry.columns.map((_, at) => columnAtOf(context, entry, at));
  }
  return context.scope.entries
    .filter((entry) => entry.isAside !== true)
    .flatMap((entry) =>
      entry.columns.flatMap((column, at) => (entry.hidden.has(column.name) ? [] : [columnAtOf(context, entry, at)])),
    );
}
