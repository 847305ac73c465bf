/** A profile of the one process under load: kept as .cpuprofile, as a flame graph, and as a short list. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { flameGraph, type Sampled } from './flame.ts';

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}
interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const folder = join(import.meta.dirname, '..', '.data', 'profile');
const waiting = new Set(['(idle)', '(program)', '(root)']);

/** What the product is started with, so that `profiled` can look into it. */
export function profilerOptions(): { nodeFlags: readonly string[]; environment: Readonly<Record<string, string>> } {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return {
    nodeFlags: ['--import', pathToFileURL(join(import.meta.dirname, 'profiler.ts')).href],
    environment: { PROFILE_FOLDER: folder },
  };
}

/** A profile of that process while something runs. */
export async function profiled(pid: number, run: () => Promise<unknown>): Promise<void> {
  process.kill(pid, 'SIGUSR2');
  await run();
  process.kill(pid, 'SIGUSR2');
  while (newest() === undefined) await sleep(200);
}

function newest(): string | undefined {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .toSorted()
    .at(-1);
}

/** The newest profile; answers the list, by share of the busy time. */
export function summary(): string {
  const file = newest();
  if (file === undefined) return 'no profile was written';
  const profile: Profile = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const spent = new Map<number, number>();
  profile.samples.forEach((id, at) => spent.set(id, (spent.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0)));

  const [bySelf, byRoom] = [new Map<string, number>(), new Map<string, number>()];
  const sampled: Sampled[] = [];
  const add = (to: Map<string, number>, key: string, us: number) => to.set(key, (to.get(key) ?? 0) + us);
  let busy = 0;
  for (const [id, us] of spent) {
    const stack: Node[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = nodes.get(at);
      if (node !== undefined) stack.push(node);
    }
    const [top] = stack;
    if (top === undefined || waiting.has(top.callFrame.functionName)) continue;
    busy += us;
    add(bySelf, nameOf(top), us);
    // Node's own code is on account of whoever called it.
    add(byRoom, stack.map(roomOf).find((room) => room !== '') ?? 'node', us);
    sampled.push({ stack: stack.map(nameOf).toReversed().slice(1), us });
  }
  writeFileSync(join(import.meta.dirname, 'flame.svg'), flameGraph('one process under a closed loop', sampled));
  const list = (of: Map<string, number>, most: number) =>
    [...of]
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([name, us]) => `| ${name} | ${((us * 100) / busy).toFixed(1)} % |`)
      .join('\n');
  const text = `| where | share of busy time |\n|---|---|\n${list(byRoom, 14)}\n\n| function, itself | share |\n|---|---|\n${list(bySelf, 25)}\n`;
  writeFileSync(join(folder, 'summary.md'), text);
  return `${text}\nKept: bench/flame.svg; ${file} and summary.md in ${folder}`;
}

function nameOf({ callFrame }: Node): string {
  const room = roomOf({ id: 0, callFrame });
  return `${callFrame.functionName || '(anonymous)'}${room === '' ? '' : ` ${room}`}`;
}

/** Our package or the one from npm that a frame is of; '' is Node itself. */
function roomOf({ callFrame: { url } }: Node): string {
  const npm = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (npm !== undefined && !npm.startsWith('@tillstream/')) return npm;
  return /\/((?:apps|packages)\/[^/]+)\//.exec(url)?.[1] ?? '';
}
