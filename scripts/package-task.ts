// A task of one package, as turbo runs it: `node <root>/scripts/package-task.ts typecheck|lint|test` in the package's folder.
// The whole is checked by scripts/check.ts; this checks what a change affects.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = process.cwd();
const place = relative(root, folder);
const [task = ''] = process.argv.slice(2);

const commands: Record<string, () => readonly [string, ...string[]]> = {
  typecheck: () => ['tsc', '-p', projectOf()],
  lint: () => ['oxlint', '--type-aware', '--deny-warnings', '--no-error-on-unmatched-pattern', place],
  test: () => ['vitest', 'run', '--passWithNoTests', `${place}/`],
};
const command = commands[task];
if (command === undefined) throw new Error(`there is no task ${task}: ${Object.keys(commands).join(', ')}`);
const [program, ...words] = command();
const { status, error } = spawnSync(program, words, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
});
if (error !== undefined) throw error;
process.exitCode = status ?? 1;

/** The settings of tsconfig.json for this folder alone. Not beside the package: the linter would read it as a project of its own. */
function projectOf(): string {
  const cache = join(root, 'node_modules/.cache/typecheck');
  mkdirSync(cache, { recursive: true });
  const file = join(cache, `${place.replaceAll('/', '-')}.json`);
  // A folder within that is a package has a task of its own.
  const rooms = ['src', 'test', '.'].filter((each) => each !== '.' && existsSync(join(folder, each)));
  const include = rooms.length > 0 ? rooms.map((each) => join(folder, each)) : [folder];
  const typeRoots = [join(root, 'node_modules/@types')];
  writeFileSync(
    file,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions: { typeRoots }, include }),
  );
  return file;
}
