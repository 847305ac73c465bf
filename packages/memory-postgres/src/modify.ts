/** `update` and `delete`. All rows are found first and then changed; none is changed twice by one statement. */
import type { DeleteStmt, Node, UpdateStmt } from 'libpg-query';
import { changes } from './assignments.ts';
import { within, type Captured, type Context, type Env, type Rows } from './compile.ts';
import { checkUnique, keyColumns, references, rowCheck } from './constraints.ts';
import { notKnown, postgresError } from './errors.ts';
import { FromClause, mayDo } from './from.ts';
import { insert } from './insert.ts';
import { refresh } from './locking.ts';
import { withCtes } from './select.ts';
import type { Row } from './store.ts';
import { kindOf } from './syntax.ts';
import { targetList } from './targets.ts';
import { keyOf, type Tuple, type Value } from './values.ts';

export function modify(context: Context, node: Node): Rows {
  if ('InsertStmt' in node) {
    return withCtes(context, node.InsertStmt.withClause, () => insert(context, node.InsertStmt));
  }
  if ('UpdateStmt' in node) {
    const { UpdateStmt } = node;
    const scope = { entries: [], parent: context.scope };
    return withCtes(context, UpdateStmt.withClause, () => within(context, scope, () => update(context, UpdateStmt)));
  }
  if ('DeleteStmt' in node) {
    const { DeleteStmt } = node;
    const scope = { entries: [], parent: context.scope };
    return withCtes(context, DeleteStmt.withClause, () => within(context, scope, () => remove(context, DeleteStmt)));
  }
  return notKnown(kindOf(node));
}

/** Finds the rows and what stood beside them. */
function captured(loop: ReturnType<FromClause['loop']>, numbers: readonly number[], env: Env): Captured[] {
  const found: Captured[] = [];
  loop(env, () => {
    found.push({ t: numbers.map((k) => env.t[k] as Tuple), s: numbers.map((k) => env.s[k]) });
    return false;
  });
  return found;
}

function bind(numbers: readonly number[], row: Captured, env: Env): void {
  for (const [at, k] of numbers.entries()) {
    env.t[k] = row.t[at] as Tuple;
    env.s[k] = row.s[at];
  }
}

/** A row that this very statement has changed is left alone: it sees it as it was. */
const isDone = (row: Row, env: Env): boolean =>
  row.owner === env.run.transaction && row.writtenBy === env.run.statement;

function update(context: Context, node: UpdateStmt): Rows {
  const name = node.relation;
  const table = context.catalog.table(context.path, name?.schemaname, name?.relname ?? '');
  mayDo(context, table, 'update');
  const from = new FromClause(context);
  const entry = from.addTable(table, name?.alias?.aliasname ?? table.name, true);
  for (const each of node.fromClause ?? []) from.add(each);
  from.where(node.whereClause);
  const loop = from.loop();
  const sets = changes(context, table, node.targetList ?? []);
  const always = sets.find(({ at }) => table.columns[at]?.identity?.always === true);
  if (always !== undefined)
    throw postgresError('428C9', `column "${table.columns[always.at]?.name}" can only be updated to DEFAULT`);
  const check = rowCheck(context, table, entry);
  const refer = references(context, table, { parents: true, children: true });
  const keys = keyColumns(table);
  const returning = targetList(context, node.returningClause?.exprs ?? []);
  const { numbers } = from;
  const rows = (env: Env): Tuple[] => {
    const tableRows = env.run.store.read(table);
    const answer: Tuple[] = [];
    for (const found of captured(loop, numbers, env)) {
      const row = found.s[0] as Row;
      if (isDone(row, env)) continue;
      bind(numbers, found, env);
      refresh(row, env);
      const old = found.t[0] as Tuple;
      const values = [...old];
      for (const { at, value } of sets) values[at] = value(env);
      check(env, values);
      const changesKey = sets.some(({ at }) => keys.has(at) && keyOf(values[at] as Value) !== keyOf(old[at] as Value));
      env.run.transaction.lock(row, changesKey ? 'update' : 'no key update');
      checkUnique(table, tableRows, values, env, row, old);
      env.run.transaction.write(tableRows, row, values, env.run.statement);
      refer(env, tableRows, values, old);
      env.t[entry.k] = values;
      answer.push(returning.project(env));
    }
    return answer;
  };
  return { columns: returning.columns, rows };
}

function remove(context: Context, node: DeleteStmt): Rows {
  const name = node.relation;
  const table = context.catalog.table(context.path, name?.schemaname, name?.relname ?? '');
  mayDo(context, table, 'delete');
  const from = new FromClause(context);
  from.addTable(table, name?.alias?.aliasname ?? table.name, true);
  for (const each of node.usingClause ?? []) from.add(each);
  from.where(node.whereClause);
  const loop = from.loop();
  const refer = references(context, table, { parents: false, children: true });
  const returning = targetList(context, node.returningClause?.exprs ?? []);
  const { numbers } = from;
  const rows = (env: Env): Tuple[] => {
    const tableRows = env.run.store.read(table);
    const answer: Tuple[] = [];
    for (const found of captured(loop, numbers, env)) {
      const row = found.s[0] as Row;
      if (isDone(row, env)) continue;
      bind(numbers, found, env);
      env.run.transaction.lock(row, 'update');
      refresh(row, env);
      answer.push(returning.project(env));
      env.run.transaction.write(tableRows, row, undefined, env.run.statement);
      refer(env, tableRows, undefined, found.t[0]);
    }
    return answer;
  };
  return { columns: returning.columns, rows };
}
