/**
 * How a service reaches its schema. Every statement runs inside a transaction that says whose rows it may see; row-level
 * security refuses the rest. READ COMMITTED, row locks and unique keys, never SERIALIZABLE (its errors reach buyers).
 */
import { createHash } from 'node:crypto';
import { CompiledQuery, Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import { Pool, TypeOverrides, type PoolClient, type PoolConfig } from 'pg';
import { probe } from '@tillstream/telemetry/probe';

/** A database whose own tables do not matter: what messaging and supervision need of it. */
export interface AnyDatabase {
  readonly schema: string;
  /** For messaging only: LISTEN, advisory locks, and single statements on its own tables, which know no merchants. */
  readonly pool: Pool;
  /** As everyMerchant, for statements in plain SQL. */
  untyped<R>(reason: string, run: (tx: Kysely<object>) => Promise<R>): Promise<R>;
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
   * The exception to tenant scope: a look-up by an unguessable capability, or a worker over all tenants. The reason is
   * for readers and for the check of the rooms.
   */
  everyMerchant<R>(reason: string, run: (tx: Kysely<Schema>) => Promise<R>): Promise<R>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly schema: string;
  readonly applicationName: string;
  /** Default 10. */
  readonly maxConnections?: number;
  /** What the connections are made of; absent = pg's own pool. For a storage that is simulated. */
  readonly makePool?: (config: PoolConfig) => Pool;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const [int8, int8Array] = [20, 1016];
// Deadlock detected, serialization failure: the only errors that are worth the same try again.
const repeatable = new Set(['40P01', '40001']);
const maxTries = 3;

export function openDatabase<Schema>(options: DatabaseOptions): Database<Schema> {
  const pool = openPool(options);
  const dialect = new PostgresDialect({ pool: withNamedStatements(pool) });
  const kysely = new Kysely<Schema>({ dialect });
  const bare = new Kysely<object>({ dialect });
  const everyone = `begin; set local tillstream.every_merchant = 'on'`;

  return {
    schema: options.schema,
    pool,
    transaction(merchants, run) {
      for (const merchant of merchants) if (!uuid.test(merchant)) throw new Error(`not a merchant id: ${merchant}`);
      return scoped(kysely, `begin; set local tillstream.merchants = '{${[...new Set(merchants)].join(',')}}'`, run);
    },
    everyMerchant(_reason, run) {
      return scoped(kysely, everyone, run);
    },
    untyped(_reason, run) {
      return scoped(bare, everyone, run);
    },
    async check() {
      await pool.query('select 1');
    },
    async close() {
      await kysely.destroy();
    },
  };
}

async function scoped<Schema, R>(
  kysely: Kysely<Schema>,
  begin: string,
  run: (tx: Kysely<Schema>) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await kysely.connection().execute((connection) => inTransaction(connection, begin, run));
    } catch (error) {
      if (error instanceof NotBegun) {
        // Nothing was done yet. The server closed the connection while it lay in the pool; the next one is fresh.
        if (attempt < maxTries) continue;
        throw error.cause;
      }
      if (attempt >= maxTries || !repeatable.has(codeOf(error))) throw error;
    }
  }
}

class NotBegun extends Error {
  override readonly name = 'NotBegun';
}

/** The code of a Postgres error, such as 23505, or ''. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

async function inTransaction<Schema, R>(
  connection: Kysely<Schema>,
  begin: string,
  run: (tx: Kysely<Schema>) => Promise<R>,
): Promise<R> {
  // Not awaited: it travels together with the first statement, one round trip for both. When the connection is gone both
  // fail, and nothing was done.
  const begun = connection.executeQuery(CompiledQuery.raw(begin)).then(
    () => undefined,
    (error: unknown) => new NotBegun('the connection was gone', { cause: error }),
  );
  let result: R;
  try {
    result = await run(connection);
  } catch (error) {
    // A broken connection cannot roll back; the server does it by itself.
    await connection.executeQuery(CompiledQuery.raw('rollback')).catch(() => undefined);
    throw (await begun) ?? error;
  }
  const notBegun = await begun;
  if (notBegun !== undefined) throw notBegun;
  probe('transaction open');
  await connection.executeQuery(CompiledQuery.raw('commit'));
  return result;
}

function openPool(options: DatabaseOptions): Pool {
  const types = new TypeOverrides();
  types.setTypeParser(int8, (text) => BigInt(text));
  types.setTypeParser(int8Array, (text) =>
    text
      .slice(1, -1)
      .split(',')
      .filter((each) => each !== '')
      .map(BigInt),
  );
  const makePool = options.makePool ?? ((config: PoolConfig) => new Pool(config));
  const pool = makePool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections ?? 10,
    types,
    // Statements that are not waited for one by one go out together.
    pipeline: true,
    // A restarted server closes idle connections; a short idle time keeps few of them.
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    options: [
      `-c search_path=${options.schema}`,
      // Nothing here takes longer: the largest statement adds 10,000 codes in under a second.
      '-c statement_timeout=30s',
      // Every statement of a service looks up few rows by a key. A table that has just grown from nothing has no statistics
      // yet, and a plan that was made when it was empty stays: both would read it whole, each time, until the next analyze.
      '-c enable_seqscan=off',
      // What is asked for is in memory or on a disk without arms.
      '-c random_page_cost=1.1',
      '-c lock_timeout=10s',
      '-c idle_in_transaction_session_timeout=60s',
    ].join(' '),
  });
  // Without these a restart of the server ends the process: pg emits 'error' on idle and on checked-out clients.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * Gives a statement with parameters a name made of its text when it comes again, so that the server parses and plans it
 * once per connection. Lists of values should be arrays (unnest, = any): each length of an `in (…)` is a text of its own.
 */
function withNamedStatements(pool: Pool): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined) return known;
    // A program has some hundred statements. What comes after so many is made at run time, and is better off unnamed.
    if (names.size < 1_000) names.set(text, createHash('sha1').update(text).digest('base64url'));
    return undefined;
  };
  const run = async (client: PoolClient, text: string, values: readonly unknown[] = []) => {
    if (values.length > 0) {
      const name = nameOf(text);
      return client.query(name === undefined ? { text, values: [...values] } : { name, text, values: [...values] });
    }
    const asked = client.query(text);
    if (text === 'commit') probe('commit sent');
    const result = await asked;
    // COMMIT of a transaction in which a statement failed is a rollback, said by this word only.
    if (text === 'commit' && result.command !== 'COMMIT') {
      throw new Error('nothing was committed: a statement of this transaction had failed and its error was swallowed');
    }
    return result;
  };
  return {
    async connect() {
      const client = await pool.connect();
      const query: PostgresPoolClient['query'] = ((first: unknown, values?: readonly unknown[]) =>
        typeof first === 'string' ? run(client, first, values) : client.query(first as never)) as never;
      return { query, release: () => client.release() };
    },
    end: () => pool.end(),
    options: pool.options,
  };
}
