/**
 * The connections of a service, in three pools by what they may see. A connection never crosses over: what looks over all
 * merchants, what looks at a few and what looks at none cannot leave anything behind for each other.
 */
import { Pool, TypeOverrides, type PoolConfig } from 'pg';

export interface DatabaseOptions {
  readonly url: string;
  readonly schema: string;
  readonly applicationName: string;
  /** Of each pool. Default 6: units of work wait for each other rather than for the server. */
  readonly maxConnections?: number;
  /** What each pool is made of; absent = pg's own. For a storage that is simulated. */
  readonly makePool?: (config: PoolConfig) => Pool;
}

export interface Pools {
  /** Its sessions see the merchants that they last set, and nobody before that. */
  readonly some: Pool;
  /** Its sessions are opened with sight of every merchant. */
  readonly every: Pool;
  /** Its sessions never see a merchant, and do not wait for the disk (docs/decisions/what-may-be-lost.md). */
  readonly none: Pool;
}

const [int8, int8Array] = [20, 1016];

export function openPools(options: DatabaseOptions): Pools {
  return {
    some: open(options),
    every: open(options, '-c tillstream.every_merchant=on'),
    none: open(options, '-c synchronous_commit=off'),
  };
}

function open(options: DatabaseOptions, ...more: readonly string[]): Pool {
  const makePool = options.makePool ?? ((config) => new Pool(config));
  const pool = makePool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections ?? 6,
    types: numbersAsBigint(),
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
      // For the same reason no plan depends on the values: it is made once in a session, not with each execution.
      '-c plan_cache_mode=force_generic_plan',
      // What is asked for is in memory: a page costs what a row costs, and few lookups less than a short table read whole.
      '-c random_page_cost=0.1',
      '-c seq_page_cost=0.1',
      '-c cpu_tuple_cost=0.1',
      '-c cpu_index_tuple_cost=0.1',
      '-c lock_timeout=10s',
      '-c idle_in_transaction_session_timeout=60s',
      ...more,
    ].join(' '),
  });
  // Without these a restart of the server ends the process: pg emits 'error' on idle and on checked-out clients.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

function numbersAsBigint(): TypeOverrides {
  const types = new TypeOverrides();
  types.setTypeParser(int8, (text) => BigInt(text));
  types.setTypeParser(int8Array, (text) =>
    text
      .slice(1, -1)
      .split(',')
      .filter((each) => each !== '')
      .map(BigInt),
  );
  return types;
}
