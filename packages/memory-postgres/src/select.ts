/** Reading: from … where … group by … having … window … distinct … order by … limit … for update. */
import type { Node, SelectStmt } from 'libpg-query';
import { compareKeys, sortKeys } from './aggregates.ts';
import {
  coerce,
  commonType,
  newMemo,
  within,
  type Aggregate,
  type Captured,
  type Context,
  type Env,
  type Expr,
  type Rows,
  type SortKey,
  type Window,
} from './compile.ts';
import { castOf } from './casts.ts';
import { notKnown } from './errors.ts';
import { condition } from './expressions.ts';
import { FromClause, type Loop } from './from.ts';
import { lockRows, lockingOf, type Locking } from './locking.ts';
import { kindOf, texts } from './syntax.ts';
import { targetList, type Targets } from './targets.ts';
import { keyOfAll, type Column, type Tuple, type Type, type Value } from './values.ts';

export function select(context: Context, node: Node, wanted: readonly (Type | undefined)[] = []): Rows {
  if (!('SelectStmt' in node)) return context.modify(context, node);
  return withCtes(context, node.SelectStmt.withClause, () => body(context, node.SelectStmt, wanted));
}

/** Compiles what a `with` stands before. What changes rows is run even when nobody reads it. */
export function withCtes(context: Context, clause: SelectStmt['withClause'], compile: () => Rows): Rows {
  if (clause === undefined) return compile();
  if (clause.recursive === true) return notKnown('with recursive');
  const outer = context.ctes;
  const made: { memo: number; plan: Rows; changes: boolean }[] = [];
  try {
    for (const each of clause.ctes ?? []) {
      if (!('CommonTableExpr' in each)) return notKnown(kindOf(each));
      const { ctename = '', ctequery, aliascolnames } = each.CommonTableExpr;
      const plan = select(context, ctequery as Node);
      const names = texts(aliascolnames);
      const columns = plan.columns.map((column, at) => ({ ...column, name: names[at] ?? column.name }));
      const memo = newMemo(context);
      made.push({ memo, plan, changes: !('SelectStmt' in (ctequery as Node)) });
      context.ctes = [...context.ctes, { name: ctename, plan, columns, memo }];
    }
    const main = compile();
    const rows = (env: Env, max?: number): Tuple[] => {
      for (const each of made) env.memo[each.memo] = undefined;
      const found = main.rows(env, max);
      for (const each of made) if (each.changes) env.memo[each.memo] ??= each.plan.rows(env);
      return found;
    };
    return { columns: main.columns, rows };
  } finally {
    context.ctes = outer;
  }
}

function body(context: Context, node: SelectStmt, wanted: readonly (Type | undefined)[]): Rows {
  if (node.valuesLists !== undefined) return values(context, node.valuesLists, wanted);
  if (node.op !== undefined && node.op !== 'SETOP_NONE') return union(context, node, wanted);
  return within(context, { entries: [], parent: context.scope }, () => core(context, node, wanted));
}

function values(context: Context, lists: readonly Node[], wanted: readonly (Type | undefined)[]): Rows {
  const rows = lists.map((list) =>
    ('List' in list ? (list.List.items ?? []) : []).map((each) => context.expression(context, each)),
  );
  const columns = (rows[0] ?? []).map((_, at): Column => {
    const type = wanted[at] ?? commonType(rows.map((row) => row[at] as Expr));
    return { name: `column${at + 1}`, type };
  });
  const typed = rows.map((row) => row.map((each, at) => coerce(context, each, columns[at]?.type ?? 'text')));
  return { columns, rows: (env) => typed.map((row) => row.map((each) => each.run(env))) };
}

function union(context: Context, node: SelectStmt, wanted: readonly (Type | undefined)[]): Rows {
  if (node.op !== 'SETOP_UNION') return notKnown(String(node.op));
  const sides = [node.larg, node.rarg].map((side) => select(context, { SelectStmt: side as SelectStmt }, wanted));
  const [left, right] = sides as [Rows, Rows];
  const casts = right.columns.map((column, at) => castOf(column.type, left.columns[at]?.type ?? 'text'));
  const scope = { entries: [], parent: undefined };
  const names = (each: Node) => {
    const name = 'ColumnRef' in each ? texts(each.ColumnRef.fields).at(-1) : undefined;
    const at =
      'A_Const' in each ? (each.A_Const.ival?.ival ?? 0) - 1 : left.columns.findIndex((column) => column.name === name);
    const column = left.columns[at];
    return column === undefined
      ? notKnown('this order of a union')
      : { type: column.type, run: (env: Env) => env.t[at] as never };
  };
  const order = within(context, scope, () => sortKeys(context, node.sortClause ?? [], names));
  const limit = limits(context, node);
  const rows = (env: Env, max?: number): Tuple[] => {
    const second = right.rows(env).map((row) => row.map((value, at) => casts[at]?.(value) ?? value));
    let all = [...left.rows(env), ...second];
    if (node.all !== true) all = [...new Map(all.map((row) => [keyOfAll(row), row])).values()];
    const keys = (row: Tuple) => order.map((key) => key.expr.run({ ...env, t: row as never }));
    if (order.length > 0) all.sort((a, b) => compareKeys(order, keys(a), keys(b)));
    const { skip, take } = limit(env, max);
    return all.slice(skip, skip + take);
  };
  return { columns: left.columns, rows };
}

