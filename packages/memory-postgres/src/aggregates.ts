/** Functions over many rows: count, sum and their like, and those with `over (…)`. */
import type { FuncCall, Node, WindowDef } from 'libpg-query';
import {
  cast,
  knownType,
  settled,
  coerce,
  type Aggregate,
  type Context,
  type Env,
  type Expr,
  type SortKey,
} from './compile.ts';
import { notKnown } from './errors.ts';
import { jsonOf } from './casts.ts';
import { Json, keyOf, orderOf, type Type, type Value } from './values.ts';

/** How values are put together: `start`, then `step` with each that is not null, then `end`. */
interface Fold {
  readonly type: Type;
  readonly start: () => unknown;
  readonly step: (state: unknown, value: Value, second: Value) => unknown;
  readonly end: (state: unknown) => Value;
  readonly takesNulls?: boolean;
}

const best = (type: Type, sign: 1 | -1): Fold => {
  const order = orderOf(type);
  return {
    type,
    start: () => null,
    step: (state, value) => (state === null || order(value, state as Value) * sign > 0 ? value : state),
    end: (state) => state as Value,
  };
};

const counted: Fold = {
  type: 'int8',
  start: () => 0,
  step: (state) => (state as number) + 1,
  end: (state) => BigInt(state as number),
};

const either = (wanted: boolean): Fold => ({
  type: 'bool',
  start: () => null,
  step: (state, value) =>
    state === null ? value : wanted ? state === true || value === true : state === true && value === true,
  end: (state) => state as Value,
});

const listed = (type: Type, end: (values: Value[]) => Value): Fold => ({
  type,
  takesNulls: true,
  start: () => null,
  step: (state, value) => [...((state as Value[] | null) ?? []), value],
  end: (state) => (state === null ? null : end(state as Value[])),
});

function summed(type: Type): Fold {
  const result = type === 'int4' || type === 'int2' ? 'int8' : type === 'int8' ? 'numeric' : type;
  return {
    type: result,
    start: () => null,
    step: (state, value) => ((state as number | null) ?? 0) + Number(value),
    end: (state) => (state === null ? null : result === 'int8' ? BigInt(state as number) : (state as number)),
  };
}

function foldOf(name: string, arg: Expr | undefined): Fold | undefined {
  const type = arg?.type ?? 'text';
  switch (name) {
    case 'count':
      return counted;
    case 'sum':
      return summed(type);
    case 'max':
      return best(type, 1);
    case 'min':
      return best(type, -1);
    case 'bool_or':
      return either(true);
    case 'bool_and':
    case 'every':
      return either(false);
    case 'array_agg':
      return listed(`${type}[]`, (values) => values);
    case 'json_agg':
    case 'jsonb_agg':
      return listed(name === 'json_agg' ? 'json' : 'jsonb', (values) =>
        Json.of(values.map((value) => jsonOf(type, value))),
      );
    case 'string_agg':
      return {
        type: 'text',
        start: () => null,
        step: (state, value, by) => (state === null ? value : `${state as string}${by as string}${value as string}`),
        end: (state) => state as Value,
      };
    default:
      return undefined;
  }
}

const isAggregate = (name: string): boolean => foldOf(name, undefined) !== undefined;
const numbering = new Set(['row_number', 'rank', 'dense_rank']);

export function aggregateOrWindow(context: Context, call: FuncCall, name: string): Expr | undefined {
  if (!isAggregate(name) && !numbering.has(name)) return undefined;
  const { aggregates, windows } = context;
  context.counts.aggregates += 1;
  const at = context.counts.aggregates - 1;
  Object.assign(context, { aggregates: undefined, windows: undefined });
  try {
    const args = (call.args ?? []).map((arg) => settled(context, context.expression(context, arg)));
    if (name === 'string_agg' && args[0] !== undefined) args[0] = cast(args[0], 'text');
    const filter =
      call.agg_filter === undefined ? undefined : coerce(context, context.expression(context, call.agg_filter), 'bool');
    const result = (type: Type): Expr => ({ type, run: (env) => env.a[at] as Value });
    if (call.over !== undefined) {
      if (windows === undefined) return notKnown(`a window function here: ${name}`);
      const { partition, order } = windowOf(context, call.over);
      const fold = foldOf(name, args[0]);
      windows.push({
        at,
        partition,
        order,
        values: (count, bind, env, peers) =>
          fold === undefined
            ? numbers(name, count, peers)
            : running(fold, args, filter, order.length > 0, { count, bind, env, peers }),
      });
      return result(fold?.type ?? 'int8');
    }
    if (aggregates === undefined) return notKnown(`an aggregate here: ${name}`);
    const fold = foldOf(name, args[0]) as Fold;
    const order = sortKeys(context, call.agg_order ?? []);
    aggregates.push(aggregate(at, fold, args, filter, call.agg_distinct === true, order));
    return result(fold.type);
  } finally {
    Object.assign(context, { aggregates, windows });
  }
}

