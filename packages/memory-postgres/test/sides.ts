/** The same two connections on Postgres and in memory: what is asked, what is answered, who waits. */
import type { ServiceHome } from '@tillstream/database/migrate';
import { Pool, type PoolClient, type QueryResult } from 'pg';
import type { TestDatabase } from '@tillstream/testkit/database';
import type { MemoryServer } from '../src/server.ts';
import { fixed } from './story.ts';

export interface Outcome {
  readonly code?: string;
  readonly constraint?: string;
  readonly command?: string;
  readonly count?: number | null;
  readonly rows?: readonly string[];
  readonly message?: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[47]/;

/** What no two servers have alike: the moment, and ids that they draw. */
function masked(value: unknown): unknown {
  if (value instanceof Date)
    return value.getUTCHours() + value.getUTCSeconds() + value.getUTCMilliseconds() === 0
      ? value.toISOString()
      : 'a moment';
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (typeof value === 'string' && uuid.test(value) && !fixed.has(value)) return 'a new id';
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a span';
  if (Array.isArray(value)) return value.map(masked);
  return value;
}

export const rowsOf = (rows: readonly Record<string, unknown>[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row).map(([name, value]) => [name, masked(value)]),
        (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each),
      ),
    )
    .toSorted();

function outcomeOf(result: QueryResult | QueryResult[]): Outcome {
  if (Array.isArray(result)) return { command: result.map((each) => each.command).join() };
  return { command: result.command, count: result.rowCount, rows: rowsOf(result.rows) };
}

function refusal(error: unknown): Outcome {
  const { code, constraint, message } = error as { code?: string; constraint?: string; message: string };
  // Without a code it is no answer of a server: the engine does not know something, or the connection broke.
  if (code === undefined) throw error;
  return { code, ...(constraint === undefined ? {} : { constraint }), message };
}

export class Side {
  readonly #pool: Pool;
  readonly #clients: readonly PoolClient[];
  /** Whether the connection waits for a lock. */
  readonly isWaiting: (connection: number) => Promise<boolean>;

  private constructor(pool: Pool, clients: readonly PoolClient[], isWaiting: (connection: number) => Promise<boolean>) {
    [this.#pool, this.#clients, this.isWaiting] = [pool, clients, isWaiting];
  }

  static async onPostgres(database: TestDatabase, home: ServiceHome): Promise<Side> {
    await database.admin.query(`grant set on parameter deadlock_timeout to "${home.role}"`);
    // Whoever closes a circle finds out before the others look again, as in memory.
    const options = `-c search_path=${home.schema} -c deadlock_timeout=20ms`;
    const pool = new Pool({ connectionString: database.url, max: 2, options });
    pool.on('error', () => undefined);
    const clients = [await pool.connect(), await pool.connect()];
    for (const client of clients) client.on('error', () => undefined);
    const pids: number[] = [];
    for (const client of clients) pids.push((await client.query('select pg_backend_pid() as pid')).rows[0].pid);
    const waiting = async (connection: number) => {
      const { rows } = await database.admin.query('select cardinality(pg_blocking_pids($1)) as n', [pids[connection]]);
      return rows[0].n > 0;
    };
    return new Side(pool, clients, waiting);
  }

  static async inMemory(server: MemoryServer, home: ServiceHome): Promise<Side> {
    const pool = server.pool({ connectionString: server.url(home), options: `-c search_path=${home.schema}` });
    // Nothing in memory takes longer than until the microtasks are through.
    return new Side(pool, [await pool.connect(), await pool.connect()], async () => true);
  }

  ask(connection: number, text: string, values: readonly unknown[]): Promise<Outcome> {
    const client = this.#clients[connection] as PoolClient;
    // A list of values makes it another protocol, which knows one statement at a time.
    return client.query(text, values.length === 0 ? undefined : [...values]).then(outcomeOf, refusal);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.release();
    await this.#pool.end();
  }
}
