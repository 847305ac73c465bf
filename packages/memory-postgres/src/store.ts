/**
 * Rows and their versions. One transaction at a time may have a version of a row that is not committed; others see the
 * committed one. A statement that is run again after it had waited keeps its snapshot, so rows remember what they were
 * while somebody waits.
 */
import type { IndexDefinition, TableDefinition } from './catalog.ts';
import { notKnown } from './errors.ts';
import type { Transaction } from './transaction.ts';
import { keyOfAll, type Tuple, type Value } from './values.ts';

export type LockMode = 'key share' | 'share' | 'no key update' | 'update';

export class Row {
  readonly id: number;
  committed: Tuple | undefined;
  /** The commit that made `committed`. */
  at = 0;
  /** The one transaction with a version of its own: undefined = deleted. */
  owner: Transaction | undefined;
  draft: Tuple | undefined;
  /** The statement that wrote the draft, and what the transaction saw before it. */
  writtenBy = 0;
  before: Tuple | undefined;
  locks: { readonly holder: Transaction; mode: LockMode }[] | undefined;
  /** Older committed versions, the newest last, with the commit that ended each. */
  older: { until: number; from: number; values: Tuple | undefined }[] | undefined;
  constructor(id: number, committed: Tuple | undefined) {
    [this.id, this.committed] = [id, committed];
  }

  /** What this transaction would find now, its own statements included. */
  latest(transaction: Transaction): Tuple | undefined {
    return this.owner === transaction ? this.draft : this.committed;
  }
}

export interface Snapshot {
  readonly transaction: Transaction;
  /** The statement: its own writes are not seen by it. */
  readonly statement: number;
  /** The last commit that is seen. */
  readonly seen: number;
  /** Rows that were waited for: their newest version is seen. */
  readonly refreshed: Set<Row>;
}

export function visible(row: Row, snapshot: Snapshot): Tuple | undefined {
  if (row.owner === snapshot.transaction) return row.writtenBy === snapshot.statement ? row.before : row.draft;
  if (row.at <= snapshot.seen || snapshot.refreshed.has(row)) return row.committed;
  return row.older?.find((each) => snapshot.seen >= each.from && snapshot.seen < each.until)?.values;
}

type Key = ReturnType<typeof keyOfAll>;

/** Key → rows that have it in any version. */
export class UniqueMap {
  readonly definition: IndexDefinition;
  readonly rows = new Map<Key, Row | Row[]>();
  constructor(definition: IndexDefinition) {
    this.definition = definition;
  }

  /** Undefined: the tuple is not in this index. */
  keyOf(values: Tuple | undefined): Key | undefined {
    if (values === undefined) return undefined;
    const { columns, predicate } = this.definition;
    const parts: Value[] = [];
    for (const at of columns) {
      const value = values[at] as Value;
      if (value === null) return undefined;
      parts.push(value);
    }
    if (predicate !== undefined && !predicate(values)) return undefined;
    return keyOfAll(parts);
  }

  /** Whether both have the same key, or neither has one, without making it. False: perhaps all the same. */
  isSame(a: Tuple, b: Tuple): boolean {
    const { columns, predicate } = this.definition;
    if (predicate !== undefined) return a === b;
    for (const at of columns) if (a[at] !== b[at]) return false;
    return true;
  }

  find(key: Key): readonly Row[] {
    const found = this.rows.get(key);
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  }

  add(key: Key | undefined, row: Row): void {
    if (key === undefined) return;
    const found = this.rows.get(key);
    if (found === undefined) this.rows.set(key, row);
    else if (Array.isArray(found)) {
      if (!found.includes(row)) found.push(row);
    } else if (found !== row) this.rows.set(key, [found, row]);
  }

  remove(key: Key | undefined, row: Row): void {
    if (key === undefined) return;
    const found = this.rows.get(key);
    if (found === row) this.rows.delete(key);
    else if (Array.isArray(found)) {
      const rest = found.filter((each) => each !== row);
      if (rest.length === 0) this.rows.delete(key);
      else this.rows.set(key, rest);
    }
  }
}

export class TableRows {
  readonly rows = new Set<Row>();
  readonly maps: readonly UniqueMap[];
  readonly definition: TableDefinition;
  constructor(definition: TableDefinition) {
    this.definition = definition;
    this.maps = definition.indexes.map((index) => new UniqueMap(index));
  }

  /** `known`: a version of the row whose keys are there. */
  enter(row: Row, values: Tuple | undefined, known?: Tuple): void {
    if (values === undefined) return;
    for (const map of this.maps) {
      if (known === undefined || !map.isSame(values, known)) map.add(map.keyOf(values), row);
    }
  }

  /** Takes the row out of the keys of a version that is gone, unless another version has them. */
  leave(row: Row, values: Tuple | undefined): void {
    if (values === undefined) return;
    const { committed } = row;
    const draft = row.owner === undefined ? undefined : row.draft;
    for (const map of this.maps) {
      if (committed !== undefined && map.isSame(values, committed)) continue;
      if (draft !== undefined && map.isSame(values, draft)) continue;
      const key = map.keyOf(values);
      if (key === undefined || map.keyOf(committed) === key || map.keyOf(draft) === key) continue;
      map.remove(key, row);
    }
  }
}

export interface Sequence {
  last: bigint;
  called: boolean;
}

/** The rows of all tables. A copy shares them until one of the two writes. */
export class Store {
  readonly #tables: Map<number, TableRows>;
  readonly #shared: Set<number>;
  readonly sequences: Map<string, Sequence>;
  rowIds: number;

  constructor(of?: Store) {
    this.#tables = new Map(of === undefined ? [] : of.#tables);
    this.#shared = new Set(this.#tables.keys());
    this.sequences = new Map();
    if (of !== undefined) {
      for (const id of of.#tables.keys()) of.#shared.add(id);
      for (const [name, sequence] of of.sequences) this.sequences.set(name, { ...sequence });
    }
    this.rowIds = of?.rowIds ?? 0;
  }

  read(table: TableDefinition): TableRows {
    const found = this.#tables.get(table.id);
    return found ?? this.#put(table, new TableRows(table));
  }

  /** Before the first write of a statement to the table, and before it reads it: rows of a shared table are replaced. */
  write(table: TableDefinition): TableRows {
    const found = this.read(table);
    if (!this.#shared.has(table.id)) return found;
    this.#shared.delete(table.id);
    return this.rebuild(table);
  }

  /** After the definition of a table has changed: `change` makes the new tuple. */
  rebuild(table: TableDefinition, change: (values: Tuple) => Tuple = (values) => values): TableRows {
    const copy = new TableRows(table);
    for (const row of this.#tables.get(table.id)?.rows ?? []) {
      if (row.owner !== undefined) notKnown('a change of a table that is written to');
      if (row.committed === undefined) continue;
      const own = new Row(row.id, change(row.committed));
      own.at = row.at;
      copy.rows.add(own);
      copy.enter(own, own.committed);
    }
    return this.#put(table, copy);
  }

  drop(table: TableDefinition): void {
    this.#tables.delete(table.id);
  }

  #put(table: TableDefinition, rows: TableRows): TableRows {
    this.#tables.set(table.id, rows);
    return rows;
  }
}
