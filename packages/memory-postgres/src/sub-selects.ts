/** Selects inside of expressions: exists, in, array, and the one that is a value. */
import type { Node, SubLink } from 'libpg-query';
import { coerce, newMemo, using, type Context, type Env, type Expr, type Rows } from './compile.ts';
import { notKnown, postgresError } from './errors.ts';
import { rowFields } from './row-values.ts';
import { keyOfAll, type Column, type Tuple, type Value } from './values.ts';

export function subLink(context: Context, node: SubLink): Expr {
  const before = context.counts.tables;
  const type = node.subLinkType;
  const testNode = node.testexpr;
  const [plan, used] = using(context, () => context.select(context, node.subselect as Node));
  const isAlone = [...used].every((k) => k >= before);
  const memo = newMemo(context);
  const once = <R>(env: Env, make: () => R): R => {
    if (!isAlone) return make();
    env.memo[memo] ??= { value: make() };
    return (env.memo[memo] as { value: R }).value;
  };
  switch (type) {
    case 'EXISTS_SUBLINK':
      return { type: 'bool', name: 'exists', run: (env) => once(env, () => plan.rows(env, 1).length > 0) };
    case 'EXPR_SUBLINK': {
      const column = plan.columns[0] as Column;
      return { type: column.type, name: column.name, run: (env) => once(env, () => onlyValue(plan, env)) };
    }
    case 'ARRAY_SUBLINK': {
      const column = plan.columns[0] as Column;
      return {
        type: `${column.type}[]`,
        name: 'array',
        run: (env) => once(env, () => plan.rows(env).map((row) => row[0] as Value)),
      };
    }
    case 'ANY_SUBLINK': {
      const left = context.expression(context, testNode as Node);
      const parts = left.fields === undefined ? [left] : rowFields(left);
      const typed = parts.map((part, at) => coerce(context, part, plan.columns[at]?.type ?? 'text'));
      const run = (env: Env): Value => {
        const set = once(env, () => new Set(plan.rows(env).map(keyOfAll)));
        const values = typed.map((part) => part.run(env));
        if (values.includes(null)) return set.size === 0 ? false : null;
        return set.has(keyOfAll(values)) || (set.has(null) ? null : false);
      };
      const [only] = parts;
      if (parts.length > 1 || only?.column === undefined || !isAlone || only.type !== plan.columns[0]?.type) {
        return { type: 'bool', run };
      }
      const values = newMemo(context);
      const list = (env: Env) => {
        // One reading for both ways: it may lock rows or draw numbers.
        env.memo[values] ??= plan.rows(env);
        const rows = env.memo[values] as Tuple[];
        env.memo[memo] ??= { value: new Set(rows.map(keyOfAll)) };
        return rows.map((row) => row[0] as Value);
      };
      return {
        type: 'bool',
        run: (env) => (list(env), run(env)),
        equality: [{ column: only.column, value: list, isList: true, uses: new Set() }],
      };
    }
    default:
      return notKnown(String(type));
  }
}

function onlyValue(plan: Rows, env: Env): Value {
  const rows = plan.rows(env, 2);
  if (rows.length > 1) throw postgresError('21000', 'more than one row returned by a subquery used as an expression');
  return rows[0]?.[0] ?? null;
}
