/** What a statement reads, and in which order: nested loops, the tables with a usable key inside. */
import type { JoinExpr, Node, RangeFunction, RangeSubselect, RangeVar } from 'libpg-query';
import type { IndexDefinition, TableDefinition } from './catalog.ts';
import {
  newTable,
  using,
  within,
  type Context,
  type Env,
  type Equality,
  type Expr,
  type ScopeEntry,
} from './compile.ts';
import { notKnown, postgresError } from './errors.ts';
import { columnOf, condition } from './expressions.ts';
import { operator } from './operators.ts';
import { rowSource } from './row-sources.ts';
import { visible, type Row, type TableRows } from './store.ts';
import { systemViews } from './system-views.ts';
import { kindOf, texts } from './syntax.ts';
import { keyOfAll, type Column, type Tuple, type Value } from './values.ts';

/** `true` from emit: enough. */
export type Emit = (env: Env) => boolean;
export type Loop = (env: Env, emit: Emit) => boolean;

interface Conjunct {
  readonly expr: Expr;
  readonly uses: ReadonlySet<number>;
}

interface Item {
  readonly entry: ScopeEntry;
  readonly rows?: (env: Env) => Tuple[];
  /** Tables that must be at hand before it. */
  readonly needs: Set<number>;
  /** Hold for each of its rows by themselves: row-level security. */
  readonly guards: Expr[];
  /** A left join: its conditions; without a match the row is all NULL. */
  left?: Conjunct[];
}

export class FromClause {
  readonly #context: Context;
  readonly #items: Item[] = [];
  readonly #conjuncts: Conjunct[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  /** The numbers of its tables. */
  get numbers(): number[] {
    return this.#items.map((item) => item.entry.k);
  }

  addTable(table: TableDefinition, alias: string, isForUpdate = false): ScopeEntry {
    const context = this.#context;
    mayRead(context, table);
    const entry: ScopeEntry = { alias, k: newTable(context), columns: table.columns, table, hidden: new Set() };
    context.scope.entries.push(entry);
    if (isForUpdate) context.written.add(table);
    this.#items.push({ entry, needs: new Set(), guards: policies(context, entry, 'using') });
    return entry;
  }

  add(node: Node): void {
    this.#items.push(...this.#collect(node));
  }

  where(node: Node | undefined): void {
    if (node !== undefined) this.#conjuncts.push(...this.#split(node));
  }

