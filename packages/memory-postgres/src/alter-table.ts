/** `alter table`: columns and constraints that come and go. */
import type { AlterTableCmd, AlterTableStmt, Node } from 'libpg-query';
import { columnAt, positions, type TableDefinition } from './catalog.ts';
import { addConstraint, columnOf, type Builder } from './columns.ts';
import { notKnown, postgresError } from './errors.ts';
import { compilePredicate } from './program.ts';
import { kindOf } from './syntax.ts';

export function alterTable(builder: Builder, node: AlterTableStmt): string {
  const { relation, cmds = [] } = node;
  const table = builder.catalog.table(builder.path, relation?.schemaname, relation?.relname ?? '');
  for (const each of cmds) {
    if (!('AlterTableCmd' in each)) return notKnown(kindOf(each));
    alter(builder, table, each.AlterTableCmd);
  }
  return 'ALTER TABLE';
}

function alter(builder: Builder, table: TableDefinition, command: AlterTableCmd): void {
  const { name = '', def } = command;
  switch (command.subtype) {
    case 'AT_AddColumn':
      return addColumn(builder, table, def as Node);
    case 'AT_DropColumn':
      return dropColumn(builder, table, name);
    case 'AT_AddConstraint':
      if (def === undefined || !('Constraint' in def)) return notKnown(kindOf(def));
      addConstraint(builder, table, def.Constraint);
      builder.store.rebuild(table);
      return undefined;
    case 'AT_DropConstraint':
      return dropConstraint(builder, table, name);
    case 'AT_DropNotNull':
    case 'AT_SetNotNull':
      (table.columns[columnAt(table, name)] as TableDefinition['columns'][number]).notNull =
        command.subtype === 'AT_SetNotNull';
      return undefined;
    case 'AT_ColumnDefault': {
      const column = table.columns[columnAt(table, name)] as TableDefinition['columns'][number];
      if (def === undefined) delete column.default;
      else column.default = def;
      return undefined;
    }
    case 'AT_EnableRowSecurity':
    case 'AT_DisableRowSecurity':
      table.rowSecurity = command.subtype === 'AT_EnableRowSecurity';
      return undefined;
    case 'AT_ForceRowSecurity':
    case 'AT_NoForceRowSecurity':
      table.forcesRowSecurity = command.subtype === 'AT_ForceRowSecurity';
      return undefined;
    case 'AT_SetRelOptions':
      return undefined;
    default:
      return notKnown(String(command.subtype));
  }
}

function addColumn(builder: Builder, table: TableDefinition, def: Node): void {
  if (!('ColumnDef' in def)) return notKnown(kindOf(def));
  const column = columnOf(builder, table, def.ColumnDef);
  if (column.identity !== undefined) return notKnown('an identity for rows that are there');
  table.columns.push(column);
  const value = column.default === undefined ? null : builder.valueOf(column.default, column.type);
  for (const each of def.ColumnDef.constraints ?? []) {
    if ('Constraint' in each) addConstraint(builder, table, each.Constraint, column.name);
  }
  builder.store.rebuild(table, (values) => [...values, value]);
}

function dropColumn(builder: Builder, table: TableDefinition, name: string): void {
  const at = columnAt(table, name);
  table.columns.splice(at, 1);
  for (const index of table.indexes.splice(0)) {
    if (index.columnNames.includes(name)) continue;
    const { predicateNode } = index;
    const predicate = predicateNode === undefined ? {} : { predicate: compilePredicate(builder, table, predicateNode) };
    table.indexes.push({ ...index, columns: positions(table, index.columnNames), ...predicate });
  }
  builder.store.rebuild(table, (values) => values.toSpliced(at, 1));
}

function dropConstraint(builder: Builder, table: TableDefinition, name: string): void {
  const index = table.indexes.findIndex((each) => each.name === name);
  const key = table.foreignKeys.findIndex((each) => each.name === name);
  if (table.checks.delete(name)) return;
  if (key >= 0) table.foreignKeys.splice(key, 1);
  else if (index >= 0) {
    table.indexes.splice(index, 1);
    builder.store.rebuild(table);
  } else throw postgresError('42704', `constraint "${name}" of relation "${table.name}" does not exist`);
}
