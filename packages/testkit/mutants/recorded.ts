/** By which history each mutant died when it was hunted last, so that one history is enough while that still holds. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Kill {
  readonly seed: number;
  readonly invariant: string;
  /** How many histories it took to find that one. */
  readonly histories: number;
}

const file = join(import.meta.dirname, 'recorded.json');

export function readKills(): ReadonlyMap<string, Kill> {
  const kept: Record<string, Kill> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return new Map(Object.entries(kept));
}

/** Beside those that are kept of others; only of mutants that there are, in their order. */
export function keepKill(of: string, kill: Kill, ids: readonly string[]): void {
  const all = new Map([...readKills(), [of, kill]]);
  const known = ids.flatMap((id) => {
    const found = all.get(id);
    return found === undefined ? [] : [[id, found] as const];
  });
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(known), undefined, 2)}\n`);
}
