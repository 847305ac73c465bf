/** What the database counts: statements, transactions, WAL. Read as its owner, whose own statements are left out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tillstream/embedded/server';
import { Client } from 'pg';

export interface Counts {
  /** Without transaction control; undefined where pg_stat_statements is not loaded. */
  readonly statements: number | undefined;
  /** begin, commit, rollback and their kind. */
  readonly control: number;
  /** The part of the statements that says whose rows may be seen. */
  readonly scope: number;
  readonly transactions: number;
  readonly walBytes: number;
  readonly walSyncs: number;
  /** Whole pages in the WAL: of every page that is touched for the first time after a checkpoint. */
  readonly wholePages: number;
  /** Pages looked at, and those of them that were not in memory; 0 where pg_stat_statements is not loaded. */
  readonly pages: number;
  readonly pagesRead: number;
  readonly byStatement: ReadonlyMap<string, number>;
}

export class CountedDatabase {
  readonly #client: Client;
  readonly #hasStatements: boolean;

  private constructor(client: Client, hasStatements: boolean) {
    this.#client = client;
    this.#hasStatements = hasStatements;
  }

  static async open(at: { data: string; portBase: number }): Promise<CountedDatabase> {
    const client = await connect(at);
    const loaded = await client.query("select 1 from pg_settings where name = 'pg_stat_statements.track'");
    if (loaded.rowCount === 1) await client.query('create extension if not exists pg_stat_statements');
    return new CountedDatabase(client, loaded.rowCount === 1);
  }

  /** Backends report what they counted a second after their last transaction, or ten when they fell idle just then. */
  async counts(afterMs = 1_500): Promise<Counts> {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const statements = this.#hasStatements
      ? await this.#client.query<{ query: string; calls: string; pages: string; read: string }>(
          "select query, sum(calls) as calls, sum(shared_blks_hit + shared_blks_read) as pages, sum(shared_blks_read) as read from pg_stat_statements where userid <> 'postgres'::regrole group by query",
        )
      : undefined;
    const { rows } = await this.#client.query<{ transactions: string; bytes: string; pages: string; syncs: string }>(`
      select (select xact_commit + xact_rollback from pg_stat_database where datname = 'postgres') as transactions,
             (select wal_bytes from pg_stat_wal) as bytes,
             (select wal_fpi from pg_stat_wal) as pages,
             (select sum(fsyncs) from pg_stat_io where object = 'wal') as syncs`);
    const byStatement = new Map((statements?.rows ?? []).map((row) => [row.query, Number(row.calls)]));
    const total = (of: (row: { pages: string; read: string }) => string) =>
      (statements?.rows ?? []).reduce((to, row) => to + Number(of(row)), 0);
    const isControl = (query: string) => /^\s*(begin|start transaction|commit|rollback|savepoint|release)/i.test(query);
    const sum = (wanted: boolean) =>
      [...byStatement].filter(([query]) => isControl(query) === wanted).reduce((total, [, calls]) => total + calls, 0);
    return {
      statements: statements === undefined ? undefined : sum(false),
      control: sum(true),
      scope: [...byStatement].reduce((total, [query, calls]) => total + (/^\s*set local /i.test(query) ? calls : 0), 0),
      transactions: Number(rows[0]?.transactions),
      walBytes: Number(rows[0]?.bytes),
      walSyncs: Number(rows[0]?.syncs),
      wholePages: Number(rows[0]?.pages),
      pages: total((row) => row.pages),
      pagesRead: total((row) => row.read),
      byStatement,
    };
  }

  /** The same ground for every window. */
  async tidy(): Promise<void> {
    await this.#client.query('analyze');
    await this.#client.query('checkpoint');
  }

  /** When each order's licence was written, in ms since 1970, by order id. */
  async licences(since: number): Promise<ReadonlyMap<number, readonly number[]>> {
    const { rows } = await this.#client.query<{ order_id: string; at: Date }>(
      'select order_id, issued_at as at from fulfillment.licence where issued_at >= $1',
      [new Date(since)],
    );
    const found = new Map<number, number[]>();
    for (const row of rows)
      found.set(Number(row.order_id), [...(found.get(Number(row.order_id)) ?? []), row.at.getTime()]);
    return found;
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

/** From the next start on the server of this running product counts its statements. */
export async function countStatementsFromNextStart(at: { data: string; portBase: number }): Promise<void> {
  const client = await connect(at);
  await client.query("alter system set shared_preload_libraries = 'pg_stat_statements'");
  await client.end();
}

/** The same for a form that was not started yet. */
export async function prepareServer(at: { data: string; portBase: number }): Promise<void> {
  const server = await startEmbeddedPostgres({ directory: join(at.data, 'postgres'), port: at.portBase + 6 });
  await countStatementsFromNextStart(at).finally(() => server.stop());
}

export async function connect(at: { data: string; portBase: number }): Promise<Client> {
  const password = readFileSync(join(at.data, 'postgres.password'), 'utf8').trim();
  // The database's place among the product's ports.
  const client = new Client({
    host: '127.0.0.1',
    port: at.portBase + 6,
    user: 'postgres',
    database: 'postgres',
    password,
  });
  await client.connect();
  return client;
}
