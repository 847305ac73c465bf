/**
 * A connection while somebody uses it. Kysely's own driver would wait for each answer before it sends the next statement;
 * this one sends what is asked at once, and what is asked in the same moment in one write.
 */
import { createHash } from 'node:crypto';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type { PoolClient, QueryResult as Result } from 'pg';
import { probe } from '@tillstream/telemetry/probe';

// Whose rows a session may see; unknown = it must be said again. Weak: a session that broke is forgotten with its client.
const scopes = new WeakMap<PoolClient, string>();
const corked = new WeakSet<PoolClient>();
const names = new Map<string, string>();
const mostNames = 2_000;

export class Session implements DatabaseConnection {
  readonly #client: PoolClient;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /**
   * Makes the session see the rows of these merchants, and waits for it: a statement that overtakes a failed `set` would
   * run in the sight of whoever was here before. Costs nothing when it sees just these already.
   */
  async see(scope: string): Promise<void> {
    if (scopes.get(this.#client) === scope) return;
    scopes.delete(this.#client);
    await this.command(`set tillstream.merchants = '${scope}'`);
    scopes.set(this.#client, scope);
  }

  /** After an error nobody relies on what was remembered. */
  forget(): void {
    scopes.delete(this.#client);
  }

  async executeQuery<R>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = [...parameters];
    const name = values.length === 0 ? undefined : nameOf(text);
    this.#gather();
    const { command, rowCount, rows } = await (values.length === 0
      ? this.#client.query(text)
      : this.#client.query(name === undefined ? { text, values } : { name, text, values }));
    const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE';
    return changes ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
  }

  // oxlint-disable-next-line require-yield -- nothing is streamed: every list is paged
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('nothing is streamed: every list is paged');
  }

  /** BEGIN, COMMIT and their kind. */
  command(text: string): Promise<Result> {
    this.#gather();
    const asked = this.#client.query(text);
    if (text === 'commit') probe('commit sent');
    return asked;
  }

  /** What is asked until the current work pauses goes out in one write. */
  #gather(): void {
    const client = this.#client;
    // A storage that is not a server has no stream.
    if (corked.has(client) || !('connection' in client)) return;
    corked.add(client);
    const { stream } = client.connection;
    stream.cork();
    process.nextTick(() => {
      corked.delete(client);
      stream.uncork();
    });
  }
}

/**
 * A statement with parameters that comes again has a name made of its text, so that the server parses and plans it once per
 * connection. Lists of values should be arrays (unnest, = any): each length of an `in (…)` is a text of its own.
 */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  // A program has some hundred statements. What comes after so many is made at run time, and is better off unnamed.
  if (names.size < mostNames) names.set(text, createHash('sha1').update(text).digest('base64url'));
  return undefined;
}
