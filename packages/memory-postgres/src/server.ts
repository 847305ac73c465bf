/**
 * An in-memory Postgres for tests and simulated histories. It reads the SQL that the product sends with Postgres's own
 * grammar and runs it over Maps; what it does not know it refuses loudly. Usage:
 *
 *     const server = new MemoryServer({ now, newId, turn });       // all optional: clock, ids, scheduler
 *     await server.migrate(home);                                  // the real migrations, as packages/database runs them
 *     const database = openDatabase({
 *       url: server.url(home), schema: home.schema, applicationName: 'order', makePool: server.pool,
 *     });
 *     const admin = server.pool({});                               // the superuser's, on schema public
 *     const next = server.fork({ now, turn });                     // a copy with its rows, in microseconds
 *     server.drop('order', 'silence');                             // its connections break, open transactions are undone
 *
 * A statement runs in one go. Before it and before its answer `turn` is asked, so a scheduler decides who goes first.
 */
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServiceHome } from '@tillstream/database/migrate';
import { types, type Pool, type PoolConfig } from 'pg';
import { Catalog } from './catalog.ts';
import { Locks, wallTimers, type Timers } from './locks.ts';
import { Client, MemoryPool } from './pool.ts';
import { ServerState, type Moment } from './server-state.ts';
import { Session } from './session.ts';
import { Store } from './store.ts';

export interface MemoryServerOptions {
  /** Milliseconds since 1970, with fractions if need be. Default: the wall. */
  readonly now?: () => number;
  readonly newId?: (version: 4 | 7) => string;
  /** Asked at each moment at which another connection could go first; undefined: go on. */
  readonly turn?: (moment: Moment) => Promise<void> | undefined;
  /** For lock_timeout. */
  readonly timers?: Timers;
}

const base = new URL('../../database/migrations/', import.meta.url);

export class MemoryServer {
  readonly #options: MemoryServerOptions;
  /** For a cluster of several; nobody else need look. */
  readonly state: ServerState;
  readonly #clients = new Set<Client>();

  constructor(options: MemoryServerOptions = {}, of?: { catalog: Catalog; store: Store; commits: number }) {
    this.#options = options;
    const { now = Date.now, turn, timers = wallTimers } = options;
    this.state = new ServerState({
      catalog: of?.catalog ?? new Catalog(),
      store: of?.store ?? new Store(),
      locks: new Locks(timers),
      now: () => Math.round(now() * 1_000),
      newId: options.newId ?? ((version) => (version === 7 ? randomUUIDv7() : randomUUID())),
      turn,
    });
    // What was committed before the copy is seen in it.
    this.state.commits = of?.commits ?? 0;
    this.state.deliver = (from, notifications) => this.#deliver(from, notifications);
    this.state.activity = () =>
      [...this.#clients].map(({ session, application, isBusy }) => ({
        pid: session.id,
        user: session.user,
        application,
        isBusy,
        isLocking: session.holdsAdvisoryLock,
      }));
    this.state.terminate = (id) => this.#break((client) => client.session.id === id, 'reject') > 0;
  }

  /** Runs the migrations of a service as `migrate` of packages/database does. */
  async migrate(home: ServiceHome): Promise<void> {
    const session = new Session(this.state, { role: null, settings: { search_path: home.schema }, bigint: false });
    const run = (text: string) => session.run(text, []);
    const { schema, role } = home;
    await run(`create role "${role}"`);
    await run(`create schema if not exists "${schema}"`);
    await run(`grant usage on schema "${schema}" to "${role}"`);
    await run(
      `alter default privileges in schema "${schema}" grant select, insert, update, delete on tables to "${role}"`,
    );
    for (const folder of [base, ...(home.shared ?? []), home.migrations]) {
      const path = fileURLToPath(folder);
      for (const file of readdirSync(path).toSorted()) {
        if (file.endsWith('.sql')) await session.script(readFileSync(`${path}/${file}`, 'utf8'));
      }
    }
  }

  /** The types of a statement's parameters. Throws when the statement is not known. */
  describe(home: ServiceHome, text: string): readonly string[] {
    const settings = { search_path: home.schema };
    return new Session(this.state, { role: home.role, settings, bigint: true }).prepare(text);
  }

  /** The url of a service's role, for `openDatabase`; without a home the superuser's. */
  url(home?: ServiceHome): string {
    return `postgres://${home?.role ?? 'postgres'}@memory/memory`;
  }

  /** As the driver's: the role is the user of the url, settings come with `-c name=value`. */
  readonly pool = (config: PoolConfig): Pool => {
    const { application, open } = this.#place(config);
    const pool = new MemoryPool({
      state: this.state,
      application,
      max: config.max ?? 10,
      open,
      clients: this.#clients,
    });
    // It has what the product uses of a pool, and nothing that needs a socket.
    return pool as never;
  };

  /** One connection without a pool, until its `end`: for who decides by himself when each statement runs (`ask`). */
  connection(config: PoolConfig): Client {
    const { application, open } = this.#place(config);
    const client = new Client(open(), application, this.state);
    this.#clients.add(client);
    client.once('end', () => this.#clients.delete(client));
    return client;
  }

  #place(config: PoolConfig): { application: string; open: () => Session } {
    const user = config.user ?? new URL(config.connectionString ?? this.url()).username;
    const role = this.state.catalog.roles.has(user) ? user : null;
    const application = config.application_name ?? '';
    const settings: Record<string, string> = { search_path: 'public', application_name: application };
    for (const [, name, value] of (config.options ?? '').matchAll(/-c\s*([\w.]+)=(\S*)/g)) {
      if (name !== undefined) settings[name] = value ?? '';
    }
    const int8 = config.types?.getTypeParser(types.builtins.INT8, 'text') as ((text: string) => unknown) | undefined;
    const bigint = typeof int8?.('1') === 'bigint';
    return { application, open: () => new Session(this.state, { role, settings, bigint }) };
  }

  /** A server of its own with the same rows. They are shared until one of the two writes to their table. */
  fork(options: MemoryServerOptions = this.#options): MemoryServer {
    for (const client of this.#clients) {
      if (client.session.isInTransaction) throw new Error('a copy of a server with open transactions');
    }
    this.state.catalog.isShared = true;
    const { catalog, store, commits } = this.state;
    return new MemoryServer(options, { catalog, store: new Store(store), commits });
  }

  /**
   * Breaks the connections of an application: what was not committed is undone. Their queries reject, or are never
   * answered: whoever asked is gone as well.
   */
  drop(applicationName: string, pending: 'reject' | 'silence' = 'reject'): number {
    return this.#break((client) => client.application === applicationName, pending);
  }

  #break(matches: (client: Client) => boolean, pending: 'reject' | 'silence'): number {
    const found = [...this.#clients].filter(matches);
    for (const client of found) client.sever(pending);
    return found.length;
  }

  #deliver(from: object, notifications: readonly { channel: string; payload: string }[]): void {
    const processId = from instanceof Session ? from.id : 0;
    for (const client of this.#clients) {
      for (const { channel, payload } of notifications) {
        if (client.session.channels.has(channel)) client.notify({ channel, payload, processId });
      }
    }
  }
}
