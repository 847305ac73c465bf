/** Runs each race with its planted fault, in a process of its own, until the race has seen it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { plants } from '@tillstream/testkit/mutants/plants';

/** Answers the names of those that saw nothing. */
export async function runPlanted(only: string, rounds: number, seed: number): Promise<readonly string[]> {
  const blind: string[] = [];
  for (const { id, race, sentence } of plants.filter((plant) => plant.race.includes(only))) {
    const { code, printed } = await runOne(id, ['--only', race, '--rounds', String(rounds), '--seed', String(seed)]);
    const seen = /^ {2}round \d+ .*$/m.exec(printed)?.[0].trim();
    const isSeen = code === 1 && seen !== undefined;
    console.log(
      `${race.padEnd(32)} ${isSeen ? 'seen' : 'NOT SEEN'}  ${sentence}  ${seen ?? printed.trim().slice(-300)}`,
    );
    if (!isSeen) blind.push(race);
  }
  return blind;
}

function runOne(id: string, options: readonly string[]): Promise<{ code: number | null; printed: string }> {
  const load = join(import.meta.dirname, '../../mutants/load.ts');
  const child = spawn(process.execPath, ['--import', load, join(import.meta.dirname, 'run.ts'), ...options], {
    env: { ...process.env, TILL_MUTANT: id },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, printed })));
}
