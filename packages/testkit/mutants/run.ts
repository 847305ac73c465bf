/**
 * npm run mutants -- [--only id] [--histories 1000] [--seed 1] [--recorded]
 *
 * Lives through histories with each bug until an invariant breaks, and through as many without any to show that it was
 * the bug. A table, one line of verdict; exits non-zero when a bug survives. What kills is recorded; `--recorded` begins with
 * that history, and goes on to others only where it does not kill any more.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutants } from './catalogue.ts';
import type { Catch } from './hunt.ts';
import { keepKill, readKills, type Kill } from './recorded.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    histories: { type: 'string' },
    seed: { type: 'string', default: '1' },
    recorded: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`npm run mutants -- [options]

  --only id            mutants whose id holds this: ${mutants.map((mutant) => mutant.id).join(', ')}
  --histories 1000     for each mutant (also with --recorded, where the recorded history kills no more)
  --seed 1             of the first history
  --recorded           begins with the history that killed it the last time
  --help

Exits 1 when a mutant survives, or when a history breaks an invariant without any.`);
  process.exit(0);
}
// After a change of the product few mutants are left to hunt for.
const histories = Number(values.histories ?? '1000');
const seed = Number(values.seed);
const recorded = values.recorded ? readKills() : new Map<string, Kill>();
const chosen = mutants.filter((mutant) => mutant.id.includes(values.only));
if (chosen.length === 0 || !(histories >= 1) || !Number.isInteger(seed)) {
  console.error(`mutants: there is nothing to run. Ids: ${mutants.map((mutant) => mutant.id).join(', ')}`);
  process.exit(2);
}

const startedAt = performance.now();
const survivors: string[] = [];
const ids = mutants.map(({ id }) => id);
const killers = new Set<number>();
let longest = 0;
const waiting = [...chosen];
const work = async (): Promise<void> => {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const known = recorded.get(mutant.id);
    const found = await hunt(mutant.id, histories, known === undefined ? [] : [known.seed]);
    const { invariant, seed: by, histories: took } = found;
    if (invariant === undefined) survivors.push(mutant.id);
    else {
      longest = Math.max(longest, took);
      killers.add(by);
      if (known?.seed !== by) keepKill(mutant.id, { seed: by, invariant, histories: took }, ids);
    }
    const fate =
      found.invariant === undefined
        ? `SURVIVED ${found.histories} histories: ${mutant.sentence} Expected: ${mutant.caughtBy}.`
        : `${`${found.invariant}, history ${found.histories}`.padEnd(24)} ${found.row.slice(0, 140)}`;
    console.log(`${mutant.id.padEnd(36)} ${fate}`);
  }
};
await Promise.all(Array.from({ length: Math.min(availableParallelism(), chosen.length) }, work));
const control = longest === 0 ? undefined : await hunt('', values.recorded ? 1 : longest, [...killers]);
const isSound = control === undefined || control.invariant === undefined;
if (!isSound)
  console.log(
    `without any bug: ${control.invariant}, history ${control.histories} (seed ${control.seed}): ${control.row}`,
  );
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
const killed = chosen.length - survivors.length;
const fate = survivors.length === 0 ? '' : `; survivors: ${survivors.join(', ')}`;
console.log(
  `mutants: ${killed} of ${chosen.length} killed within ${longest} histories, ${seconds} s${fate}${isSound ? '' : '; the product itself breaks an invariant'}`,
);
process.exitCode = survivors.length === 0 && isSound ? 0 : 1;

function hunt(id: string, most: number, first: readonly number[]): Promise<Catch> {
  const here = (name: string) => join(import.meta.dirname, name);
  const given = [here('hunt.ts'), String(most), String(seed), first.join()];
  const child = spawn(process.execPath, ['--import', here('load.ts'), ...given], {
    env: { ...process.env, TILL_MUTANT: id },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      const line = printed.split('\n').findLast((each) => each.startsWith('{"'));
      if (line !== undefined && code === 0) resolve(JSON.parse(line) as Catch);
      else reject(new Error(`the hunt for ${id} ended with ${code}:\n${printed.slice(-2_000)}`));
    });
  });
}
