/** Who is whose child, as /proc tells it. */
import { readdirSync, readFileSync } from 'node:fs';

interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Children, their children, and so on. */
export function descendantsOf(pid: number): readonly Seen[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? look(Number(name)) : []));
  const found: Seen[] = [];
  for (let parents = new Set([pid]); parents.size > 0;) {
    const children = all.filter((each) => parents.has(each.parent));
    found.push(...children);
    parents = new Set(children.map((each) => each.pid));
  }
  return found;
}

/** The same process, not another one that got its number. A zombie is dead and only waits to be counted. */
export function isStillThere(seen: Seen): boolean {
  return look(seen.pid).some((now) => now.command === seen.command);
}

function look(pid: number): readonly Seen[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything: what follows the last one counts.
    const [state, parent] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
    if (state === 'Z') return [];
    return [
      { pid, parent: Number(parent), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') },
    ];
  } catch {
    return [];
  }
}
