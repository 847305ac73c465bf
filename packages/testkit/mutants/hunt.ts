/**
 * One mutant's hunt, in a process that load.ts has put the bug into: histories until one breaks an invariant. Prints one
 * line of JSON for run.ts.
 */
import { memoryGround } from '../simulator/storage/memory.ts';
import { homes } from '../simulator/product.ts';
import { Simulator } from '../simulator/history.ts';
import { tellStory, themeOf } from '../simulator/story.ts';
import { mutants } from './catalogue.ts';

export interface Catch {
  /** Undefined = it survived. */
  readonly invariant: string | undefined;
  /** Histories that were lived through, with the one that caught it. */
  readonly histories: number;
  readonly seed: number;
  readonly row: string;
}

// How many, from which seed; and those that come before all others.
const [histories, firstSeed] = process.argv.slice(2).map(Number);
const first = (process.argv[4] ?? '').split(',').filter(Boolean).map(Number);
const say = (found: Catch): void => console.log(JSON.stringify(found));

async function hunt(most: number, from: number): Promise<Catch> {
  let done = 0;
  let seed = from;
  try {
    // A bug may show before anybody buys: when the shop is opened.
    const simulator = await Simulator.on((scheduler) => memoryGround(Object.values(homes), scheduler));
    for (const next of [...first, ...inOrder(most, from)]) {
      seed = next;
      const { violations, notKnown } = await simulator.run(tellStory(seed));
      // Its theme plays on Postgres only.
      if (notKnown !== undefined) continue;
      done += 1;
      const [worst] = violations;
      if (worst === undefined) continue;
      return { invariant: worst.invariant, histories: done, seed, row: describe(worst.rows[0]) };
    }
    return { invariant: undefined, histories: done, seed, row: '' };
  } catch (error) {
    return { invariant: 'it cannot run', histories: done + 1, seed, row: String(error) };
  }
}

/** All of them, those first that are about what the bug is about. */
function inOrder(most: number, from: number): readonly number[] {
  const { hint } = mutants.find(({ id }) => id === process.env['TILL_MUTANT']) ?? {};
  const seeds = Array.from({ length: most }, (_, at) => from + at);
  const isAbout = (each: number) => themeOf(each) === hint;
  return [...seeds.filter(isAbout), ...seeds.filter((each) => !isAbout(each))];
}

function describe(row: unknown): string {
  return typeof row === 'string' ? row : JSON.stringify(row);
}

say(await hunt(histories ?? 1_000, firstSeed ?? 1));
process.exit(0);
