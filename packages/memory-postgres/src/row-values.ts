/** Rows as values: `(a, b)`, and their parts. */
import type { RowExpr } from 'libpg-query';
import { settled, type Context, type Equality, type Expr } from './compile.ts';
import { Composite } from './values.ts';

/** The fields of a row value as expressions of their own. */
export function rowFields(expr: Expr): Expr[] {
  const parts = rowParts.get(expr);
  if (parts !== undefined) return parts;
  return (expr.fields ?? []).map((column, at) => ({
    type: column.type,
    run: (env) => (expr.run(env) as Composite | null)?.values[at] ?? null,
  }));
}

const rowParts = new WeakMap<Expr, Expr[]>();

export function rowOf(context: Context, node: RowExpr): Expr {
  const parts = (node.args ?? []).map((each) => context.expression(context, each));
  let typed: readonly Expr[] | undefined;
  const columns = parts.map((part, at) => ({ name: `f${at + 1}`, type: part.type }));
  const expr: Expr = {
    type: 'record',
    fields: columns,
    run: (env) => {
      typed ??= parts.map((part) => settled(context, part));
      return new Composite(
        columns,
        typed.map((part) => part.run(env)),
      );
    },
  };
  rowParts.set(expr, parts);
  return expr;
}

/** A way into an index by this column. */
export const equalityOf = (column: Expr, value: Expr, uses: ReadonlySet<number>, isList: boolean): Equality[] =>
  column.column === undefined ? [] : [{ column: column.column, value: (env) => value.run(env), isList, uses }];
