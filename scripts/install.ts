// Installs what the lockfile says, once: a stamp in node_modules remembers the lockfile it was made from, so that later
// starts cost nothing. `node scripts/install.ts prod` leaves out what only developers need.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'node_modules', '.tillstream-install');

const workspaces = globSync('{apps,packages}/*/package.json', { cwd: root }).toSorted();
const hash = createHash('sha256');
for (const file of [
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'package.json',
  'e2e/package.json',
  'bench/package.json',
  ...workspaces,
]) {
  hash.update(readFileSync(join(root, file)));
}
const digest = `${hash.digest('hex')} ${process.platform}-${process.arch}`;

const [haveDigest, have] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : [];
// What a developer has is never taken away by a start.
const wanted = process.argv[2] === 'prod' && have !== 'all' ? 'prod' : 'all';
if (haveDigest !== digest || have !== wanted) {
  console.log('Installing the packages that the lockfile names (about 15 seconds the first time) …');
  const flags = ['install', '--frozen-lockfile', ...(wanted === 'prod' ? ['--prod'] : [])];
  const result = spawnSync('pnpm', flags, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CI: '1' },
  });
  if (result.status !== 0) {
    console.error('The packages could not be installed; the lines above say why. Nothing was started.');
    process.exit(1);
  }
  writeFileSync(stamp, `${digest}\n${wanted}\n`);
}
