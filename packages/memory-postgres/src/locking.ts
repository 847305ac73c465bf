/** `for update`, `for share`, of these tables, skipping what is locked. */
import type { Node } from 'libpg-query';
import type { Captured, Context, Env } from './compile.ts';
import { notKnown, postgresError } from './errors.ts';
import type { LockMode } from './store.ts';
import { kindOf } from './syntax.ts';
import { Blocked } from './transaction.ts';
import type { Tuple } from './values.ts';

const modes: Record<string, LockMode> = {
  LCS_FORUPDATE: 'update',
  LCS_FORNOKEYUPDATE: 'no key update',
  LCS_FORSHARE: 'share',
  LCS_FORKEYSHARE: 'key share',
};

interface LockedTable {
  /** The place of the table among those of the select. */
  readonly at: number;
  readonly mode: LockMode;
  readonly wait: string;
}

export type Locking = readonly LockedTable[];

export function lockingOf(context: Context, nodes: readonly Node[]): Locking | undefined {
  if (nodes.length === 0) return undefined;
  return nodes.flatMap((node) => {
    if (!('LockingClause' in node)) return notKnown(kindOf(node));
    const { strength = '', waitPolicy = 'LockWaitBlock', lockedRels = [] } = node.LockingClause;
    const names = lockedRels.map((each) => ('RangeVar' in each ? each.RangeVar.relname : ''));
    return context.scope.entries.flatMap((entry, at): LockedTable[] => {
      if (entry.table === undefined || (names.length > 0 && !names.includes(entry.alias))) return [];
      context.written.add(entry.table);
      return [{ at, mode: modes[strength] ?? notKnown(strength), wait: waitPolicy }];
    });
  });
}

/** A row that others changed since the snapshot is looked at again in its newest version. */
export function refresh(row: NonNullable<Captured['s'][number]>, env: Env): void {
  if (row.at > env.run.seen && !env.run.refreshed.has(row)) throw new Blocked([], row);
}

/** Locks in the order of the answer and no more than it needs. */
export function lockRows(
  locking: Locking,
  rows: readonly { tuple: Tuple; source: Captured }[],
  env: Env,
  skip: number,
  take: number,
): Tuple[] {
  const found: Tuple[] = [];
  for (const { tuple, source } of rows) {
    if (found.length >= skip + take) break;
    const isFree = locking.every(({ at, mode, wait }) => {
      const row = source.s[at];
      if (row === undefined) return true;
      if (wait === 'LockWaitBlock') env.run.transaction.lock(row, mode);
      else if (env.run.transaction.tryLock(row, mode).length > 0) {
        if (wait === 'LockWaitSkip') return false;
        throw postgresError('55P03', 'could not obtain lock on row');
      }
      refresh(row, env);
      return true;
    });
    if (isFree) found.push(tuple);
  }
  return found.slice(skip);
}
