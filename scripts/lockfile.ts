// What the lockfile says of the packages that we run, for the checks.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const root = join(import.meta.dirname, '..');

interface Lockfile {
  readonly importers: Readonly<
    Record<string, { readonly dependencies?: Readonly<Record<string, { readonly version: string }>> }>
  >;
  readonly packages: Readonly<
    Record<string, { readonly resolution: { readonly integrity?: string; readonly tarball?: string } }>
  >;
  readonly snapshots: Readonly<
    Record<
      string,
      {
        readonly dependencies?: Readonly<Record<string, string>>;
        readonly optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

export function readYaml(file: string): unknown {
  return parse(readFileSync(join(root, file), 'utf8'));
}

export const lockfile = readYaml('pnpm-lock.yaml') as Lockfile;

/** Development only, whatever package.json says of it. */
const isDevelopment = (importer: string) => /^(\.|e2e|bench)$|^packages\/(testkit|[a-z-]+\/test)/.test(importer);

/** The packages that the product itself names: name@version by name. */
export function directDependencies(): ReadonlyMap<string, string> {
  const direct = new Map<string, string>();
  for (const [importer, { dependencies = {} }] of Object.entries(lockfile.importers)) {
    if (isDevelopment(importer)) continue;
    for (const [name, { version }] of Object.entries(dependencies))
      if (!version.startsWith('link:')) direct.set(name, `${name}@${version}`);
  }
  return direct;
}
