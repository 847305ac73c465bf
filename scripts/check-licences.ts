// Everything that is shipped, down to the last package, is under a licence that one may pass on.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { directDependencies, lockfile, root } from './lockfile.ts';

const licences = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
  'Python-2.0',
  '(Apache-2.0 AND BSD-3-Clause)',
  'PostgreSQL',
]);

const complaints: string[] = [];
const direct = directDependencies();
const reached = new Set<string>();
const queue = [...direct.values()];
for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
  if (reached.has(key)) continue;
  reached.add(key);
  const { dependencies = {}, optionalDependencies = {} } = lockfile.snapshots[key] ?? {};
  queue.push(
    ...Object.entries({ ...dependencies, ...optionalDependencies }).map(([name, version]) => `${name}@${version}`),
  );
}
let licensed = 0;
for (const key of reached) {
  const [, name = '', version = ''] = /^(@?[^@]+)@([^(]+)/.exec(key) ?? [];
  const [folder] = globSync(
    `node_modules/.pnpm/${name.replace('/', '+')}@${version}*/node_modules/${name}/package.json`,
    { cwd: root },
  );
  // Binaries for other machines are not installed here.
  if (folder === undefined) continue;
  const { license }: { license?: unknown } = JSON.parse(readFileSync(join(root, folder), 'utf8'));
  licensed += 1;
  if (typeof license !== 'string' || !licences.has(license))
    complaints.push(`${key}: its licence is ${JSON.stringify(license)}. Ask before it is shipped.`);
}
if (licensed < direct.size / 2) complaints.push('hardly any licence was found: is everything installed?');

for (const complaint of complaints) console.error(complaint);
console.log(`licences: ${reached.size} packages in production, ${licensed} read, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;
