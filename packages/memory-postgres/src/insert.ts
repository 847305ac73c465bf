/** `insert`, with `on conflict` and `returning`. */
import type { InsertStmt, Node, OnConflictClause } from 'libpg-query';
import { changes, defaultOf } from './assignments.ts';
import { columnAt, type IndexDefinition, type TableDefinition } from './catalog.ts';
import { coerce, newTable, within, type Context, type Env, type Expr, type Rows, type ScopeEntry } from './compile.ts';
import { checkUnique, conflicting, references, rowCheck, targetEntry, keyColumns } from './constraints.ts';
import { notKnown, postgresError } from './errors.ts';
import { condition } from './expressions.ts';
import { mayDo } from './from.ts';
import { Row, type TableRows } from './store.ts';
import { kindOf } from './syntax.ts';
import { targetList } from './targets.ts';
import { keyOf, type Tuple, type Value } from './values.ts';

export function insert(context: Context, node: InsertStmt): Rows {
  const name = node.relation;
  const table = context.catalog.table(context.path, name?.schemaname, name?.relname ?? '');
  mayDo(context, table, 'insert');
  const given = (node.cols ?? []).map((col) =>
    'ResTarget' in col ? columnAt(table, col.ResTarget.name ?? '') : notKnown(kindOf(col)),
  );
  const source = rowsToInsert(context, table, node, given);
  const entry = targetEntry(context, table, name?.alias?.aliasname ?? table.name);
  const check = rowCheck(context, table, entry);
  const refer = references(context, table, { parents: true, children: false });
  const conflict =
    node.onConflictClause === undefined ? undefined : onConflict(context, table, entry, node.onConflictClause);
  const scope = { entries: [entry], parent: undefined };
  const returning = within(context, scope, () => targetList(context, node.returningClause?.exprs ?? []));
  const rows = (env: Env): Tuple[] => {
    const tableRows = env.run.store.read(table);
    const answer: Tuple[] = [];
    for (const values of source(env)) {
      check(env, values);
      const met = conflict?.find(tableRows, values, env);
      let now: Tuple | undefined;
      if (met === undefined) {
        checkUnique(table, tableRows, values, env);
        env.run.store.rowIds += 1;
        const row = new Row(env.run.store.rowIds, undefined);
        env.run.transaction.lock(row, 'update');
        env.run.transaction.write(tableRows, row, values, env.run.statement);
        refer(env, tableRows, values, undefined);
        now = values;
      } else {
        now = conflict?.update?.(env, tableRows, met, values);
      }
      if (now === undefined) continue;
      env.t[entry.k] = now;
      answer.push(returning.project(env));
    }
    return answer;
  };
  return { columns: returning.columns, rows };
}

/** Whole tuples, with what was not given filled in. */
function rowsToInsert(
  context: Context,
  table: TableDefinition,
  node: InsertStmt,
  cols: readonly number[],
): (env: Env) => Iterable<Tuple> {
  const statement = node.selectStmt;
  if (statement === undefined) {
    const all = table.columns.map((_, at) => defaultOf(context, table, at).run);
    return (env) => [all.map((each) => each(env))];
  }
  if (!('SelectStmt' in statement)) return notKnown(kindOf(statement));
  const lists = statement.SelectStmt.valuesLists;
  if (lists !== undefined) {
    const rows = lists.map((list) => {
      const items = 'List' in list ? (list.List.items ?? []) : [];
      const targets = cols.length > 0 ? cols : items.map((_, at) => at);
      return filled(
        context,
        table,
        targets,
        items.map((item, n) => valueFor(context, table, targets[n] as number, item)),
      );
    });
    // One after the other: where one is refused, the next draws no number.
    return function* each(env) {
      for (const row of rows) yield row(env);
    };
  }
  const everything = table.columns.map((_, at) => at);
  const wanted = (cols.length > 0 ? cols : everything).map((at) => table.columns[at]?.type);
  const plan = context.select(context, statement, wanted);
  const targets = (cols.length > 0 ? cols : everything).slice(0, plan.columns.length);
  if (plan.columns.length > wanted.length)
    throw postgresError('42601', 'INSERT has more expressions than target columns');
  let current: Tuple = [];
  const items = plan.columns.map((column, n): Expr => ({ type: column.type, run: () => current[n] as Value }));
  const typed = items.map((item, n) => {
    const at = targets[n] as number;
    refuseIdentity(table, at);
    return coerce(context, item, table.columns[at]?.type ?? 'text').run;
  });
  const fill = filled(context, table, targets, typed);
  return function* each(env) {
    for (const row of plan.rows(env)) {
      current = row;
      yield fill(env);
    }
  };
}

