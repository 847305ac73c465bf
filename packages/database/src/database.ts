/**
 * How a service reaches its schema. A connection says whose rows it may see before it is asked anything; row-level security
 * refuses the rest. READ COMMITTED, row locks and unique keys, never SERIALIZABLE (its errors reach buyers).
 */
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  type CompiledQuery,
  type ConnectionProvider,
  type Dialect,
} from 'kysely';
import type { Pool } from 'pg';
import { probe } from '@tillstream/telemetry/probe';
import { RememberingCompiler } from './compiler.ts';
import { openPools, type DatabaseOptions } from './pools.ts';
import { Session } from './session.ts';

/** A database whose own tables do not matter: what messaging and supervision need of it. */
export interface AnyDatabase {
  readonly schema: string;
  /**
   * Sees no merchant. For LISTEN, advisory locks, and single statements on messaging's tables, which know no merchants. It
   * does not wait for the disk: what it writes may be gone after a crash of the server, so it writes what is then done
   * again (offsets, marks, leases).
   */
  readonly pool: Pool;
  /** The same by kysely: each statement by itself. */
  readonly unscoped: Kysely<object>;
  /** One transaction of statements in plain SQL that sees no merchant. Durable like any other. */
  untyped<R>(reason: string, run: (tx: Kysely<object>) => Promise<R>): Promise<R>;
  /** The same for one statement. */
  untypedStatement<R>(reason: string, run: (one: Kysely<object>) => Promise<R>): Promise<R>;
  /** Connections in use, and work that waits for one. */
  load(): { readonly used: number; readonly waiting: number };
  /** Throws when the database does not answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface Database<Schema> extends AnyDatabase {
  /**
   * Runs in one transaction that sees the rows of these merchants only. Tried at most three times on a deadlock or a
   * serialization failure. A throw means not committed, except when the connection broke during COMMIT: then the
   * outcome is not known and the unit must be repeatable.
   */
  transaction<R>(merchants: readonly string[], run: (tx: Kysely<Schema>) => Promise<R>): Promise<R>;
  /**
   * One statement without BEGIN and COMMIT around it: one round trip instead of two, one statement instead of three. It is
   * a transaction by itself; a second one is refused. When the connection breaks a read is asked once more, and the
   * outcome of anything else is not known.
   */
  statement<R>(merchants: readonly string[], run: (one: Kysely<Schema>) => Promise<R>): Promise<R>;
  /**
   * The exception to tenant scope: a look-up by an unguessable capability, or a worker over all tenants. The reason is
   * for readers and for the check of the rooms.
   */
  everyMerchant<R>(reason: string, run: (tx: Kysely<Schema>) => Promise<R>): Promise<R>;
  /** The same for one statement. */
  everyMerchantStatement<R>(reason: string, run: (one: Kysely<Schema>) => Promise<R>): Promise<R>;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// Deadlock detected, serialization failure: the only errors that are worth the same try again.
const repeatable = new Set(['40P01', '40001']);
const maxTries = 3;

export function openDatabase<Schema>(options: DatabaseOptions): Database<Schema> {
  const pools = openPools(options);
  const all = [pools.some, pools.every, pools.none];
  let closing: Promise<unknown> | undefined;
  return {
    schema: options.schema,
    pool: pools.none,
    unscoped: on({ provideConnection: (ask) => inSession({ pool: pools.none }, ask) }),
    transaction: (merchants, run) => transaction(someOf(pools.some, merchants), run),
    statement: (merchants, run) => statement(someOf(pools.some, merchants), run),
    everyMerchant: (_reason, run) => transaction({ pool: pools.every }, run),
    everyMerchantStatement: (_reason, run) => statement({ pool: pools.every }, run),
    untyped: (_reason, run) => transaction(someOf(pools.some, []), run),
    untypedStatement: (_reason, run) => statement(someOf(pools.some, []), run),
    load: () => ({
      used: all.reduce((sum, pool) => sum + pool.totalCount - pool.idleCount, 0),
      waiting: all.reduce((sum, pool) => sum + pool.waitingCount, 0),
    }),
    async check() {
      await pools.none.query('select 1');
    },
    async close() {
      closing ??= Promise.all(all.map((pool) => pool.end()));
      await closing;
    },
  };
}

/** The code of a Postgres error, such as 23505, or ''. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Where to run, and whose rows its sessions must see if that is not given by the pool. */
interface Sight {
  readonly pool: Pool;
  readonly scope?: string;
}

function someOf(pool: Pool, merchants: readonly string[]): Sight {
  for (const merchant of merchants) if (!uuid.test(merchant)) throw new Error(`not a merchant id: ${merchant}`);
  // Sorted, so that the same merchants in another order are the same sight.
  return { pool, scope: `{${[...new Set(merchants)].toSorted().join(',')}}` };
}

/** The connection was gone before anything was done on it. */
class NotBegun extends Error {
  override readonly name = 'NotBegun';
}

async function inSession<R>(sight: Sight, run: (session: Session) => Promise<R>): Promise<R> {
  const client = await sight.pool.connect();
  const session = new Session(client);
  let isBroken = false;
  try {
    if (sight.scope !== undefined) {
      await session.see(sight.scope).catch((error: unknown) => {
        throw new NotBegun('the connection was gone', { cause: error });
      });
    }
    return await run(session);
  } catch (error) {
    session.forget();
    // The server says good-bye before the connection ends; whoever took it next would find it dead.
    isBroken = isGone(error instanceof NotBegun ? error.cause : error);
    throw error;
  } finally {
    client.release(isBroken);
  }
}

async function tried<R>(run: () => Promise<R>, mayRepeat: (error: unknown) => boolean): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      // The server closed the connection while it lay in the pool; the next one is fresh.
      const isWorthIt = error instanceof NotBegun || repeatable.has(codeOf(error)) || mayRepeat(error);
      if (isWorthIt && attempt < maxTries) continue;
      throw error instanceof NotBegun ? error.cause : error;
    }
  }
}

