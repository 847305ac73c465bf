/** What a row must satisfy: not null, checks, policies, unique keys, foreign keys. */
import { columnAt, positions, type ColumnDefinition, type ForeignKey, type TableDefinition } from './catalog.ts';
import { newTable, within, type Context, type Env, type Expr, type ScopeEntry } from './compile.ts';
import { toText } from './casts.ts';
import { postgresError } from './errors.ts';
import { condition } from './expressions.ts';
import { policies } from './from.ts';
import type { Row, TableRows, UniqueMap } from './store.ts';
import { Blocked } from './transaction.ts';
import { keyOfAll, type Tuple, type Value } from './values.ts';

const described = (table: TableDefinition, at: readonly number[], values: Tuple): string =>
  `Key (${at.map((c) => table.columns[c]?.name).join(', ')})=(${at
    .map((c) => toText(table.columns[c]?.type ?? 'text', values[c] as Value))
    .join(', ')})`;

/** Not null, checks in the order of their names, row-level security. The tuple is bound to `entry`. */
export function rowCheck(
  context: Context,
  table: TableDefinition,
  entry: ScopeEntry,
): (env: Env, values: Tuple) => void {
  const scope = { entries: [entry], parent: undefined };
  const compiled = (): { name: string; expr: Expr }[] =>
    [...table.checks]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, node]) => ({ name, expr: within(context, scope, () => condition(context, node)) }));
  const checks = compiled();
  const allowed = policies(context, entry, 'check');
  const wanted = [...table.columns.keys()].filter((at) => table.columns[at]?.notNull === true);
  return (env, values) => {
    env.t[entry.k] = values;
    for (const each of allowed) {
      if (each.run(env) === true) continue;
      throw postgresError('42501', `new row violates row-level security policy for table "${table.name}"`);
    }
    for (const at of wanted) {
      if ((values[at] ?? null) !== null) continue;
      const column = table.columns[at] as ColumnDefinition;
      const message = `null value in column "${column.name}" of relation "${table.name}" violates not-null constraint`;
      throw postgresError('23502', message, { schema: table.schema, table: table.name, column: column.name });
    }
    for (const { name, expr } of checks) {
      if (expr.run(env) !== false) continue;
      const message = `new row for relation "${table.name}" violates check constraint "${name}"`;
      throw postgresError('23514', message, { schema: table.schema, table: table.name, constraint: name });
    }
  };
}

/** The row that has this key already, or throws Blocked when another transaction is about to decide that. */
export function conflicting(map: UniqueMap, values: Tuple, env: Env, self?: Row): Row | undefined {
  const key = map.keyOf(values);
  if (key === undefined) return undefined;
  const { transaction } = env.run;
  for (const row of map.find(key)) {
    if (row === self) continue;
    if (row.owner !== undefined && row.owner !== transaction) throw new Blocked([row.owner]);
    if (map.keyOf(row.latest(transaction)) === key) return row;
  }
  return undefined;
}

/** `self` and `old`: the row that changes, and what it was. */
export function checkUnique(
  table: TableDefinition,
  rows: TableRows,
  values: Tuple,
  env: Env,
  self?: Row,
  old?: Tuple,
): void {
  for (const map of rows.maps) {
    // A key that it has already is nobody else's.
    if (old !== undefined && map.isSame(values, old)) continue;
    if (conflicting(map, values, env, self) === undefined) continue;
    const { name, columns } = map.definition;
    throw postgresError('23505', `duplicate key value violates unique constraint "${name}"`, {
      schema: table.schema,
      table: table.name,
      constraint: name,
      detail: `${described(table, columns, values)} already exists.`,
    });
  }
}

interface Check {
  (env: Env, rows: TableRows, values: Tuple | undefined, old: Tuple | undefined): void;
}

