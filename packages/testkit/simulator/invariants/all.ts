import type { Invariant } from './judge.ts';
import { promised } from './orders.ts';

export const invariants: readonly Invariant[] = [promised];