function limits(context: Context, node: SelectStmt): (env: Env, max?: number) => { skip: number; take: number } {
  if (node.limitOption === 'LIMIT_OPTION_WITH_TIES') return notKnown('with ties');
  const number = (each: Node | undefined) =>
    each === undefined ? undefined : coerce(context, context.expression(context, each), 'int8');
  const [limit, offset] = [number(node.limitCount), number(node.limitOffset)];
  return (env, max = Infinity) => {
    const most = limit?.run(env) ?? null;
    const skip = offset?.run(env) ?? null;
    return { skip: skip === null ? 0 : Number(skip), take: Math.min(max, most === null ? Infinity : Number(most)) };
  };
}

interface Core {
  readonly loop: Loop;
  readonly numbers: readonly number[];
  readonly targets: Targets;
  readonly group: readonly Expr[];
  readonly isGrouped: boolean;
  readonly having: Expr | undefined;
  readonly aggregates: readonly Aggregate[];
  readonly windows: readonly Window[];
  readonly order: readonly SortKey[];
  /** Undefined: no distinct. Empty: of all columns. */
  readonly distinct: readonly Expr[] | undefined;
  readonly limit: (env: Env, max?: number) => { skip: number; take: number };
  readonly locking: Locking | undefined;
  /** A row of the answer for each that is found, as it is found. */
  readonly isPlain: boolean;
}

function core(context: Context, node: SelectStmt, wanted: readonly (Type | undefined)[]): Rows {
  const from = new FromClause(context);
  for (const each of node.fromClause ?? []) from.add(each);
  from.where(node.whereClause);
  const locking = lockingOf(context, node.lockingClause ?? []);
  const loop = from.loop();
  const [aggregates, windows]: [Aggregate[], Window[]] = [[], []];
  Object.assign(context, { aggregates, windows });
  const targets = targetList(context, node.targetList ?? [], wanted);
  const byName = (each: Node, isOutputFirst: boolean): Expr | undefined => {
    if ('A_Const' in each && each.A_Const.ival !== undefined) return targets.exprs[(each.A_Const.ival.ival ?? 0) - 1];
    if (!('ColumnRef' in each) || each.ColumnRef.fields?.length !== 1) return undefined;
    const [name] = texts(each.ColumnRef.fields);
    const isInput = context.scope.entries.some((entry) => entry.columns.some((column) => column.name === name));
    if (!isOutputFirst && isInput) return undefined;
    const at = targets.columns.findIndex((column) => column.name === name);
    return targets.exprs[at];
  };
  const having = node.havingClause === undefined ? undefined : condition(context, node.havingClause);
  const order = sortKeys(context, node.sortClause ?? [], (each) => byName(each, true));
  const distinctNodes = node.distinctClause?.filter((each) => Object.keys(each).length > 0);
  const distinct = distinctNodes?.map((each) => byName(each, true) ?? context.expression(context, each));
  const isGrouped = aggregates.length > 0 || having !== undefined || (node.groupClause ?? []).length > 0;
  Object.assign(context, { aggregates: undefined, windows: undefined });
  const group = (node.groupClause ?? []).map((each) => byName(each, false) ?? context.expression(context, each));
  const limit = limits(context, node);
  const parts: Core = {
    loop,
    numbers: from.numbers,
    targets,
    group,
    isGrouped,
    having,
    aggregates,
    windows,
    order,
    distinct,
    limit,
    locking,
    isPlain:
      !isGrouped &&
      windows.length === 0 &&
      order.length === 0 &&
      distinct === undefined &&
      locking === undefined &&
      targets.expand === undefined,
  };
  return { columns: targets.columns, rows: (env, max) => run(parts, env, max) };
}

interface Found {
  readonly tuple: Tuple;
  readonly keys: readonly Value[];
  readonly distinct: ReturnType<typeof keyOfAll>;
  readonly source: Captured | undefined;
}

