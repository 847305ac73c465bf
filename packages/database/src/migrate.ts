/**
 * Brings a schema to the newest state: plain SQL files, forward only, each once, in one transaction. One lock per schema,
 * so that replicas may race and services need not wait for each other (docs/decisions/migrations-runner.md).
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { probe } from '@tillstream/telemetry/probe';

export interface ServiceHome {
  readonly name: string;
  readonly schema: string;
  /** The role the service connects with: it owns nothing and cannot see another schema. */
  readonly role: string;
  /** The folder of its *.sql files. */
  readonly migrations: URL;
  /** Folders that come before its own, such as messaging's. */
  readonly shared?: readonly URL[];
}

const base = new URL('../migrations/', import.meta.url);
const identifier = /^[a-z][a-z_]*$/;

/**
 * Answers the names of the files it applied. The admin must be allowed to make roles and schemas; what it makes it owns.
 * Throws, and changes nothing of that file, when a file fails or was changed after it had been applied.
 */
export async function migrate(options: {
  adminUrl: string;
  home: ServiceHome;
  password: string;
  log?: (text: string) => void;
}): Promise<readonly string[]> {
  const { schema, role } = options.home;
  if (!identifier.test(schema) || !identifier.test(role)) throw new Error(`not a schema or role: ${schema}, ${role}`);
  const client = new Client({ connectionString: options.adminUrl, application_name: `migrate ${schema}` });
  // The server may end the connection at any time; the statement under way says so.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await makeRole(client, role, options.password);
    await client.query('select pg_advisory_lock(hashtext($1), hashtext($2))', ['tillstream migrate', schema]);
    await client.query(
      `create schema if not exists "${schema}"; set search_path = "${schema}"; set lock_timeout = '10s'`,
    );
    await grant(client, schema, role);
    await client.query(
      'create table if not exists migration (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    );
    await client.query(`revoke all on migration from "${role}"`);
    const applied = await applyAll(client, [base, ...(options.home.shared ?? []), options.home.migrations]);
    for (const name of applied) options.log?.(`${schema}: applied ${name}`);
    return applied;
  } finally {
    await client.end();
  }
}

async function applyAll(client: Client, folders: readonly URL[]): Promise<readonly string[]> {
  const done = new Map<string, string>();
  for (const row of (await client.query<{ name: string; checksum: string }>('select name, checksum from migration'))
    .rows) {
    done.set(row.name, row.checksum);
  }
  const applied: string[] = [];
  for (const folder of folders) {
    const path = fileURLToPath(folder);
    const owner = basename(fileURLToPath(new URL('../', folder)));
    for (const file of readdirSync(path)
      .filter((each) => each.endsWith('.sql'))
      .toSorted()) {
      const name = `${owner}/${file}`;
      const sql = readFileSync(`${path}/${file}`, 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      const before = done.get(name);
      if (before === checksum) continue;
      if (before !== undefined)
        throw new Error(`${name} was changed after it had been applied. Write a new file instead.`);
      await apply(client, name, sql, checksum);
      applied.push(name);
    }
  }
  return applied;
}

async function apply(client: Client, name: string, sql: string, checksum: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into migration (name, checksum) values ($1, $2)', [name, checksum]);
    probe('migrating');
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`migration ${name} failed`, { cause: error });
  }
}

async function makeRole(client: Client, role: string, password: string): Promise<void> {
  // Roles belong to the whole server, so two schemas may race for one: the loser finds it made.
  await client.query('select pg_advisory_lock(hashtext($1))', ['tillstream roles']);
  try {
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
    const verb = rowCount === 0 ? 'create' : 'alter';
    await client.query(
      `${verb} role "${role}" login nosuperuser nobypassrls nocreatedb nocreaterole password ${client.escapeLiteral(password)}`,
    );
  } finally {
    await client.query('select pg_advisory_unlock(hashtext($1))', ['tillstream roles']);
  }
}

async function grant(client: Client, schema: string, role: string): Promise<void> {
  await client.query(`
    revoke all on schema "${schema}" from public;
    grant usage on schema "${schema}" to "${role}";
    alter default privileges in schema "${schema}" grant select, insert, update, delete on tables to "${role}";
    alter default privileges in schema "${schema}" grant usage on sequences to "${role}";
  `);
}
