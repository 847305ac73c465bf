/**
 * The driver `pg`, with a cluster in memory behind urls whose host is `memory`. `TEST_DATABASE=memory vitest run …` puts it in
 * the place of the driver, so that a test file runs unchanged on either storage.
 */
import { createRequire } from 'node:module';
import type { Node } from 'libpg-query';
import type { ClientConfig, Pool as RealPool, PoolClient, PoolConfig } from 'pg';
import { notKnown, postgresError } from './errors.ts';
import { MemoryServer } from './server.ts';

// Not imported: the name `pg` leads here.
const real = createRequire(import.meta.url)('pg') as typeof import('pg');

const databases = new Map<string, MemoryServer>();
add('postgres', new MemoryServer());

function add(name: string, server: MemoryServer): void {
  databases.set(name, server);
  server.state.databaseNames = () => [...databases.keys()];
  server.state.databases = ofCluster;
}

function find(name: string): MemoryServer {
  const found = databases.get(name);
  if (found === undefined) throw postgresError('3D000', `database "${name}" does not exist`);
  return found;
}

function ofCluster(node: Node): string | undefined {
  if ('CreatedbStmt' in node) {
    const { dbname = '', options = [] } = node.CreatedbStmt;
    const [option] = options;
    const arg = option !== undefined && 'DefElem' in option ? option.DefElem.arg : undefined;
    const template = arg !== undefined && 'String' in arg ? arg.String.sval : undefined;
    add(dbname, template === undefined ? new MemoryServer() : find(template).fork());
    return 'CREATE DATABASE';
  }
  if ('DropdbStmt' in node) {
    databases.delete(node.DropdbStmt.dbname ?? '');
    return 'DROP DATABASE';
  }
  if ('RenameStmt' in node && node.RenameStmt.renameType === 'OBJECT_DATABASE') {
    const { subname = '', newname = '' } = node.RenameStmt;
    const server = find(subname);
    databases.delete(subname);
    add(newname, server);
    return 'ALTER DATABASE';
  }
  return undefined;
}

type Config = Pick<PoolConfig & ClientConfig, 'connectionString' | 'host' | 'user' | 'database'>;

function serverOf(config: string | Config | undefined): MemoryServer | undefined {
  const text = typeof config === 'string' ? config : config?.connectionString;
  if (text === undefined) return undefined;
  const url = new URL(text);
  return url.hostname === 'memory' ? find(url.pathname.slice(1)) : undefined;
}

/** A connection of its own: opened with `connect`, closed with `end`. */
class MemoryClient {
  readonly #pool: RealPool;
  readonly #listeners: [event: string, listener: (...args: never[]) => void][] = [];
  #client: PoolClient | undefined;

  constructor(server: MemoryServer, config: string | PoolConfig) {
    this.#pool = server.pool({ ...(typeof config === 'string' ? { connectionString: config } : config), max: 1 });
  }

  async connect(): Promise<void> {
    this.#client = await this.#pool.connect();
    for (const [event, listener] of this.#listeners) this.#client.on(event as 'end', listener);
  }

  on(event: string, listener: (...args: never[]) => void): this {
    this.#listeners.push([event, listener]);
    this.#client?.on(event as 'end', listener);
    return this;
  }

  query(...asked: Parameters<PoolClient['query']>): unknown {
    if (this.#client === undefined) return notKnown('a query before connect');
    return this.#client.query(...asked);
  }

  escapeLiteral(text: string): string {
    return real.escapeLiteral(text);
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}

export const Pool = new Proxy(real.Pool, {
  construct: (target, [config]: [PoolConfig | undefined]) => serverOf(config)?.pool(config ?? {}) ?? new target(config),
});

export const Client = new Proxy(real.Client, {
  construct(target, [config]: [string | PoolConfig | undefined]) {
    const server = serverOf(config);
    return server === undefined ? new target(config) : new MemoryClient(server, config ?? {});
  },
});

export const { DatabaseError, TypeOverrides, types, Query, Result, escapeLiteral, escapeIdentifier, defaults } = real;
export default { ...real, Pool, Client };
