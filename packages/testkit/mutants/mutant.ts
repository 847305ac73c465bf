/**
 * A mutant: a real bug, kept as a patch of the source that is applied while a module is loaded. Production code carries
 * nothing of it; only a process that was started with TILL_MUTANT and load.ts ever runs one.
 */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { ThemeName } from '../simulator/themes.ts';

export const root = join(import.meta.dirname, '../../..');

export interface Patch {
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in it. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly id: string;
  /** What is wrong, and what comes of it. */
  readonly sentence: string;
  /** Where it happened to others: the museum's test id, or an incident. Empty = plausible in our own code. */
  readonly museum: string;
  /** The invariants of the simulator that may see it first. */
  readonly caughtBy: string;
  /** What histories are about that may show it: those come first. Orders the search, and leaves nothing out. */
  readonly hint?: ThemeName;
  readonly patches: readonly Patch[];
}

export function patch(file: string, find: string, replace: string): Patch {
  return { file, find, replace };
}

/** The source with the bug in it. Throws when what is to be replaced is not there exactly once. */
export function applyTo(source: string, mutant: Mutant, file: string): string {
  return mutant.patches
    .filter((each) => each.file === file)
    .reduce((text, { find, replace }) => {
      const times = text.split(find).length - 1;
      if (times !== 1) throw new Error(`${mutant.id}: what it replaces in ${file} is there ${times} times: ${find}`);
      return text.replace(find, () => replace);
    }, source);
}

/** Throws when the mutant no longer applies, changes nothing, or leaves something that is no program. */
export function prove(mutant: Mutant): void {
  for (const file of new Set(mutant.patches.map((each) => each.file))) {
    const source = readFileSync(join(root, file), 'utf8');
    const mutated = applyTo(source, mutant, file);
    if (mutated === source) throw new Error(`${mutant.id}: nothing is changed in ${file}`);
    stripTypeScriptTypes(mutated);
  }
}
