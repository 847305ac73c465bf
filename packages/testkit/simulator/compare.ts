/**
 * The same histories on both storages: what happens, operation for operation, and what is left in the tables but for ids. A wrong answer
 * of the storage in memory, or a statement that means something else on a server, parts them.
 */
import { openSimulator } from './crew.ts';
import type { Simulator } from './history.ts';
import { text, type Row } from './invariants/facts.ts';
import { tellStory } from './story.ts';

export interface Parting {
  readonly seed: number;
  /** In words: where they part, and what each says there. */
  readonly where: string;
}

interface Told {
  readonly lines: readonly string[];
  readonly tables: ReadonlyMap<string, readonly string[]>;
}

/** Undefined = they never part. `onSeed` hears of each seed that agreed, and how many operations it had. */
export async function compareStorages(
  seeds: Iterable<number>,
  onSeed: (seed: number, operations: number) => void = () => undefined,
): Promise<Parting | undefined> {
  const [memory, postgres] = [await openSimulator('memory'), await openSimulator('postgres')];
  try {
    for (const seed of seeds) {
      const [here, there] = [await live(memory, seed), await live(postgres, seed)];
      const where = parting(here, there);
      if (where !== undefined) return { seed, where };
      onSeed(seed, here.lines.length);
    }
    return undefined;
  } finally {
    await memory.close();
    await postgres.close();
  }
}

async function live(simulator: Simulator, seed: number): Promise<Told> {
  const lines: string[] = [];
  simulator.scheduler.isOrderly = true;
  // What the services log is theirs; operations begin with their number.
  await simulator.run(tellStory(seed), (line) => {
    if (/^ *\d+ /.test(line)) lines.push(line);
  });
  const facts = await simulator.facts();
  const tables = new Map(Object.entries(facts).map(([name, rows]) => [name, rows.map(wordsOf).toSorted()]));
  return { lines, tables };
}

function parting(memory: Told, postgres: Told): string | undefined {
  const most = Math.max(memory.lines.length, postgres.lines.length);
  for (let at = 0; at < most; at += 1) {
    const [here, there] = [memory.lines[at], postgres.lines[at]];
    if (here !== there) return `memory   ${here ?? 'has ended'}\n  postgres ${there ?? 'has ended'}`;
  }
  for (const [name, rows] of memory.tables) {
    const others = postgres.tables.get(name) ?? [];
    const [only] = rows.filter((row) => !others.includes(row));
    const [other] = others.filter((row) => !rows.includes(row));
    if (only !== undefined || other !== undefined)
      return `in the end, ${name}\n  memory   ${only ?? 'has no more'}\n  postgres ${other ?? 'has no more'}`;
  }
  return undefined;
}

function wordsOf(row: Row): string {
  const columns = Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return columns.map(([name, value]) => `${name}=${valueOf(value)}`).join(' ');
}

/** Who drew first among those that draw ids in the same moment is nobody's promise: an id is an id. */
function valueOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  const said =
    value instanceof Date || typeof value !== 'object' || value === null
      ? text(value)
      : JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
  return said.replaceAll(ids, 'id');
}

const ids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|_[0-9a-z]{26}|[0-9a-f]{16,}/g;