/** Compiles what must be looked at when a row of the table comes, changes or goes; looked at when the statement is through. */
export function references(
  context: Context,
  table: TableDefinition,
  writes: { parents: boolean; children: boolean },
): Check {
  const { catalog } = context;
  const parents = writes.parents ? table.foreignKeys.map((key) => parentCheck(context, table, key)) : [];
  const children = writes.children
    ? catalog.referencesTo(table).map((key) => childCheck(context, catalog.tableById(key.table), table, key))
    : [];
  return (env, rows, values, old) => {
    for (const check of parents) check(env, rows, values, old);
    for (const check of children) check(env, rows, values, old);
  };
}

function parentCheck(context: Context, table: TableDefinition, key: ForeignKey): Check {
  const parent = context.catalog.tableById(key.referenced);
  context.written.add(parent);
  const [own, theirs] = [positions(table, key.columnNames), positions(parent, key.referencedNames)];
  return (env, _, values, old) => {
    if (values === undefined) return;
    const wanted = own.map((c) => values[c] as Value);
    if (wanted.includes(null)) return;
    if (old !== undefined && keyOfAll(own.map((c) => old[c] as Value)) === keyOfAll(wanted)) return;
    env.run.after.push(() => {
      const rows = env.run.store.read(parent);
      const map = rows.maps.find((each) => each.definition.columns.join() === theirs.join());
      for (const row of map?.find(keyOfAll(wanted)) ?? []) {
        const isThere = (version: Tuple | undefined) =>
          version !== undefined && keyOfAll(theirs.map((c) => version[c] as Value)) === keyOfAll(wanted);
        // Made by another transaction and not committed: not there for this one, and not waited for.
        if (!isThere(row.latest(env.run.transaction))) continue;
        env.run.transaction.lock(row, 'key share');
        return;
      }
      throw violation(
        table,
        key,
        `insert or update on table "${table.name}" violates foreign key constraint "${key.name}"`,
        {
          detail: `${described(table, own, values)} is not present in table "${parent.name}".`,
        },
      );
    });
  };
}

const violation = (table: TableDefinition, key: ForeignKey, message: string, more: { detail?: string } = {}) =>
  postgresError('23503', message, { schema: table.schema, table: table.name, constraint: key.name, ...more });

function childCheck(context: Context, child: TableDefinition, parent: TableDefinition, key: ForeignKey): Check {
  context.written.add(child);
  const [theirs, own] = [positions(child, key.columnNames), positions(parent, key.referencedNames)];
  const further = key.cascades ? references(context, child, { parents: false, children: true }) : undefined;
  return (env, _, values, old) => {
    if (old === undefined) return;
    const gone = keyOfAll(own.map((c) => old[c] as Value));
    if (values !== undefined && keyOfAll(own.map((c) => values[c] as Value)) === gone) return;
    env.run.after.push(() => {
      const rows = env.run.store.read(child);
      const { transaction, statement } = env.run;
      for (const row of rows.rows) {
        const version = row.latest(transaction);
        if (version === undefined || keyOfAll(theirs.map((c) => version[c] as Value)) !== gone) continue;
        if (!key.cascades || values !== undefined) {
          throw violation(
            parent,
            key,
            `update or delete on table "${parent.name}" violates foreign key constraint "${key.name}" on table "${child.name}"`,
          );
        }
        transaction.lock(row, 'update');
        transaction.write(rows, row, undefined, statement);
        further?.(env, rows, undefined, version);
      }
    });
  };
}

/** A table that a statement changes, as the target of its expressions. */
export function targetEntry(context: Context, table: TableDefinition, alias: string): ScopeEntry {
  context.written.add(table);
  return { alias, k: newTable(context), columns: table.columns, table, hidden: new Set() };
}

/** The columns by which others know a row: changing them is a stronger lock. */
export function keyColumns(table: TableDefinition): ReadonlySet<number> {
  const named = table.indexes.filter((index) => index.predicate === undefined).flatMap((index) => index.columnNames);
  return new Set(named.map((name) => columnAt(table, name)));
}
