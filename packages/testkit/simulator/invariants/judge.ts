/** Who judges a history: each invariant is a function of what is left behind, and answers what contradicts its sentence. */
import type { Customer } from '../actors/customer.ts';
import type { Shops } from '../shop.ts';
import type { Story } from '../story.ts';
import type { World } from '../world.ts';
import type { Tenants } from './continuous/tenants.ts';
import { invariants } from './all.ts';
import { readFacts, type Facts } from './facts.ts';

export interface Case {
  readonly world: World;
  readonly shops: Shops;
  readonly tenants: Tenants;
  readonly customers: readonly Customer[];
  readonly story: Story;
  readonly facts: Facts;
}

export interface Violation {
  readonly invariant: string;
  readonly sentence: string;
  /** What contradicts it, in words. */
  readonly rows: readonly string[];
}

export interface Invariant {
  readonly id: string;
  readonly sentence: string;
  check(found: Case): Promise<readonly string[]> | readonly string[];
}

export async function judge(left: Omit<Case, 'facts'>): Promise<readonly Violation[]> {
  const found: Case = { ...left, facts: await readFacts(left.world.storage) };
  const violations: Violation[] = [];
  for (const invariant of invariants) {
    const { id, sentence } = invariant;
    const rows = await invariant.check(found);
    if (rows.length > 0) violations.push({ invariant: id, sentence, rows: rows.slice(0, 5) });
  }
  return violations;
}
