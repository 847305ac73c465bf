/** What the sessions of one server share. */
import type { Node } from 'libpg-query';
import type { Catalog } from './catalog.ts';
import type { Locks } from './locks.ts';
import type { Row, Store, TableRows } from './store.ts';
import type { RowChange, Shared } from './transaction.ts';

/** A moment at which a scheduler may let somebody else go first. */
export type Moment =
  | { readonly stage: 'run' | 'answer'; readonly application: string; readonly session: number; readonly text: string }
  | { readonly stage: 'resume'; readonly session: number }
  | { readonly stage: 'notify'; readonly application: string; readonly session: number; readonly channel: string };

export interface Listener {
  readonly channels: ReadonlySet<string>;
}

export class ServerState implements Shared {
  catalog: Catalog;
  readonly store: Store;
  readonly locks: Locks;
  readonly remembered = new Map<Row, TableRows>();
  commits = 0;
  statements = 0;
  sessions = 0;
  /** Microseconds. */
  readonly now: () => number;
  readonly newId: (version: 4 | 7) => string;
  readonly turn: ((moment: Moment) => Promise<void> | undefined) | undefined;
  deliver: (from: object, notifications: readonly { channel: string; payload: string }[]) => void = () => undefined;
  onCommit: ((changes: readonly RowChange[]) => void) | undefined;
  terminate: (session: number) => boolean = () => false;
  /** Who is connected, for pg_stat_activity. */
  activity: () => readonly { pid: number; user: string; application: string; isBusy: boolean; isLocking: boolean }[] =
    () => [];
  /** What concerns other databases: created, dropped, renamed. Answers the command's word. */
  databases: ((node: Node) => string | undefined) | undefined;
  databaseNames: () => readonly string[] = () => [];

  constructor(parts: Pick<ServerState, 'catalog' | 'store' | 'locks' | 'now' | 'newId' | 'turn'>) {
    ({ catalog: this.catalog, store: this.store, locks: this.locks } = parts);
    ({ now: this.now, newId: this.newId, turn: this.turn } = parts);
  }

  get remembers(): boolean {
    return this.locks.remembers;
  }

  nextval(path: readonly string[], text: string): bigint {
    const name = this.catalog.sequence(path, text);
    const found = this.store.sequences.get(name) ?? {
      last: this.catalog.sequences.get(name)?.start ?? 1n,
      called: false,
    };
    if (found.called) found.last += 1n;
    found.called = true;
    this.store.sequences.set(name, found);
    return found.last;
  }
}
