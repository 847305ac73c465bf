import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findPrograms, findUser, reachableFolder } from '../src/folder.ts';
import { commandOf } from '../src/processes.ts';
import { EmbeddedRefusal, startEmbeddedPostgres, type EmbeddedServer } from '../src/server.ts';

// One folder for all: making the data is the slow part. The tests run in order, each on what the one before left.
let folder: string;
let directory: string;
const settings = { fsync: 'off' };
const started: EmbeddedServer[] = [];
const start = async () => {
  const server = await startEmbeddedPostgres({ directory, settings });
  started.push(server);
  return server;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  chmodSync(folder, 0o755);
  directory = join(folder, 'shop', 'postgres');
});
afterEach(() => Promise.all(started.splice(0).map((server) => server.stop())));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function ask<Row extends QueryResultRow>(
  server: EmbeddedServer,
  sql: string,
  connectionString = server.url(),
): Promise<Row[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

const pidOf = () => Number(readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[0]);

function refusalOf(starting: Promise<EmbeddedServer>): Promise<string> {
  return starting.then(
    () => 'no refusal',
    (error: unknown) => (error instanceof EmbeddedRefusal ? error.message : `another error: ${String(error)}`),
  );
}

/** In a process and a process group of its own, which is up when this resolves. */
async function startElsewhere(then: string) {
  const source = new URL('../src/server.ts', import.meta.url).href;
  const program = `
    import pg from ${JSON.stringify(import.meta.resolve('pg'))};
    import { startEmbeddedPostgres } from ${JSON.stringify(source)};
    const server = await startEmbeddedPostgres(${JSON.stringify({ directory, settings })});
    ${then}
    console.log('up');
    const alive = setInterval(() => undefined, 1_000);
    process.once('SIGINT', () => clearInterval(alive));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

describe('an embedded server', () => {
  it('makes its data, keeps its password to their owner, and commits to the disk', async () => {
    const server = await start();
    await ask(server, 'create table sold (id int); insert into sold values (1)');
    expect(await ask(server, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    expect(statSync(`${directory}.password`).mode & 0o777).toBe(0o600);
    await server.stop();
    await server.stop();
    expect(existsSync(`${directory}.lock`)).toBe(false);
  });

  it('refuses a second start on the same data and names who uses them', async () => {
    const server = await start();
    expect(await refusalOf(start())).toContain(`in use by another start (process ${process.pid})`);
    expect(await ask(server, 'select id from sold')).toEqual([{ id: 1 }]);
    await server.stop();
  });

  it('says that a port is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    expect(await refusalOf(startEmbeddedPostgres({ directory, port, settings }))).toBe(
      `Port ${port} is taken. Name other ports with PORT_BASE.`,
    );
    other.close();
  });

  it('is started again when it dies, and finds what was committed', async () => {
    const server = await start();
    const first = pidOf();
    process.kill(first, 'SIGKILL');
    await expect
      .poll(() => ask(server, 'select id from sold').catch(() => []), { timeout: 20_000 })
      .toEqual([{ id: 1 }]);
    expect(pidOf()).not.toBe(first);
    await server.stop();
  });

  it('ends with the start that was killed, and the next one finds what it sold', async () => {
    const child = await startElsewhere('');
    expect(await refusalOf(start())).toContain(`process ${child.pid}`);
    const left = pidOf();
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const server = await start();
    expect(await ask(server, 'select id from sold')).toEqual([{ id: 1 }]);
    await server.stop();

    const other = await startElsewhere('');
    const second = pidOf();
    other.kill('SIGKILL');
    await expect.poll(() => commandOf(second), { timeout: 20_000 }).not.toContain(directory);
    expect(commandOf(left)).not.toContain(directory);
  });

  it('ends a server that stayed behind all the same, and takes over', async () => {
    const program = join(findPrograms(folder), 'postgres');
    const words = [
      '-D',
      directory,
      '-p',
      '61999',
      '-c',
      'listen_addresses=',
      '-c',
      `unix_socket_directories=${tmpdir()}`,
    ];
    const left = spawn(program, words, { ...findUser(), cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise((resolve) => {
      left.stderr.on('data', (chunk) => String(chunk).includes('ready to accept') && resolve(undefined));
    });
    const server = await start();
    expect(await ask(server, 'select id from sold')).toEqual([{ id: 1 }]);
    expect(commandOf(left.pid ?? 0)).not.toContain(directory);
  });

  it('is spoken to over a socket, and over the loopback where the folder’s name is too long for one', async () => {
    const place =
      "select inet_client_addr() is null as is_socket, current_setting('unix_socket_directories') as sockets";
    const server = await start();
    const { password } = new URL(server.url());
    const near = server.socketUrl('postgres', 'postgres', decodeURIComponent(password));
    expect(await ask(server, place, near)).toEqual([{ is_socket: process.platform !== 'win32', sockets: directory }]);
    expect(await ask(server, place)).toEqual([{ is_socket: false, sockets: directory }]);
    await server.stop();

    const deep = join(folder, 'shop', 'deep'.repeat(30));
    const far = await startEmbeddedPostgres({ directory: join(deep, 'postgres'), settings });
    started.push(far);
    expect(far.socketUrl('postgres', 'postgres', 'word')).toBe(far.url('postgres', 'postgres', 'word'));
    expect(await ask(far, place)).toEqual([{ is_socket: false, sockets: '' }]);
  });

  it('goes on when Ctrl-C reaches the whole process group, until it is stopped', async () => {
    const child = await startElsewhere(`
      process.once('SIGINT', () => setTimeout(async () => {
        const client = new pg.Client({ connectionString: server.url() });
        await client.connect();
        const { rows } = await client.query('select id from sold');
        await client.end();
        await server.stop();
        console.log(JSON.stringify(rows));
      }, 300));`);
    process.kill(-(child.pid ?? 0), 'SIGINT');
    const [said] = await Promise.all([
      new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk).trim()))),
      new Promise((resolve) => child.once('exit', resolve)),
    ]);
    expect(said).toBe('[{"id":1}]');
    expect(existsSync(join(directory, 'postmaster.pid'))).toBe(false);
  });

  it('is not stopped by a postmaster.pid whose number belongs to another program by now', async () => {
    writeFileSync(join(directory, 'postmaster.pid'), `${process.pid}\n${directory}\n`);
    const server = await start();
    await server.stop();
  });

  it('takes no half-made data for data', async () => {
    const place = join(folder, 'half', 'postgres');
    mkdirSync(`${place}.new`, { recursive: true });
    writeFileSync(`${place}.new/PG_VERSION`, '18');
    const server = await startEmbeddedPostgres({ directory: place, settings });
    started.push(server);
    expect(existsSync(`${place}.new`)).toBe(false);
  });

  it('says what to do when the password is lost', async () => {
    const file = `${directory}.password`;
    const password = readFileSync(file);
    rmSync(file);
    expect(await refusalOf(start())).toContain(`${file} is missing`);
    writeFileSync(file, password, { mode: 0o600 });
  });

  it.runIf(process.getuid?.() === 0)('says what to do when the folder is closed to the user it runs as', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const said = await refusalOf(startEmbeddedPostgres({ directory: join(closed, 'shop', 'postgres') }));
    expect(said).toContain(`may not pass through ${closed}. Name a folder elsewhere with TILLSTREAM_DATA`);
  });

  it.runIf(process.getuid?.() === 0)('knows a place that stands for a closed folder, always the same', () => {
    expect(reachableFolder(join(folder, 'open', 'data'))).toBe(join(folder, 'open', 'data'));
    const place = reachableFolder(join(folder, 'closed', 'data'));
    expect(place).toMatch(/^\/var\/lib\/tillstream\/[0-9a-f]{12}$/);
    expect(reachableFolder(join(folder, 'closed', 'data'))).toBe(place);
    expect(reachableFolder(join(folder, 'closed', 'other'))).not.toBe(place);
  });

  it('says that the disk is full, and leaves nothing that looks like data', async () => {
    const full = join(folder, 'full', 'postgres');
    mkdirSync(join(folder, 'full'));
    // The first file of our own meets a device that has no room.
    symlinkSync('/dev/full', `${full}.initdb`);
    expect(await refusalOf(startEmbeddedPostgres({ directory: full }))).toBe(
      `The disk that holds ${join(folder, 'full')} is full. Make room, or name another folder with TILLSTREAM_DATA.`,
    );
    expect([existsSync(full), existsSync(`${full}.new`)]).toEqual([false, false]);
  });

  it('says what to do when the folder cannot be written to', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await refusalOf(startEmbeddedPostgres({ directory: join(folder, 'file', 'postgres') }))).toContain(
      'cannot be written to. Name another one with TILLSTREAM_DATA',
    );
  });
});
