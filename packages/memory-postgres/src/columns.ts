/** Columns of a table and the constraints that are written with them. */
import type { ColumnDef, Constraint, Node } from 'libpg-query';
import type { ColumnDefinition, TableDefinition } from './catalog.ts';
import { notKnown } from './errors.ts';
import type { Place } from './program.ts';
import type { Store } from './store.ts';
import { texts, typeOf } from './syntax.ts';
import { addCheck, addForeignKey, addUnique } from './table-constraints.ts';
import type { Value } from './values.ts';

export interface Builder extends Place {
  readonly store: Store;
  /** The value of an expression now, for rows that are there already. */
  readonly valueOf: (node: Node, type: string) => Value;
}

export function columnOf(builder: Builder, table: TableDefinition, node: ColumnDef): ColumnDefinition {
  const column: ColumnDefinition = { name: node.colname ?? '', type: typeOf(node.typeName), notNull: false };
  for (const each of node.constraints ?? []) {
    if (!('Constraint' in each)) continue;
    const { contype, raw_expr, generated_when } = each.Constraint;
    if (contype === 'CONSTR_NOTNULL' || contype === 'CONSTR_PRIMARY') column.notNull = true;
    if (contype === 'CONSTR_DEFAULT' && raw_expr !== undefined) column.default = raw_expr;
    if (contype === 'CONSTR_GENERATED') notKnown('generated columns');
    if (contype === 'CONSTR_IDENTITY') {
      const sequence = `${table.schema}.${table.name}_${column.name}_seq`;
      builder.catalog.sequences.set(sequence, { start: 1n });
      column.identity = { sequence, always: generated_when === 'a' };
      column.notNull = true;
    }
  }
  return column;
}

export function addConstraint(builder: Builder, table: TableDefinition, node: Constraint, column?: string): void {
  const names = column === undefined ? texts(node.keys) : [column];
  switch (node.contype) {
    case 'CONSTR_PRIMARY':
      for (const name of names) for (const each of table.columns) if (each.name === name) each.notNull = true;
      return addUnique(table, node.conname ?? `${table.name}_pkey`, names, { isPrimary: true, isConstraint: true });
    case 'CONSTR_UNIQUE':
      if (node.nulls_not_distinct === true) return notKnown('nulls not distinct');
      return addUnique(table, node.conname ?? `${table.name}_${names.join('_')}_key`, names, {
        isPrimary: false,
        isConstraint: true,
      });
    case 'CONSTR_CHECK':
      return addCheck(table, node.conname, node.raw_expr as Node);
    case 'CONSTR_FOREIGN': {
      const parent = builder.catalog.table(builder.path, node.pktable?.schemaname, node.pktable?.relname ?? '');
      return addForeignKey(table, parent, node, column === undefined ? texts(node.fk_attrs) : [column]);
    }
    case 'CONSTR_NOTNULL':
    case 'CONSTR_NULL':
    case 'CONSTR_DEFAULT':
    case 'CONSTR_IDENTITY':
      return undefined;
    default:
      return notKnown(String(node.contype));
  }
}