function transaction<Schema, R>(sight: Sight, run: (tx: Kysely<Schema>) => Promise<R>): Promise<R> {
  return tried(
    () => inSession(sight, (session) => inTransaction(session, run)),
    () => false,
  );
}

async function inTransaction<Schema, R>(session: Session, run: (tx: Kysely<Schema>) => Promise<R>): Promise<R> {
  // Not awaited: it travels together with the first statement, one round trip for both. When the connection is gone both
  // fail, and nothing was done.
  const begun = session.command('begin').then(
    () => undefined,
    (error: unknown) => new NotBegun('the connection was gone', { cause: error }),
  );
  let isOver = false;
  const provideConnection: ConnectionProvider['provideConnection'] = (ask) => {
    // What comes after the end, because nobody waited for it, would stand alone.
    if (isOver) throw new Error('the transaction is over: wait for all that is asked in it');
    return ask(session);
  };
  let result: R;
  try {
    result = await run(on({ provideConnection }));
  } catch (error) {
    isOver = true;
    // A broken connection cannot roll back; the server does it by itself.
    await session.command('rollback').catch(() => undefined);
    throw (await begun) ?? error;
  }
  isOver = true;
  const notBegun = await begun;
  if (notBegun !== undefined) throw notBegun;
  probe('transaction open');
  const { command } = await session.command('commit');
  // COMMIT of a transaction in which a statement failed is a rollback, said by this word only.
  if (command !== 'COMMIT')
    throw new Error('nothing was committed: a statement of this transaction had failed and its error was swallowed');
  return result;
}

function statement<Schema, R>(sight: Sight, run: (one: Kysely<Schema>) => Promise<R>): Promise<R> {
  let [isAsked, text] = [false, ''];
  const ask: ConnectionProvider['provideConnection'] = (consumer) => {
    if (isAsked) throw new Error('one statement was promised; two that belong together are a transaction');
    isAsked = true;
    return inSession(sight, (session) =>
      consumer({
        streamQuery: () => session.streamQuery(),
        executeQuery: (query: CompiledQuery) => {
          text = query.sql;
          const asked = session.executeQuery<never>(query);
          probe('commit sent');
          return asked;
        },
      }),
    );
  };
  return tried(
    () => {
      [isAsked, text] = [false, ''];
      return run(on({ provideConnection: ask }));
    },
    (error) => isRead.test(text) && isGone(error),
  );
}

const isRead = /^\s*select\b/i;

function isGone(error: unknown): boolean {
  return (
    ['57P01', 'ECONNRESET', 'EPIPE'].includes(codeOf(error)) ||
    (error instanceof Error && /Connection terminated|Client has encountered/.test(error.message))
  );
}

const dialect: Dialect = {
  createAdapter: () => new PostgresAdapter(),
  // Connections are ours (session.ts); kysely writes the statements.
  createDriver: () => new DummyDriver(),
  createIntrospector: (db) => new PostgresIntrospector(db),
  createQueryCompiler: () => new RememberingCompiler(),
};
const writer = new Kysely<object>({ dialect }).getExecutor();
const driver = new DummyDriver();

function on<Schema>(provider: ConnectionProvider): Kysely<Schema> {
  return new Kysely<Schema>({
    config: { dialect },
    dialect,
    driver,
    executor: writer.withConnectionProvider(provider),
  });
}
