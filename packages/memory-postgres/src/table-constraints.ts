/** Constraints of a table, with the names that Postgres gives to those without one. */
import type { Constraint, Node } from 'libpg-query';
import { positions, type IndexDefinition, type TableDefinition } from './catalog.ts';
import { texts } from './syntax.ts';

function freeName(table: TableDefinition, wanted: string): string {
  const taken = new Set([
    ...table.checks.keys(),
    ...table.foreignKeys.map((key) => key.name),
    ...table.indexes.map((index) => index.name),
  ]);
  for (let number = 0; ; number += 1) {
    const name = number === 0 ? wanted : `${wanted}${number}`;
    if (!taken.has(name)) return name;
  }
}

export function addUnique(
  table: TableDefinition,
  name: string,
  columnNames: readonly string[],
  kind: Pick<IndexDefinition, 'isPrimary' | 'isConstraint' | 'predicate' | 'predicateNode'>,
): void {
  const columns = positions(table, columnNames);
  table.indexes.push({ name: kind.isConstraint ? freeName(table, name) : name, columnNames, columns, ...kind });
}

export function addCheck(table: TableDefinition, name: string | undefined, node: Node): void {
  const columns = new Set<string>();
  const walk = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return;
    if ('ColumnRef' in each) {
      const { fields } = each.ColumnRef as { fields?: Node[] };
      const last = texts(fields).at(-1) ?? '';
      if (table.columns.some((column) => column.name === last)) columns.add(last);
      return;
    }
    for (const inner of Object.values(each)) walk(inner);
  };
  walk(node);
  const [only] = columns;
  const wanted = columns.size === 1 && only !== undefined ? `${table.name}_${only}_check` : `${table.name}_check`;
  table.checks.set(name ?? freeName(table, wanted), node);
}

export function addForeignKey(
  table: TableDefinition,
  parent: TableDefinition,
  node: Constraint,
  columnNames: readonly string[],
): void {
  const named = texts(node.pk_attrs);
  const referencedNames =
    named.length > 0 ? named : (parent.indexes.find((index) => index.isPrimary)?.columnNames ?? []);
  table.foreignKeys.push({
    name: node.conname ?? freeName(table, `${table.name}_${columnNames.join('_')}_fkey`),
    table: table.id,
    columnNames,
    referenced: parent.id,
    referencedNames,
    cascades: node.fk_del_action === 'c',
  });
}
