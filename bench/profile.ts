/** A profile of the one process under load: kept as .cpuprofile, as folded stacks for a flame graph, and as a short list. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

export function profileFlags(): readonly string[] {
  mkdirSync(folder, { recursive: true });
  return ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${folder}`];
}

/** The newest profile; answers the list, by share of the busy time. */
export function summary(): string {
  const file = readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .toSorted()
    .at(-1);
  if (file === undefined) return 'no profile was written';
  const profile: Profile = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const spent = new Map<number, number>();
  profile.samples.forEach((id, at) => spent.set(id, (spent.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0)));

  const [bySelf, byRoom, folded] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
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
    add(folded, stack.map(nameOf).toReversed().join(';'), us);
  }
  writeFileSync(join(folder, 'stacks.folded'), [...folded].map(([stack, us]) => `${stack} ${us}\n`).join(''));
  const list = (of: Map<string, number>, most: number) =>
    [...of]
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([name, us]) => `| ${name} | ${((us * 100) / busy).toFixed(1)} % |`)
      .join('\n');
  const text = `| where | share of busy time |\n|---|---|\n${list(byRoom, 14)}\n\n| function, itself | share |\n|---|---|\n${list(bySelf, 25)}\n`;
  writeFileSync(join(folder, 'summary.md'), text);
  return `${text}\nKept in ${folder}: ${file}, stacks.folded, summary.md`;
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
