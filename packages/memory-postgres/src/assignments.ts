/** What a column becomes: by `set`, or by its default. */
import type { Node } from 'libpg-query';
import { columnAt, type TableDefinition } from './catalog.ts';
import { coerce, within, type Context, type Env, type Expr } from './compile.ts';
import { notKnown } from './errors.ts';
import { rowFields } from './row-values.ts';
import { kindOf } from './syntax.ts';
import type { Value } from './values.ts';

export interface Change {
  readonly at: number;
  readonly value: (env: Env) => Value;
}

/** `set a = …, (b, c) = (…, …)`. */
export function changes(context: Context, table: TableDefinition, targets: readonly Node[]): Change[] {
  const found: Change[] = [];
  for (const target of targets) {
    if (!('ResTarget' in target)) return notKnown(kindOf(target));
    const { name = '', val, indirection } = target.ResTarget;
    if (indirection !== undefined) return notKnown('a part of a column');
    const at = columnAt(table, name);
    const type = table.columns[at]?.type ?? 'text';
    if (val !== undefined && 'SetToDefault' in val) {
      found.push({ at, value: defaultOf(context, table, at).run });
    } else if (val !== undefined && 'MultiAssignRef' in val) {
      const { source, colno = 1 } = val.MultiAssignRef;
      if (source === undefined || !('RowExpr' in source)) return notKnown('several columns from this');
      const part = rowFields(context.expression(context, source))[colno - 1] as Expr;
      found.push({ at, value: coerce(context, part, type).run });
    } else {
      found.push({ at, value: coerce(context, context.expression(context, val as Node), type).run });
    }
  }
  return found;
}

export function defaultOf(context: Context, table: TableDefinition, at: number): Expr {
  const column = table.columns[at];
  if (column?.identity !== undefined) {
    const { sequence } = column.identity;
    return { type: column.type, run: (env) => env.run.nextval(sequence) };
  }
  if (column?.default === undefined) return { type: column?.type ?? 'text', run: () => null };
  const node = column.default;
  const scope = { entries: [], parent: undefined };
  return coerce(
    context,
    within(context, scope, () => context.expression(context, node)),
    column.type,
  );
}