interface Taken {
  readonly value: Value;
  readonly second: Value;
  readonly keys: readonly Value[];
}

function aggregate(
  at: number,
  fold: Fold,
  args: readonly Expr[],
  filter: Expr | undefined,
  isDistinct: boolean,
  order: readonly SortKey[],
): Aggregate {
  const take = (env: Env): Taken | undefined => {
    if (filter !== undefined && filter.run(env) !== true) return undefined;
    const value = args[0] === undefined ? true : args[0].run(env);
    if (value === null && fold.takesNulls !== true) return undefined;
    return { value, second: args[1]?.run(env) ?? null, keys: order.map((key) => key.expr.run(env)) };
  };
  if (!isDistinct && order.length === 0) {
    return {
      at,
      start: fold.start,
      step: (state, env) => {
        const taken = take(env);
        return taken === undefined ? state : fold.step(state, taken.value, taken.second);
      },
      end: fold.end,
    };
  }
  return {
    at,
    start: () => [],
    step: (state, env) => {
      const taken = take(env);
      return taken === undefined ? state : [...(state as Taken[]), taken];
    },
    end: (state) => {
      let all = state as Taken[];
      if (isDistinct) all = [...new Map(all.map((each) => [keyOf(each.value), each])).values()];
      all.sort((a, b) => compareKeys(order, a.keys, b.keys));
      return fold.end(all.reduce((sofar, each) => fold.step(sofar, each.value, each.second), fold.start()));
    },
  };
}

export function compareKeys(order: readonly SortKey[], a: readonly Value[], b: readonly Value[]): number {
  for (let at = 0; at < order.length; at += 1) {
    const sign = (order[at] as SortKey).compare(a[at] as Value, b[at] as Value);
    if (sign !== 0) return sign;
  }
  return 0;
}

export function sortKeys(context: Context, nodes: readonly Node[], of?: (node: Node) => Expr | undefined): SortKey[] {
  return nodes.map((node) => {
    if (!('SortBy' in node)) return notKnown('an order');
    const { node: inner, sortby_dir: direction, sortby_nulls: nulls } = node.SortBy;
    const expr =
      of?.(inner as Node) ?? settled(context, knownType(context, context.expression(context, inner as Node)));
    const sign = direction === 'SORTBY_DESC' ? -1 : 1;
    const nullsFirst = nulls === 'SORTBY_NULLS_FIRST' || (nulls !== 'SORTBY_NULLS_LAST' && sign === -1);
    const order = orderOf(expr.type);
    const compare = (a: Value, b: Value): number => {
      if (a === null || b === null) return a === b ? 0 : (a === null) === nullsFirst ? -1 : 1;
      return sign * order(a, b);
    };
    return { expr, compare };
  });
}

function windowOf(context: Context, window: WindowDef): { partition: Expr[]; order: SortKey[] } {
  // 1058: the frame that is meant when none is written.
  if (window.name !== undefined || (window.frameOptions ?? 1058) !== 1058) return notKnown('this window');
  return {
    partition: (window.partitionClause ?? []).map((node) => context.expression(context, node)),
    order: sortKeys(context, window.orderClause ?? []),
  };
}

function numbers(name: string, count: number, peers: readonly number[]): Value[] {
  const dense = new Map<number, number>();
  for (const first of peers) if (!dense.has(first)) dense.set(first, dense.size + 1);
  return Array.from({ length: count }, (_, at) => {
    if (name === 'row_number') return BigInt(at + 1);
    const first = peers[at] as number;
    return BigInt(name === 'rank' ? first + 1 : (dense.get(first) as number));
  });
}

/** Without an order over the whole partition, with one up to the row and its equals. */
function running(
  fold: Fold,
  args: readonly Expr[],
  filter: Expr | undefined,
  isOrdered: boolean,
  rows: { count: number; bind: (at: number) => void; env: Env; peers: readonly number[] },
): Value[] {
  const values: Value[] = [];
  let state = fold.start();
  for (let at = 0; at < rows.count; at += 1) {
    rows.bind(at);
    if (filter === undefined || filter.run(rows.env) === true) {
      const value = args[0] === undefined ? true : args[0].run(rows.env);
      if (value !== null || fold.takesNulls === true) state = fold.step(state, value, args[1]?.run(rows.env) ?? null);
    }
    const isLastPeer = at + 1 === rows.count || (isOrdered && rows.peers[at + 1] !== rows.peers[at]);
    if (isLastPeer) while (values.length <= at) values.push(fold.end(state));
  }
  return values;
}