function refuseIdentity(table: TableDefinition, at: number): void {
  const column = table.columns[at];
  if (column?.identity?.always !== true) return;
  throw postgresError('428C9', `cannot insert a non-DEFAULT value into column "${column.name}"`);
}

function valueFor(context: Context, table: TableDefinition, at: number, item: Node): (env: Env) => Value {
  if ('SetToDefault' in item) return defaultOf(context, table, at).run;
  refuseIdentity(table, at);
  return coerce(context, context.expression(context, item), table.columns[at]?.type ?? 'text').run;
}

function filled(
  context: Context,
  table: TableDefinition,
  targets: readonly number[],
  values: readonly ((env: Env) => Value)[],
): (env: Env) => Tuple {
  const runs = table.columns.map((_, at) => {
    const n = targets.indexOf(at);
    return n < 0 ? defaultOf(context, table, at).run : (values[n] ?? (() => null));
  });
  return (env) => runs.map((run) => run(env));
}

interface Conflict {
  find(rows: TableRows, values: Tuple, env: Env): Row | undefined;
  /** Answers the new tuple, or undefined when the row stays as it is. */
  update?: (env: Env, rows: TableRows, row: Row, proposed: Tuple) => Tuple | undefined;
}

function onConflict(context: Context, table: TableDefinition, entry: ScopeEntry, clause: OnConflictClause): Conflict {
  const arbiters = arbitersOf(table, clause);
  const find = (rows: TableRows, values: Tuple, env: Env): Row | undefined => {
    for (const map of rows.maps) {
      if (!arbiters.includes(map.definition)) continue;
      const row = conflicting(map, values, env);
      if (row !== undefined) return row;
    }
    return undefined;
  };
  if (clause.action === 'ONCONFLICT_NOTHING') return { find };
  mayDo(context, table, 'update');
  const excluded: ScopeEntry = {
    alias: 'excluded',
    k: newTable(context),
    columns: table.columns,
    hidden: new Set(),
    isAside: true,
  };
  const scope = { entries: [entry, excluded], parent: undefined };
  const sets = within(context, scope, () => changes(context, table, clause.targetList ?? []));
  const node = clause.whereClause;
  const where = node === undefined ? undefined : within(context, scope, () => condition(context, node));
  const check = rowCheck(context, table, entry);
  const refer = references(context, table, { parents: true, children: true });
  const keys = keyColumns(table);
  const update = (env: Env, rows: TableRows, row: Row, proposed: Tuple): Tuple | undefined => {
    const { transaction, statement } = env.run;
    if (row.owner === transaction && row.writtenBy === statement) {
      throw postgresError('21000', 'ON CONFLICT DO UPDATE command cannot affect row a second time');
    }
    const changesKey = sets.some(({ at }) => keys.has(at));
    transaction.lock(row, changesKey ? 'update' : 'no key update');
    const old = row.latest(transaction) as Tuple;
    env.t[entry.k] = old;
    env.t[excluded.k] = proposed;
    if (where !== undefined && where.run(env) !== true) return undefined;
    const values = [...old];
    for (const { at, value } of sets) values[at] = value(env);
    check(env, values);
    if (sets.some(({ at }) => keyOf(values[at] as Value) !== keyOf(old[at] as Value)))
      checkUnique(table, rows, values, env, row, old);
    transaction.write(rows, row, values, statement);
    refer(env, rows, values, old);
    return values;
  };
  return { find, update };
}

function arbitersOf(table: TableDefinition, clause: OnConflictClause): readonly IndexDefinition[] {
  const { infer } = clause;
  if (infer === undefined) return table.indexes;
  if (infer.conname !== undefined) return table.indexes.filter((index) => index.name === infer.conname);
  const names = (infer.indexElems ?? []).map((each) =>
    'IndexElem' in each ? (each.IndexElem.name ?? '') : notKnown(kindOf(each)),
  );
  const found = table.indexes.filter(
    (index) =>
      index.columnNames.length === names.length &&
      index.columnNames.every((name) => names.includes(name)) &&
      (index.predicateNode === undefined || infer.whereClause !== undefined),
  );
  if (found.length > 0) return found;
  throw postgresError('42P10', 'there is no unique or exclusion constraint matching the ON CONFLICT specification');
}
