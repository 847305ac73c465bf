/**
 * npm run mutants -- [--only id] [--histories 1000] [--seed 1] [--quick]
 *
 * Lives through histories with each bug until an invariant breaks, and through as many without any to show that it was
 * the bug. A table, one line of verdict; exits non-zero when a bug survives.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutants } from './catalogue.ts';
import type { Catch } from './hunt.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    histories: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  },
});
const [histories, seed] = [Number(values.histories), Number(values.seed)];
// What CI has the time for: one of each kind, those that die within some histories.
const quick = new Set([
  'charge-key-per-try',
  'page-key-per-try',
  'time-out-is-declined',
  'unknown-charge-is-forgotten',
  'high-water-mark',
  'swallowed-after-failure',
  'partial-delivery',
  'delivered-before-paid',
  'term-from-the-payment',
  'mails-are-queued-twice',
]);
const chosen = mutants.filter((mutant) => mutant.id.includes(values.only) && (!values.quick || quick.has(mutant.id)));
if (chosen.length === 0 || !(histories >= 1) || !Number.isInteger(seed)) {
  console.error(`mutants: there is nothing to run. Ids: ${mutants.map((mutant) => mutant.id).join(', ')}`);
  process.exit(2);
}

const startedAt = performance.now();
const survivors: string[] = [];
let longest = 0;
const waiting = [...chosen];
const work = async (): Promise<void> => {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const found = await hunt(mutant.id, histories);
    if (found.invariant === undefined) survivors.push(mutant.id);
    else longest = Math.max(longest, found.histories);
    const fate =
      found.invariant === undefined
        ? `SURVIVED ${found.histories} histories: ${mutant.sentence} Expected: ${mutant.caughtBy}.`
        : `${`${found.invariant}, history ${found.histories}`.padEnd(24)} ${found.row.slice(0, 140)}`;
    console.log(`${mutant.id.padEnd(36)} ${fate}`);
  }
};
await Promise.all(Array.from({ length: Math.min(availableParallelism(), chosen.length) }, work));
const control = longest === 0 ? undefined : await hunt('', longest);
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

function hunt(id: string, most: number): Promise<Catch> {
  const here = (name: string) => join(import.meta.dirname, name);
  const child = spawn(process.execPath, ['--import', here('load.ts'), here('hunt.ts'), String(most), String(seed)], {
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
