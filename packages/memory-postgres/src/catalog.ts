/** What the migrations made: tables, keys, checks, functions, sequences, roles. Shared by copies of a server. */
import type { Node } from 'libpg-query';
import { postgresError } from './errors.ts';
import type { Tuple, Type } from './values.ts';

export interface ColumnDefinition {
  name: string;
  type: Type;
  notNull: boolean;
  default?: Node;
  /** The sequence of an identity column. */
  identity?: { sequence: string; always: boolean };
}

export interface IndexDefinition {
  readonly name: string;
  readonly columnNames: readonly string[];
  /** Positions in the tuple. */
  columns: readonly number[];
  readonly predicateNode?: Node;
  predicate?: (values: Tuple) => boolean;
  readonly isPrimary: boolean;
  /** Made by a constraint, not by `create unique index`. */
  readonly isConstraint: boolean;
}

export interface ForeignKey {
  readonly name: string;
  readonly table: number;
  readonly columnNames: readonly string[];
  readonly referenced: number;
  readonly referencedNames: readonly string[];
  readonly cascades: boolean;
}

export interface TableDefinition {
  readonly id: number;
  readonly schema: string;
  name: string;
  readonly columns: ColumnDefinition[];
  /** The unique ones: the others only make things faster. */
  readonly indexes: IndexDefinition[];
  readonly plainIndexes: Set<string>;
  readonly checks: Map<string, Node>;
  readonly foreignKeys: ForeignKey[];
  readonly policies: { readonly name: string; readonly using?: Node; readonly check?: Node }[];
  rowSecurity: boolean;
  forcesRowSecurity: boolean;
  /** Those who may, beside the superuser. */
  readonly granted: Map<string, Set<string>>;
}

export interface FunctionDefinition {
  readonly schema: string;
  readonly name: string;
  readonly language: 'sql' | 'plpgsql';
  readonly parameters: readonly { readonly name: string; readonly type: Type }[];
  readonly returns: Type;
  readonly body: string;
}

export class Catalog {
  readonly schemas = new Map<string, { readonly usage: Set<string>; readonly defaults: Map<string, Set<string>> }>();
  readonly tables = new Map<string, TableDefinition>();
  readonly functions = new Map<string, FunctionDefinition>();
  readonly sequences = new Map<string, { readonly start: bigint }>();
  readonly roles = new Set<string>();
  /** Several servers have it: whoever defines something takes a copy first. */
  isShared = false;
  /** Compiled statements, by search path and role, then by text. Emptied by each change. */
  readonly plans = new Map<string, Map<string, unknown>>();
  #nextTable = 1;

  copy(): Catalog {
    const copy = new Catalog();
    for (const [name, { usage, defaults }] of this.schemas) {
      copy.schemas.set(name, { usage: new Set(usage), defaults: new Map(defaults) });
    }
    for (const [name, table] of this.tables) {
      copy.tables.set(name, {
        ...table,
        columns: table.columns.map((column) => ({ ...column })),
        // The same objects: rows that are shared know their keys by them.
        indexes: [...table.indexes],
        plainIndexes: new Set(table.plainIndexes),
        checks: new Map(table.checks),
        foreignKeys: [...table.foreignKeys],
        policies: [...table.policies],
        granted: new Map([...table.granted].map(([role, rights]) => [role, new Set(rights)])),
      });
    }
    for (const [name, each] of this.functions) copy.functions.set(name, each);
    for (const [name, each] of this.sequences) copy.sequences.set(name, each);
    for (const role of this.roles) copy.roles.add(role);
    copy.#nextTable = this.#nextTable;
    return copy;
  }

  changed(): void {
    for (const plans of this.plans.values()) plans.clear();
  }

  plansOf(key: string): Map<string, unknown> {
    const found = this.plans.get(key) ?? new Map<string, unknown>();
    this.plans.set(key, found);
    return found;
  }

  makeTable(schema: string, name: string): TableDefinition {
    const key = `${schema}.${name}`;
    if (this.tables.has(key)) throw postgresError('42P07', `relation "${name}" already exists`);
    const home = this.schemas.get(schema);
    if (home === undefined) throw postgresError('3F000', `schema "${schema}" does not exist`);
    const table: TableDefinition = {
      id: this.#nextTable,
      schema,
      name,
      columns: [],
      indexes: [],
      plainIndexes: new Set(),
      checks: new Map(),
      foreignKeys: [],
      policies: [],
      rowSecurity: false,
      forcesRowSecurity: false,
      granted: new Map([...home.defaults].map(([role, rights]) => [role, new Set(rights)])),
    };
    this.#nextTable += 1;
    this.tables.set(key, table);
    return table;
  }

  table(path: readonly string[], schema: string | undefined, name: string): TableDefinition {
    const found = this.findTable(path, schema, name);
    if (found !== undefined) return found;
    throw postgresError('42P01', `relation "${schema === undefined ? '' : `${schema}.`}${name}" does not exist`);
  }

  findTable(path: readonly string[], schema: string | undefined, name: string): TableDefinition | undefined {
    for (const each of schema === undefined ? path : [schema]) {
      const found = this.tables.get(`${each}.${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  findFunction(path: readonly string[], schema: string | undefined, name: string): FunctionDefinition | undefined {
    for (const each of schema === undefined ? path : [schema]) {
      const found = this.functions.get(`${each}.${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The full name of a sequence. */
  sequence(path: readonly string[], text: string): string {
    const parts = text.replaceAll('"', '').split('.');
    for (const each of parts.length === 2 ? [parts[0]] : path) {
      const key = `${each}.${parts.at(-1)}`;
      if (this.sequences.has(key)) return key;
    }
    throw postgresError('42P01', `relation "${text}" does not exist`);
  }

  tableById(id: number): TableDefinition {
    for (const table of this.tables.values()) if (table.id === id) return table;
    throw new Error(`no table ${id}`);
  }

  /** The foreign keys that point at a table. */
  referencesTo(table: TableDefinition): readonly ForeignKey[] {
    return [...this.tables.values()].flatMap((each) => each.foreignKeys.filter((key) => key.referenced === table.id));
  }
}

export function columnAt(table: TableDefinition, name: string): number {
  const at = table.columns.findIndex((column) => column.name === name);
  if (at < 0) throw postgresError('42703', `column "${name}" of relation "${table.name}" does not exist`);
  return at;
}

export const positions = (table: TableDefinition, names: readonly string[]): number[] =>
  names.map((name) => columnAt(table, name));