  #split(node: Node): Conjunct[] {
    if ('BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR') {
      return (node.BoolExpr.args ?? []).flatMap((each) => this.#split(each));
    }
    const [expr, uses] = using(this.#context, () => condition(this.#context, node));
    return [{ expr, uses }];
  }

  #collect(node: Node): Item[] {
    if ('RangeVar' in node) return [this.#relation(node.RangeVar)];
    if ('RangeSubselect' in node) return [this.#subselect(node.RangeSubselect)];
    if ('RangeFunction' in node) return [this.#function(node.RangeFunction)];
    if ('JoinExpr' in node) return this.#join(node.JoinExpr);
    return notKnown(`from ${kindOf(node)}`);
  }

  #relation(node: RangeVar): Item {
    const context = this.#context;
    const alias = node.alias?.aliasname ?? node.relname ?? '';
    const cte = node.schemaname === undefined ? context.ctes.findLast((each) => each.name === node.relname) : undefined;
    if (cte !== undefined)
      return this.#rows(alias, cte.columns, (env) => (env.memo[cte.memo] ??= cte.plan.rows(env)) as Tuple[]);
    const view = systemViews[node.relname ?? ''];
    if (view !== undefined) return this.#rows(alias, view, (env) => env.run.system(node.relname ?? ''));
    const table = context.catalog.table(context.path, node.schemaname, node.relname ?? '');
    mayRead(context, table);
    const columns = renamed(table.columns, texts(node.alias?.colnames));
    const entry: ScopeEntry = { alias, k: newTable(context), columns, table, hidden: new Set() };
    context.scope.entries.push(entry);
    return { entry, needs: new Set(), guards: policies(context, entry, 'using') };
  }

  #rows(alias: string, columns: readonly Column[], rows: (env: Env) => Tuple[], uses: Iterable<number> = []): Item {
    const entry: ScopeEntry = { alias, k: newTable(this.#context), columns, hidden: new Set() };
    const own = new Set(this.#context.scope.entries.map((each) => each.k));
    this.#context.scope.entries.push(entry);
    return { entry, rows, needs: new Set([...uses].filter((k) => own.has(k))), guards: [] };
  }

  #subselect(node: RangeSubselect): Item {
    const context = this.#context;
    const compile = () => context.select(context, node.subquery as Node);
    const outside = { entries: [], parent: context.scope.parent };
    const [plan, uses] = using(context, () => (node.lateral === true ? compile() : within(context, outside, compile)));
    const columns = renamed(plan.columns, texts(node.alias?.colnames));
    return this.#rows(node.alias?.aliasname ?? '', columns, (env) => plan.rows(env), uses);
  }

  #function(node: RangeFunction): Item {
    const context = this.#context;
    const calls = (node.functions ?? []).map((each) => ('List' in each ? each.List.items?.[0] : each));
    const [first] = calls;
    if (calls.length !== 1 || first === undefined || !('FuncCall' in first))
      return notKnown('rows from several functions');
    if ((node.coldeflist ?? []).length > 0) return notKnown('a list of columns with types');
    const [plan, uses] = using(context, () => rowSource(context, first.FuncCall));
    const withPlace = node.ordinality === true;
    const columns = withPlace ? [...plan.columns, { name: 'ordinality', type: 'int8' }] : plan.columns;
    const rows = (env: Env): Tuple[] =>
      withPlace ? plan.rows(env).map((row, at) => [...row, BigInt(at + 1)]) : plan.rows(env);
    const alias = node.alias?.aliasname ?? plan.columns[0]?.name ?? '';
    const names = texts(node.alias?.colnames);
    const isOne = plan.columns.length === 1 && node.alias !== undefined && names.length === 0;
    return this.#rows(alias, renamed(columns, isOne ? [alias] : names), rows, uses);
  }

  #join(node: JoinExpr): Item[] {
    const context = this.#context;
    const lefts = this.#collect(node.larg as Node);
    const rights = this.#collect(node.rarg as Node);
    const conjuncts = node.quals === undefined ? [] : this.#split(node.quals);
    for (const name of texts(node.usingClause)) {
      const has = (item: Item) =>
        !item.entry.hidden.has(name) && item.entry.columns.some((column) => column.name === name);
      const [left, right] = [lefts.find(has), rights.find(has)];
      if (left === undefined || right === undefined)
        throw postgresError('42703', `column "${name}" specified in USING clause does not exist`);
      const [a, b] = [columnOf(context, left.entry, name), columnOf(context, right.entry, name)];
      right.entry.hidden.add(name);
      const equality = ([x, y, item]: [Expr, Expr, Item]): Equality[] =>
        x.column === undefined || x.type !== y.type
          ? []
          : [{ column: x.column, value: (env) => y.run(env), isList: false, uses: new Set([item.entry.k]) }];
      const expr = {
        ...operator(context, '=', a, b),
        equality: [...equality([a, b, right]), ...equality([b, a, left])],
      };
      conjuncts.push({ expr, uses: new Set([left.entry.k, right.entry.k]) });
    }
    if (node.isNatural === true) return notKnown('natural join');
    if (node.jointype === 'JOIN_INNER') {
      this.#conjuncts.push(...conjuncts);
      return [...lefts, ...rights];
    }
    const [right] = rights;
    if (node.jointype !== 'JOIN_LEFT' || rights.length !== 1 || right === undefined)
      return notKnown(String(node.jointype));
    right.left = conjuncts;
    for (const item of lefts) right.needs.add(item.entry.k);
    return [...lefts, right];
  }

  /** Puts the items in order and makes the loops. */
  loop(): Loop {
    const remaining = [...this.#items];
    const own = new Set(this.numbers);
    const bound = new Set<number>();
    const isBound = (k: number) => !own.has(k) || bound.has(k);
    const open = new Set(this.#conjuncts);
    const take = (): Conjunct[] => {
      const ready = [...open].filter((each) => [...each.uses].every(isBound));
      for (const each of ready) open.delete(each);
      return ready;
    };
    const before = take();
    const levels: ((next: Loop) => Loop)[] = [];
    while (remaining.length > 0) {
      const ready = remaining.filter((item) => [...item.needs].every(isBound));
      const ranked = ready.map((item) => ({ item, way: wayInto(item, item.left ?? [...open], isBound) }));
      const best = ranked.reduce((a, b) => (b.way.rank < a.way.rank ? b : a));
      remaining.splice(remaining.indexOf(best.item), 1);
      bound.add(best.item.entry.k);
      levels.push(
        level(
          best.item,
          best.way,
          take().map((each) => each.expr),
        ),
      );
    }
    const inner = levels.reduceRight<Loop>(
      (next, make) => make(next),
      (env, emit) => emit(env),
    );
    if (before.length === 0) return inner;
    const filters = before.map((each) => each.expr.run);
    return (env, emit) => passes(filters, env) && inner(env, emit);
  }
}

const passes = (filters: readonly Expr['run'][], env: Env): boolean => {
  for (const filter of filters) if (filter(env) !== true) return false;
  return true;
};

interface Way {
  readonly rank: number;
  readonly index?: IndexDefinition;
  readonly keys?: readonly Equality[];
}

/** A unique key whose columns are all given is the best, rows made elsewhere come before reading a table whole. */
function wayInto(item: Item, conjuncts: readonly Conjunct[], isBound: (k: number) => boolean): Way {
  const { k, table } = item.entry;
  if (table === undefined) return { rank: 2 };
  const given = conjuncts
    .flatMap((each) => each.expr.equality ?? [])
    .filter((each) => each.column.k === k && !each.uses.has(k) && [...each.uses].every(isBound));
  for (const index of table.indexes) {
    if (index.predicate !== undefined) continue;
    const keys = index.columns.map((c) => given.find((each) => each.column.c === c && !each.isList));
    if (keys.every((each) => each !== undefined)) return { rank: 0, index, keys };
    const list =
      index.columns.length === 1 ? given.find((each) => each.column.c === index.columns[0] && each.isList) : undefined;
    if (list !== undefined) return { rank: 1, index, keys: [list] };
  }
  return { rank: given.length > 0 ? 3 : 4 };
}

function candidates(rows: TableRows, way: Way, env: Env): Iterable<Row> {
  if (way.index === undefined || way.keys === undefined || env.run.isOld) return rows.rows;
  const map = rows.maps.find((each) => each.definition === way.index);
  if (map === undefined) return rows.rows;
  const [first] = way.keys;
  if (first?.isList === true) {
    const values = new Set((first.value(env) ?? []) as Value[]);
    const found = new Set<Row>();
    for (const value of values) if (value !== null) for (const row of map.find(keyOfAll([value]))) found.add(row);
    return found;
  }
  const values = way.keys.map((each) => each.value(env));
  return values.includes(null) ? [] : map.find(keyOfAll(values));
}

function level(item: Item, way: Way, after: readonly Expr[]): (next: Loop) => Loop {
  const { entry, rows, left } = item;
  const { k, table } = entry;
  const filters = [...item.guards, ...(left ?? []).map((each) => each.expr)].map((each) => each.run);
  const post = after.map((each) => each.run);
  if (left === undefined) filters.push(...post.splice(0));
  const nulls: Tuple = entry.columns.map(() => null);
  return (next) => (env, emit) => {
    let hasMatched = false;
    if (table !== undefined) {
      for (const row of candidates(env.run.store.read(table), way, env)) {
        const values = visible(row, env.run);
        if (values === undefined) continue;
        env.t[k] = values;
        env.s[k] = row;
        if (!passes(filters, env)) continue;
        hasMatched = true;
        if (passes(post, env) && next(env, emit)) return true;
      }
    } else if (rows !== undefined) {
      for (const values of rows(env)) {
        env.t[k] = values;
        if (!passes(filters, env)) continue;
        hasMatched = true;
        if (passes(post, env) && next(env, emit)) return true;
      }
    }
    if (left === undefined || hasMatched) return false;
    env.t[k] = nulls;
    env.s[k] = undefined;
    return passes(post, env) && next(env, emit);
  };
}

const renamed = (columns: readonly Column[], names: readonly string[]): readonly Column[] =>
  names.length === 0 ? columns : columns.map((column, at) => ({ ...column, name: names[at] ?? column.name }));

/** What row-level security says of the rows of a table: one policy that allows is enough. */
export function policies(context: Context, entry: ScopeEntry, kind: 'using' | 'check'): Expr[] {
  const { table } = entry;
  if (context.role === null || table === undefined || !table.rowSecurity) return [];
  const scope = { entries: [entry], parent: undefined };
  const allowing = table.policies.flatMap((policy) => {
    const node = kind === 'check' ? (policy.check ?? policy.using) : policy.using;
    return node === undefined ? [] : [within(context, scope, () => condition(context, node)).run];
  });
  return [{ type: 'bool', run: (env) => allowing.some((each) => each(env) === true) }];
}

function mayRead(context: Context, table: TableDefinition): void {
  mayDo(context, table, 'select');
}

export function mayDo(context: Context, table: TableDefinition, right: string): void {
  if (context.role === null) return;
  const home = context.catalog.schemas.get(table.schema);
  if (home?.usage.has(context.role) !== true)
    throw postgresError('42501', `permission denied for schema ${table.schema}`);
  if (table.granted.get(context.role)?.has(right) === true) return;
  throw postgresError('42501', `permission denied for table ${table.name}`);
}
