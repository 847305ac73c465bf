/** What migrations do: schemas, tables, keys, functions, policies, rights. Takes effect at once, outside of transactions. */
import type { CreateStmt, Node, RangeVar } from 'libpg-query';
import { alterTable } from './alter-table.ts';
import type { Catalog } from './catalog.ts';
import { addConstraint, columnOf, type Builder } from './columns.ts';
import { notKnown, postgresError } from './errors.ts';
import { compilePredicate } from './program.ts';
import { kindOf, qualified, textOf, texts, typeOf } from './syntax.ts';
import { addUnique } from './table-constraints.ts';

const schemaOf = (builder: Builder, name: RangeVar | undefined): string =>
  name?.schemaname ?? builder.path[0] ?? 'public';

/** Answers the command's word, or undefined when the statement is no such one. */
export function define(builder: Builder, node: Node): string | undefined {
  const made = makeOf(builder, node) ?? rightsOf(builder.catalog, node);
  if (made !== undefined) builder.catalog.changed();
  return made;
}

function makeOf(builder: Builder, node: Node): string | undefined {
  const { catalog, store } = builder;
  if ('CreateSchemaStmt' in node) {
    const name = node.CreateSchemaStmt.schemaname ?? '';
    if (!catalog.schemas.has(name)) catalog.schemas.set(name, { usage: new Set(), defaults: new Map() });
    return 'CREATE SCHEMA';
  }
  if ('CreateStmt' in node) return createTable(builder, node.CreateStmt);
  if ('IndexStmt' in node) {
    const { relation, unique, indexParams, whereClause, idxname = '' } = node.IndexStmt;
    const table = catalog.table(builder.path, relation?.schemaname, relation?.relname ?? '');
    if (unique !== true) table.plainIndexes.add(idxname);
    else {
      const names = (indexParams ?? []).map((each) =>
        'IndexElem' in each ? (each.IndexElem.name ?? notKnown('an index on an expression')) : '',
      );
      const predicate =
        whereClause === undefined
          ? {}
          : { predicateNode: whereClause, predicate: compilePredicate(builder, table, whereClause) };
      addUnique(table, idxname, names, { isPrimary: false, isConstraint: false, ...predicate });
      store.rebuild(table);
    }
    return 'CREATE INDEX';
  }
  if ('AlterTableStmt' in node) return alterTable(builder, node.AlterTableStmt);
  if ('CreateSeqStmt' in node) {
    const { sequence, options } = node.CreateSeqStmt;
    const start = (options ?? []).find((each) => 'DefElem' in each && each.DefElem.defname === 'start');
    const arg = start !== undefined && 'DefElem' in start ? start.DefElem.arg : undefined;
    const value =
      arg === undefined ? 1 : 'Integer' in arg ? (arg.Integer.ival ?? 0) : 'Float' in arg ? Number(arg.Float.fval) : 1;
    catalog.sequences.set(`${schemaOf(builder, sequence)}.${sequence?.relname}`, { start: BigInt(value) });
    return 'CREATE SEQUENCE';
  }
  if ('CreateFunctionStmt' in node) return createFunction(builder, node);
  if ('DropStmt' in node) return drop(builder, node);
  if ('CommentStmt' in node) return 'COMMENT';
  if ('TruncateStmt' in node) {
    for (const each of node.TruncateStmt.relations ?? []) {
      const name = 'RangeVar' in each ? each.RangeVar : notKnown(kindOf(each));
      const table = catalog.table(builder.path, name.schemaname, name.relname ?? '');
      store.drop(table);
    }
    return 'TRUNCATE TABLE';
  }
  if ('RenameStmt' in node) {
    const { relation, renameType, subname, newname = '' } = node.RenameStmt;
    const table = catalog.table(builder.path, relation?.schemaname, relation?.relname ?? '');
    if (renameType === 'OBJECT_TABLE') {
      catalog.tables.delete(`${table.schema}.${table.name}`);
      table.name = newname;
      catalog.tables.set(`${table.schema}.${newname}`, table);
      return 'ALTER TABLE';
    }
    const column = table.columns.find((each) => each.name === subname);
    if (renameType !== 'OBJECT_COLUMN' || column === undefined) return notKnown(`rename ${renameType}`);
    return notKnown('rename of a column');
  }
  if ('CreatePolicyStmt' in node) {
    const { table: name, policy_name, qual, with_check, cmd_name, permissive } = node.CreatePolicyStmt;
    if ((cmd_name ?? 'all') !== 'all' || permissive !== true) return notKnown('this kind of policy');
    const table = catalog.table(builder.path, name?.schemaname, name?.relname ?? '');
    const using = qual === undefined ? {} : { using: qual };
    table.policies.push({
      name: policy_name ?? '',
      ...using,
      ...(with_check === undefined ? {} : { check: with_check }),
    });
    return 'CREATE POLICY';
  }
  return undefined;
}

function createTable(builder: Builder, node: CreateStmt): string {
  const { relation, tableElts = [], if_not_exists } = node;
  const [schema, name] = [schemaOf(builder, relation), relation?.relname ?? ''];
  if (if_not_exists === true && builder.catalog.tables.has(`${schema}.${name}`)) return 'CREATE TABLE';
  const table = builder.catalog.makeTable(schema, name);
  for (const each of tableElts) if ('ColumnDef' in each) table.columns.push(columnOf(builder, table, each.ColumnDef));
  for (const each of tableElts) {
    if ('ColumnDef' in each) {
      const { colname = '', constraints = [] } = each.ColumnDef;
      for (const inner of constraints)
        if ('Constraint' in inner) addConstraint(builder, table, inner.Constraint, colname);
    } else if ('Constraint' in each) addConstraint(builder, table, each.Constraint);
    else notKnown(kindOf(each));
  }
  builder.store.rebuild(table);
  return 'CREATE TABLE';
}

