/** CPU and memory of a process and all that came from it, read from /proc; nothing is known where there is no /proc. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export type Kind = 'product' | 'postgres' | 'kafka';

export interface Usage {
  /** Milliseconds of CPU so far, children that have ended included. */
  readonly cpuMs: Readonly<Record<Kind, number>>;
  /** Resident memory in bytes. Postgres's processes share pages, so theirs is the sum of proportional shares. */
  readonly memory: Readonly<Record<Kind, number>>;
  readonly cpuMsByPid: ReadonlyMap<number, number>;
  readonly memoryByPid: ReadonlyMap<number, number>;
}

export const canRead = existsSync('/proc/self/stat');

// USER_HZ, which Linux has fixed at 100 for programs on every platform Node runs on.
const msPerTick = 10;

/** CPU milliseconds of the whole machine so far, whoever took them; waiting and stolen time are nobody's. */
export function machineCpuMs(): number {
  const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields;
  return (user + nice + system + irq + softirq) * msPerTick;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly cpuMs: number;
}

/** Of the process and everything below it now. */
export function usageOf(root: number): Usage {
  const cpuMs: Record<Kind, number> = { product: 0, postgres: 0, kafka: 0 };
  const memory: Record<Kind, number> = { product: 0, postgres: 0, kafka: 0 };
  const cpuMsByPid = new Map<number, number>();
  const memoryByPid = new Map<number, number>();
  for (const stat of treeOf(root)) {
    const kind: Kind = stat.name === 'postgres' ? 'postgres' : stat.name === 'java' ? 'kafka' : 'product';
    const bytes = memoryOf(stat.pid, kind === 'postgres' ? 'Pss' : 'Rss');
    cpuMs[kind] += stat.cpuMs;
    memory[kind] += bytes;
    cpuMsByPid.set(stat.pid, stat.cpuMs);
    memoryByPid.set(stat.pid, bytes);
  }
  return { cpuMs, memory, cpuMsByPid, memoryByPid };
}

function treeOf(root: number): readonly Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
  const tree: Stat[] = all.filter((stat) => stat.pid === root);
  for (const above of tree) tree.push(...all.filter((stat) => stat.parent === above.pid));
  return tree;
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in parentheses and may hold spaces, so the fields are counted from its end.
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return { pid, parent: Number(fields[1]), name: text.slice(text.indexOf('(') + 1, end), cpuMs: ticks * msPerTick };
  } catch {
    // It has just ended.
    return undefined;
  }
}

function memoryOf(pid: number, what: 'Rss' | 'Pss'): number {
  try {
    const line = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
