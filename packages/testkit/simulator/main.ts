/**
 * `npm run simulate -- --histories 10000 --seed 1`: as many histories from that seed on, until one breaks a sentence. That one is
 * made shorter, shown, and kept. With `--seconds` they may be fewer. README.md tells the rest.
 */
import { parseArgs } from 'node:util';
import { compareStorages } from './compare.ts';
import { bringPostgres, openSimulator, workTogether, type StorageName, type Tally } from './crew.ts';
import { realNow } from './engine/time.ts';
import type { Simulator } from './history.ts';
import { shrink } from './shrink.ts';
import { keepStory, readStory } from './stories.ts';
import { tellStory, type Story } from './story.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    storage: { type: 'string', default: 'memory' },
    workers: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    mutant: { type: 'string' },
    story: { type: 'string' },
    loud: { type: 'boolean', default: false },
    compare: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`npm run simulate -- [options]

  --histories 1000     how many, from the first seed on; ends at the first that breaks a sentence
  --seed 1             the first seed
  --workers 1          processes that share the seeds
  --seconds s          begins no other history after so long
  --storage memory     or postgres: the server that TEST_DATABASE_URL names, or one of its own
  --mutant id          with a bug of packages/testkit/mutants: exit 1 = killed, 0 = survived
  --compare            plays each history on both storages until they differ
  --story file         one kept story instead of histories; --loud shows each operation
  --help

Exits 1 when a sentence was broken. packages/testkit/simulator/README.md tells the rest.`);
  process.exit(0);
}
const storage: StorageName = values.storage === 'postgres' ? 'postgres' : 'memory';
const [histories, seed, workers] = [Number(values.histories), Number(values.seed), Number(values.workers)];
const seconds = Number(values.seconds ?? 8_000_000);
if (![histories, seed, workers, seconds].every((each) => Number.isSafeInteger(each) && each > 0))
  throw new Error('--histories, --seed, --workers and --seconds are whole numbers');

if (values.mutant !== undefined && process.env['TILL_MUTANT'] !== values.mutant)
  process.exit(await again(values.mutant));
const stopPostgres = storage === 'postgres' || values.compare ? await bringPostgres() : async () => undefined;
const run = values.compare ? compare() : values.story === undefined ? simulate() : replay(values.story);
process.exit(await run.finally(stopPostgres));

async function simulate(): Promise<number> {
  const startedMs = realNow();
  let shownMs = startedMs;
  const show = ({ histories: done }: Tally) => {
    if (!process.stdout.isTTY || realNow() - shownMs < 500) return;
    shownMs = realNow();
    process.stdout.write(
      `\r${done} of ${histories} histories, ${Math.round((1_000 * done) / (shownMs - startedMs))}/s `,
    );
  };
  const task = { storage, from: seed, to: seed + histories, endMs: Date.now() + seconds * 1_000 };
  const tally = await workTogether(task, workers, show);
  if (process.stdout.isTTY) process.stdout.write('\r\u001B[K');
  const what = `${tally.histories} histories from seed ${seed} (${storage}, ${tally.operations} operations, ${tally.kills} kills, ${tally.faults} faults, ${((realNow() - startedMs) / 1_000).toFixed(1)} s, ${Math.round((1_000 * tally.histories) / tally.cpuMs)}/s of one core)`;
  const { broken, notPlayed } = tally;
  for (const [theme, { statement }] of notPlayed)
    console.log(`not played in memory: theme "${theme}". Play it with --storage postgres; ${statement}`);
  const left = [...notPlayed].map(([theme, each]) => `${each.histories} of "${theme}"`).join(', ');
  const gap = left === '' ? '' : `; on Postgres only, and not played: ${left}`;
  if (broken === undefined) {
    console.log(`simulated: ${what}: no violation${gap}`);
    // What was not played at all is not proven.
    return tally.histories === 0 && notPlayed.size > 0 ? 1 : 0;
  }
  const [first] = broken.violations;
  if (values.mutant !== undefined) {
    console.log(
      `killed: ${values.mutant} by ${first?.invariant} at history ${broken.seed - seed + 1}: ${first?.rows[0]}`,
    );
    return 1;
  }
  for (const { invariant, sentence, rows } of broken.violations)
    console.log(`\n${invariant} ${sentence}\n${rows.map((row) => `  ✗ ${row}`).join('\n')}`);
  await explain(await openSimulator(storage), tellStory(broken.seed), first?.invariant ?? '');
  console.log(`simulated: ${what}: seed ${broken.seed} breaks ${first?.invariant}`);
  return 1;
}

/** The same histories on both storages. */
async function compare(): Promise<number> {
  let [agreed, operations] = [0, 0];
  const parting = await compareStorages(
    Array.from({ length: histories }, (_, at) => seed + at),
    (_, more) => ([agreed, operations] = [agreed + 1, operations + more]),
  );
  if (parting !== undefined) console.log(`seed ${parting.seed}:\n  ${parting.where}`);
  const fate = parting === undefined ? 'no difference' : `seed ${parting.seed} parts them`;
  console.log(`compared: ${agreed} histories from seed ${seed} on both storages, ${operations} operations: ${fate}`);
  return parting === undefined ? 0 : 1;
}

/** The shortest story that still shows it, kept for those who come after. */
async function explain(simulator: Simulator, story: Story, invariant: string): Promise<void> {
  const breaks = async (shorter: Story) =>
    (await simulator.run(shorter)).violations.find((each) => each.invariant === invariant);
  const shortest = await shrink(story, async (shorter) => (await breaks(shorter)) !== undefined);
  const violation = await breaks(shortest);
  if (violation === undefined) return console.log('\nIt did not happen again: something outside of the seed decides.');
  console.log(`\nThe shortest story found:\n${JSON.stringify(shortest, undefined, 1)}\n${violation.rows[0]}`);
  const file = keepStory(shortest, violation);
  console.log(`\nAgain, with every operation: npm run simulate -- --story ${file} --loud\n`);
}

async function replay(file: string): Promise<number> {
  const { story } = readStory(file);
  const simulator = await openSimulator(storage);
  const { violations, trace, operations, notKnown } = await simulator.run(
    story,
    values.loud ? (line) => console.log(line) : undefined,
  );
  if (notKnown !== undefined) {
    console.log(`not played in memory: ${file}. Play it with --storage postgres; ${notKnown}`);
    return 1;
  }
  for (const { invariant, sentence, rows } of violations)
    console.log(`${invariant} ${sentence}\n${rows.map((row) => `  ✗ ${row}`).join('\n')}`);
  console.log(
    `simulated: ${file} (${operations} operations, trace ${trace}): ${violations.length === 0 ? 'no violation' : `breaks ${violations[0]?.invariant}`}`,
  );
  await simulator.close();
  return violations.length === 0 ? 0 : 1;
}

/** The same in a process into which the mutant is loaded. */
async function again(mutant: string): Promise<number> {
  const { spawn } = await import('node:child_process');
  const load = new URL('../mutants/load.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', load, ...process.argv.slice(1)], {
    env: { ...process.env, TILL_MUTANT: mutant },
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 2)));
}
