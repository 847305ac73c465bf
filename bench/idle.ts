/** What the product takes while nobody does anything, and what its installation takes on the disk. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CountedDatabase } from './database-counts.ts';
import { makeFolder, removeFolder, type Form } from './form.ts';
import { usageOf, type Kind } from './processes.ts';
import { namesOf } from './window.ts';

export interface Idle {
  readonly memory: Readonly<Record<Kind, number>>;
  /** Share of one core. */
  readonly cpu: Readonly<Record<Kind, number>>;
  readonly statementsPerSecond: number | undefined;
  readonly transactionsPerSecond: number;
  /** Of the split form's processes: share of one core, and resident bytes. */
  readonly services: readonly { readonly name: string; readonly cpu: number; readonly memory: number }[];
}

export async function idleOf(form: Form, seconds: number): Promise<Idle> {
  const database = await CountedDatabase.open(form);
  try {
    // What a start leaves to be done is not idleness.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const counts = await database.counts();
    const from = usageOf(form.pid);
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const took = performance.now() - startedAt;
    const to = usageOf(form.pid);
    const later = await database.counts();
    const share = (kind: Kind) => (to.cpuMs[kind] - from.cpuMs[kind]) / took;
    const each = (before: number, after: number) => ((after - before) * 1_000) / took;
    const services = [...namesOf(form)].map(([pid, name]) => ({
      name,
      cpu: ((to.cpuMsByPid.get(pid) ?? 0) - (from.cpuMsByPid.get(pid) ?? 0)) / took,
      memory: to.memoryByPid.get(pid) ?? 0,
    }));
    return {
      services,
      memory: to.memory,
      cpu: { product: share('product'), postgres: share('postgres'), kafka: share('kafka') },
      statementsPerSecond:
        counts.statements === undefined || later.statements === undefined
          ? undefined
          : each(counts.statements, later.statements),
      transactionsPerSecond: each(counts.transactions, later.transactions),
    };
  } finally {
    await database.close();
  }
}

/** In bytes, of what `npm start` installs; undefined when the packages are not in pnpm's store. Nothing is downloaded. */
export function installedSize(): number | undefined {
  const root = join(import.meta.dirname, '..');
  const folder = makeFolder();
  try {
    const manifests = globSync('{apps,packages}/*/package.json', { cwd: root });
    for (const file of [
      'package.json',
      'pnpm-lock.yaml',
      'pnpm-workspace.yaml',
      '.npmrc',
      'e2e/package.json',
      'bench/package.json',
      ...manifests,
    ]) {
      if (!existsSync(join(root, file))) continue;
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      copyFileSync(join(root, file), join(folder, file));
    }
    cpSync(join(root, 'patches'), join(folder, 'patches'), { recursive: true });
    const flags = ['install', '--prod', '--offline', '--frozen-lockfile'];
    const made = spawnSync('pnpm', flags, {
      cwd: folder,
      stdio: 'ignore',
      timeout: 60_000,
      env: { ...process.env, CI: '1' },
    });
    return made.status === 0 ? sizeOf(join(folder, 'node_modules')) : undefined;
  } finally {
    removeFolder(folder);
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    // In blocks, as the disk counts.
    return sum + (entry.isDirectory() ? sizeOf(path) : lstatSync(path).blocks * 512);
  }, 0);
}
