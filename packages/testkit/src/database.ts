/** A database per test file, copied from a template that has the service's migrations: some 50 ms. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openDatabase, type Database } from '@tillstream/database/database';
import { migrate, type ServiceHome } from '@tillstream/database/migrate';
import { Client, Pool, type PoolConfig } from 'pg';

export interface TestDatabase {
  /** As the service's own role. */
  readonly url: string;
  /** As the superuser, for looking at what the role may not see. */
  readonly adminUrl: string;
  /** As the role of another home that was given, such as the carrier's. */
  urlOf(home: ServiceHome): string;
  /** As the superuser, on one connection: rows of all merchants, and faults to inject. */
  readonly admin: Pick<Client, 'query'>;
  /** The text of each statement that is sent, if you want to hear of it. */
  open<Schema>(hear?: (statement: string) => void): Database<Schema>;
  /** Closes what was opened and removes the database. */
  drop(): Promise<void>;
}

const password = 'only-for-tests';

/** Several homes share one database, each with its schema. The url and `open` are the first home's. */
export async function testDatabase(home: ServiceHome, ...more: readonly ServiceHome[]): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL'];
  if (server === undefined) throw new Error('TEST_DATABASE_URL is not set: is the test in a test/ folder?');
  const homes = [home, ...more];
  const template = await makeTemplate(server, homes);
  const name = `t_${home.schema}_${randomBytes(6).toString('hex')}`;
  await asAdmin(server, (client) => client.query(`create database ${name} template ${template}`));
  const opened: { close(): Promise<void> }[] = [];
  const urlOf = (role: string, word: string) => {
    const url = new URL(server);
    [url.username, url.password, url.pathname] = [role, word, `/${name}`];
    return url.href;
  };
  const admin = new URL(server);
  admin.pathname = `/${name}`;
  const adminClient = new Client({ connectionString: admin.href });
  await adminClient.connect();
  return {
    url: urlOf(home.role, password),
    adminUrl: admin.href,
    urlOf: (other) => urlOf(other.role, password),
    admin: adminClient,
    open<Schema>(hear?: (statement: string) => void) {
      const database = openDatabase<Schema>({
        url: urlOf(home.role, password),
        schema: home.schema,
        applicationName: 'test',
        ...(hear === undefined ? {} : { makePool: (config: PoolConfig) => overheard(config, hear) }),
      });
      opened.push(database);
      return database;
    },
    async drop() {
      await Promise.all(opened.map((database) => database.close()));
      await adminClient.end();
      await asAdmin(server, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

function overheard(config: PoolConfig, hear: (statement: string) => void): Pool {
  const pool = new Pool(config);
  pool.on('connect', (client) => {
    const query: (...args: readonly unknown[]) => unknown = client.query.bind(client);
    Object.defineProperty(client, 'query', {
      value: (asked: string | { text: string }, ...more: readonly unknown[]) => {
        hear(typeof asked === 'string' ? asked : asked.text);
        return query(asked, ...more);
      },
    });
  });
  return pool;
}

async function makeTemplate(server: string, homes: readonly ServiceHome[]): Promise<string> {
  const hash = createHash('sha256');
  for (const home of homes) {
    hash.update(`${home.schema} ${home.role}`);
    for (const folder of [
      ...(home.shared ?? []),
      home.migrations,
      new URL('../../database/migrations/', import.meta.url),
    ]) {
      const path = fileURLToPath(folder);
      for (const file of readdirSync(path).toSorted()) hash.update(file).update(readFileSync(`${path}/${file}`));
    }
  }
  const name = `template_${homes[0]?.schema ?? ''}_${hash.digest('hex').slice(0, 16)}`;
  await asAdmin(server, async (client) => {
    // Test files run side by side: one makes the template, the others wait for it.
    await client.query('select pg_advisory_lock(hashtext($1))', [name]);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 1) return;
    const building = `${name}_building`;
    await client.query(`drop database if exists ${building} with (force)`);
    await client.query(`create database ${building}`);
    const url = new URL(server);
    url.pathname = `/${building}`;
    for (const home of homes) await migrate({ adminUrl: url.href, home, password });
    await client.query(`alter database ${building} rename to ${name}`);
  });
  return name;
}

async function asAdmin<R>(url: string, run: (client: Client) => Promise<R>): Promise<R> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
