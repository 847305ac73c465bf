/** One transaction: what it wrote, what it locked, and how both end. */
import type { TableDefinition } from './catalog.ts';
import type { LockMode, Row, Store, TableRows } from './store.ts';
import type { Tuple } from './values.ts';

/** A statement met the lock of others: it is undone, waits for one of them to end, and is run again. */
export class Blocked extends Error {
  override readonly name = 'Blocked';
  readonly holders: readonly Transaction[];
  readonly row: Row | undefined;
  constructor(holders: readonly Transaction[], row?: Row) {
    super('waits for a lock');
    [this.holders, this.row] = [holders, row];
  }
}

const strength: Record<LockMode, number> = { 'key share': 1, share: 2, 'no key update': 3, update: 4 };
const allowed: Record<LockMode, ReadonlySet<LockMode>> = {
  'key share': new Set(['key share', 'share', 'no key update']),
  share: new Set(['key share', 'share']),
  'no key update': new Set(['key share']),
  update: new Set(),
};

/** What a commit has made of one row; undefined = it was not there, or is gone. */
export interface RowChange {
  readonly table: TableDefinition;
  readonly old: Tuple | undefined;
  readonly now: Tuple | undefined;
}

/** What the transactions of one server share. */
export interface Shared {
  /** Hears each commit that changed something, before anybody else sees it. */
  readonly onCommit: ((changes: readonly RowChange[]) => void) | undefined;
  readonly store: Store;
  /** The number of the last commit. */
  commits: number;
  /** Whether somebody waits and may come back with an old snapshot. */
  readonly remembers: boolean;
  /** Rows that keep older versions, or that are deleted and still seen by an old snapshot. */
  readonly remembered: Map<Row, TableRows>;
}

interface Undo {
  readonly table: TableRows;
  readonly row: Row;
  readonly owner: Transaction | undefined;
  readonly draft: Tuple | undefined;
  readonly writtenBy: number;
  readonly before: Tuple | undefined;
}

const none: readonly never[] = [];

/** Not an identity for locks only: advisory locks of a session are held by one that never ends before the session does. */
export class Transaction {
  readonly #shared: Shared;
  /** Microseconds: what now() answers. */
  readonly startedAt: number;
  readonly #undo: Undo[] = [];
  // Most transactions are one statement that reads: what they do not need is not made.
  #written: Map<Row, TableRows> | undefined;
  #locked: Set<Row> | undefined;
  #notifications: { channel: string; payload: string }[] | undefined;
  #settings: Map<string, string> | undefined;
  /** For the search of deadlocks. */
  waitsFor: readonly Transaction[] = none;

  constructor(shared: Shared, startedAt: number) {
    [this.#shared, this.startedAt] = [shared, startedAt];
  }

  get mark(): number {
    return this.#undo.length;
  }

  get hasWritten(): boolean {
    return this.#written !== undefined && this.#written.size > 0;
  }

  get notifications(): readonly { channel: string; payload: string }[] {
    return this.#notifications ?? none;
  }

  notify(channel: string, payload: string): void {
    (this.#notifications ??= []).push({ channel, payload });
  }

  setting(name: string): string | undefined {
    return this.#settings?.get(name);
  }

  /** Undefined: what the session says holds again. */
  set(name: string, value: string | undefined): void {
    if (value === undefined) this.#settings?.delete(name);
    else (this.#settings ??= new Map()).set(name, value);
  }

  /** Undefined values delete. The row must be locked by this transaction, or be new. */
  write(table: TableRows, row: Row, values: Tuple | undefined, statement: number): void {
    const { owner, draft, writtenBy, before } = row;
    this.#undo.push({ table, row, owner, draft, writtenBy, before });
    const latest = row.latest(this);
    if (writtenBy !== statement || owner !== this) row.before = latest;
    row.owner = this;
    row.draft = values;
    row.writtenBy = statement;
    table.rows.add(row);
    // The keys of an earlier draft stay until the end: others wait for them as well.
    table.enter(row, values, latest);
    (this.#written ??= new Map()).set(row, table);
  }

  tryLock(row: Row, mode: LockMode): readonly Transaction[] {
    const locks = row.locks;
    if (locks === undefined) {
      row.locks = [{ holder: this, mode }];
      (this.#locked ??= new Set()).add(row);
      return none;
    }
    let conflicts: Transaction[] | undefined;
    let mine: (typeof locks)[number] | undefined;
    for (const lock of locks) {
      if (lock.holder === this) mine = lock;
      else if (!allowed[mode].has(lock.mode)) (conflicts ??= []).push(lock.holder);
    }
    if (conflicts !== undefined) return conflicts;
    if (mine === undefined) locks.push({ holder: this, mode });
    else if (strength[mine.mode] < strength[mode]) mine.mode = mode;
    (this.#locked ??= new Set()).add(row);
    return none;
  }

  lock(row: Row, mode: LockMode): void {
    const holders = this.tryLock(row, mode);
    if (holders.length > 0) throw new Blocked(holders, row);
  }

  undoTo(mark: number): void {
    while (this.#undo.length > mark) {
      const { table, row, owner, draft, writtenBy, before } = this.#undo.pop() as Undo;
      const gone = row.draft;
      Object.assign(row, { owner, draft, writtenBy, before });
      table.leave(row, gone);
      if (owner !== undefined) table.enter(row, draft);
      if (owner === undefined) this.#written?.delete(row);
      if (owner === undefined && row.committed === undefined && row.older === undefined) table.rows.delete(row);
    }
  }

  commit(): void {
    if (this.#written !== undefined && this.#written.size > 0) {
      this.#shared.commits += 1;
      const now = this.#shared.commits;
      const { onCommit } = this.#shared;
      const changes: RowChange[] | undefined = onCommit === undefined ? undefined : [];
      for (const [row, table] of this.#written) {
        const old = row.committed;
        changes?.push({ table: table.definition, old, now: row.draft });
        if (this.#shared.remembers) {
          (row.older ??= []).push({ from: row.at, until: now, values: old });
          this.#shared.remembered.set(row, table);
        }
        row.committed = row.draft;
        row.at = now;
        row.owner = undefined;
        row.draft = undefined;
        row.before = undefined;
        table.leave(row, old);
        if (row.committed === undefined && row.older === undefined) table.rows.delete(row);
      }
      for (const { table, row, draft } of this.#undo) table.leave(row, draft);
      if (changes !== undefined) onCommit?.(changes);
    }
    this.#end();
  }

  rollback(): void {
    this.undoTo(0);
    this.#end();
  }

  #end(): void {
    for (const row of this.#locked ?? none) {
      const others = row.locks?.filter((lock) => lock.holder !== this);
      row.locks = others?.length === 0 ? undefined : others;
    }
    this.#locked = undefined;
    this.#written = undefined;
    this.#undo.length = 0;
  }
}

/** When nobody waits any more, no old snapshot is left. */
export function forget(shared: Shared): void {
  for (const [row, table] of shared.remembered) {
    row.older = undefined;
    if (row.committed === undefined && row.owner === undefined) table.rows.delete(row);
  }
  shared.remembered.clear();
}