function createFunction(builder: Builder, node: Extract<Node, { CreateFunctionStmt: unknown }>): string {
  const { funcname, parameters = [], returnType, options = [], sql_body } = node.CreateFunctionStmt;
  const { schema = builder.path[0] ?? 'public', name } = qualified(funcname);
  const option = (wanted: string): Node | undefined => {
    const found = options.find((each) => 'DefElem' in each && each.DefElem.defname === wanted);
    return found !== undefined && 'DefElem' in found ? found.DefElem.arg : undefined;
  };
  const language = textOf(option('language'));
  const as = option('as');
  if (sql_body !== undefined || as === undefined || !('List' in as)) return notKnown(`the body of function ${name}`);
  if (language !== 'sql' && language !== 'plpgsql') return notKnown(`functions in ${language}`);
  const typed = parameters.map((each) =>
    'FunctionParameter' in each
      ? { name: each.FunctionParameter.name ?? '', type: typeOf(each.FunctionParameter.argType) }
      : notKnown(kindOf(each)),
  );
  const known = typed.map((each) => ({ ...each, type: each.type === 'regclass' ? 'text' : each.type }));
  const body = textOf(as.List.items?.[0]);
  builder.catalog.functions.set(`${schema}.${name}`, {
    schema,
    name,
    language,
    parameters: known,
    returns: typeOf(returnType),
    body,
  });
  return 'CREATE FUNCTION';
}

function drop(builder: Builder, node: Extract<Node, { DropStmt: unknown }>): string {
  const { objects = [], removeType, missing_ok } = node.DropStmt;
  for (const object of objects) {
    const { schema, name } = qualified('List' in object ? object.List.items : [object]);
    if (removeType === 'OBJECT_INDEX') {
      for (const table of builder.catalog.tables.values()) {
        table.plainIndexes.delete(name);
        const at = table.indexes.findIndex((index) => index.name === name);
        if (at < 0) continue;
        table.indexes.splice(at, 1);
        builder.store.rebuild(table);
      }
    } else if (removeType === 'OBJECT_TABLE') {
      const table = builder.catalog.findTable(builder.path, schema, name);
      if (table === undefined && missing_ok === true) continue;
      if (table === undefined) throw postgresError('42P01', `table "${name}" does not exist`);
      builder.catalog.tables.delete(`${table.schema}.${table.name}`);
      builder.store.drop(table);
    } else if (!(missing_ok === true && removeType !== 'OBJECT_SCHEMA')) return notKnown(`drop ${removeType}`);
  }
  return 'DROP';
}

/** Roles and what they may do: schemas by usage, tables by the four verbs. */
function rightsOf(catalog: Catalog, node: Node): string | undefined {
  const roles = (nodes: readonly Node[] | undefined) =>
    (nodes ?? []).map((each) => ('RoleSpec' in each ? (each.RoleSpec.rolename ?? 'public') : notKnown(kindOf(each))));
  if ('CreateRoleStmt' in node) {
    catalog.roles.add(node.CreateRoleStmt.role ?? '');
    return 'CREATE ROLE';
  }
  if ('AlterRoleStmt' in node) return 'ALTER ROLE';
  const verbs = (privileges: readonly Node[] | undefined) =>
    privileges === undefined
      ? ['select', 'insert', 'update', 'delete']
      : privileges.map((each) => ('AccessPriv' in each ? (each.AccessPriv.priv_name ?? '') : ''));
  if ('AlterDefaultPrivilegesStmt' in node) {
    const { options = [], action } = node.AlterDefaultPrivilegesStmt;
    if (action?.objtype !== 'OBJECT_TABLE') return 'ALTER DEFAULT PRIVILEGES';
    for (const option of options) {
      if (!('DefElem' in option) || option.DefElem.defname !== 'schemas') continue;
      const arg = option.DefElem.arg as Node;
      for (const name of texts('List' in arg ? arg.List.items : [arg])) {
        for (const role of roles(action.grantees))
          catalog.schemas.get(name)?.defaults.set(role, new Set(verbs(action.privileges)));
      }
    }
    return 'ALTER DEFAULT PRIVILEGES';
  }
  if (!('GrantStmt' in node)) return undefined;
  const { is_grant, objtype, objects = [], privileges, grantees } = node.GrantStmt;
  for (const object of objects) {
    for (const role of roles(grantees)) {
      if (objtype === 'OBJECT_SCHEMA') {
        const usage = catalog.schemas.get(textOf(object))?.usage;
        if (is_grant === true) usage?.add(role);
        else usage?.delete(role);
      } else if (objtype === 'OBJECT_TABLE' && 'RangeVar' in object) {
        const { schemaname, relname = '' } = object.RangeVar;
        const table = catalog.table([...catalog.schemas.keys()], schemaname, relname);
        const granted = table.granted.get(role) ?? new Set<string>();
        for (const verb of verbs(privileges))
          if (is_grant === true) granted.add(verb);
          else granted.delete(verb);
        table.granted.set(role, granted);
      } else if (objtype !== 'OBJECT_SEQUENCE') return notKnown(`grant on ${objtype}`);
    }
  }
  return is_grant === true ? 'GRANT' : 'REVOKE';
}
