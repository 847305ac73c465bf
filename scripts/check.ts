// Everything that must hold besides the tests. Runs all of it and says at the end what failed.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const node = process.execPath;
const checks: readonly (readonly [string, string, ...string[]])[] = [
  // By turbo, which remembers the answer for as long as no source changes.
  ['types', 'turbo', 'run', '//#typecheck', '--output-logs=errors-only'],
  ['lint', 'turbo', 'run', '//#lint', '--output-logs=errors-only'],
  ['format', 'oxfmt', '--check'],
  ['rooms', node, 'scripts/check-rooms.ts'],
  ['boundaries', 'turbo', 'boundaries'],
  ['state pictures are fresh', node, 'scripts/generate-states.ts', '--check'],
  ['mail templates are fresh', node, 'scripts/generate-mails.ts', '--check'],
  ['secrets are compared in constant time', node, 'scripts/check-secrets.ts'],
  ['dependencies', node, 'scripts/check-dependencies.ts'],
  ['licences', node, 'scripts/check-licences.ts'],
  ['requirements', node, 'scripts/check-requirements.ts'],
  ['compose file', node, 'scripts/check-compose.ts'],
  ['protos are well formed', 'buf', 'lint'],
  ['protos are formatted', 'buf', 'format', '--diff', '--exit-code'],
  // The image is of the last release, made by `buf build -o proto/released.binpb`.
  ['protos break nobody', 'buf', 'breaking', '--against', 'proto/released.binpb'],
  ['generated protos are fresh', node, 'scripts/check-generated.ts'],
];

const failed: string[] = [];
for (const [name, command, ...args] of checks) {
  const startedAt = performance.now();
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  });
  const isFine = result.status === 0;
  console.log(`${isFine ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!isFine) {
    failed.push(name);
    console.log(`${result.stdout}${result.stderr}${result.error?.message ?? ''}`.slice(-8000));
  }
}
console.log(`${checks.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