function run(core: Core, env: Env, max?: number): Tuple[] {
  const { skip, take } = core.limit(env, max);
  if (take <= 0) return [];
  const { order, distinct, targets, locking } = core;
  if (core.isPlain) {
    const tuples: Tuple[] = [];
    core.loop(env, () => tuples.push(targets.project(env)) >= skip + take);
    return skip === 0 ? tuples : tuples.slice(skip);
  }
  const found: Found[] = [];
  const add = (source: Captured | undefined): number => {
    const tuples = targets.expand === undefined ? [targets.project(env)] : targets.expand(env);
    const keys = order.map((key) => key.expr.run(env));
    for (const tuple of tuples) {
      const of =
        distinct === undefined ? null : keyOfAll(distinct.length === 0 ? tuple : distinct.map((each) => each.run(env)));
      // A key that is a target which answers rows is in the tuple.
      const own =
        targets.expand === undefined
          ? keys
          : order.map((key, at) => fromTuple(targets, key, tuple) ?? (keys[at] as Value));
      found.push({ tuple, keys: own, distinct: of, source });
    }
    return found.length;
  };
  const isStreaming = !core.isGrouped && core.windows.length === 0 && locking === undefined;
  const isEnough = order.length === 0 && distinct === undefined ? skip + take : Infinity;
  if (isStreaming) core.loop(env, () => add(undefined) >= isEnough);
  else
    for (const [source, bind] of gathered(core, env)) {
      bind();
      add(source);
    }
  let rows = found;
  if (order.length > 0) rows = rows.toSorted((a, b) => compareKeys(order, a.keys, b.keys));
  if (distinct !== undefined) {
    const seen = new Set<Found['distinct']>();
    rows = rows.filter((each) => !seen.has(each.distinct) && seen.add(each.distinct));
  }
  if (locking === undefined) {
    return (skip === 0 && take >= rows.length ? rows : rows.slice(skip, skip + take)).map((each) => each.tuple);
  }
  return lockRows(locking, rows as { tuple: Tuple; source: Captured }[], env, skip, take);
}

function fromTuple(targets: Targets, key: SortKey, tuple: Tuple): Value | undefined {
  const at = targets.exprs.indexOf(key.expr);
  return at < 0 ? undefined : tuple[at];
}

/** Rows that are worked on together: in groups, in windows, or to be locked. */
function gathered(core: Core, env: Env): [Captured | undefined, () => void][] {
  const { numbers, aggregates, windows } = core;
  const captured: Captured[] = [];
  const capture = (): Captured => ({ t: numbers.map((k) => env.t[k] as Tuple), s: numbers.map((k) => env.s[k]) });
  const bind = (row: Captured | undefined) => {
    for (const [at, k] of numbers.entries()) {
      env.t[k] = row?.t[at] ?? [];
      env.s[k] = row?.s[at];
    }
  };
  if (core.isGrouped) {
    if (windows.length > 0) return notKnown('window functions over groups');
    return groups(core, env, capture)
      .map(
        ([row, states]) =>
          [
            row,
            () => {
              bind(row);
              for (const [at, aggregate] of aggregates.entries()) env.a[aggregate.at] = aggregate.end(states[at]);
            },
          ] as [Captured | undefined, () => void],
      )
      .filter(([, restore]) => {
        restore();
        return core.having === undefined || core.having.run(env) === true;
      });
  }
  core.loop(env, () => {
    captured.push(capture());
    return false;
  });
  const computed = windows.map((window) => windowValues(window, captured, env, bind));
  return captured.map((row, at) => [
    row,
    () => {
      bind(row);
      for (const [n, window] of windows.entries()) env.a[window.at] = computed[n]?.[at] as Value;
    },
  ]);
}

function groups(core: Core, env: Env, capture: () => Captured): [Captured | undefined, unknown[]][] {
  const { aggregates, group } = core;
  const found = new Map<ReturnType<typeof keyOfAll>, [Captured | undefined, unknown[]]>();
  const begin = (row: Captured | undefined): [Captured | undefined, unknown[]] => [
    row,
    aggregates.map((each) => each.start()),
  ];
  core.loop(env, () => {
    const key = group.length === 0 ? '' : keyOfAll(group.map((each) => each.run(env)));
    let states = found.get(key);
    if (states === undefined) {
      states = begin(capture());
      found.set(key, states);
    }
    for (const [at, aggregate] of aggregates.entries()) states[1][at] = aggregate.step(states[1][at], env);
    return false;
  });
  if (group.length === 0 && found.size === 0) return [begin(undefined)];
  return [...found.values()];
}

function windowValues(window: Window, rows: readonly Captured[], env: Env, bind: (row: Captured) => void): Value[] {
  const partitions = new Map<ReturnType<typeof keyOfAll>, { at: number; keys: Value[] }[]>();
  for (const [at, row] of rows.entries()) {
    bind(row);
    const key = keyOfAll(window.partition.map((each) => each.run(env)));
    const list = partitions.get(key) ?? [];
    list.push({ at, keys: window.order.map((each) => each.expr.run(env)) });
    partitions.set(key, list);
  }
  const values: Value[] = [];
  for (const list of partitions.values()) {
    list.sort((a, b) => compareKeys(window.order, a.keys, b.keys));
    const peers: number[] = [];
    for (const [n, each] of list.entries()) {
      const previous = list[n - 1];
      peers.push(
        previous !== undefined && compareKeys(window.order, previous.keys, each.keys) === 0
          ? (peers[n - 1] as number)
          : n,
      );
    }
    const found = window.values(list.length, (n) => bind(rows[list[n]?.at ?? 0] as Captured), env, peers);
    for (const [n, each] of list.entries()) values[each.at] = found[n] as Value;
  }
  return values;
}
