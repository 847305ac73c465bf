/** Asks each invariant in a transaction that may only read, one after the other: an installation under load hardly notices. */
import { Client } from 'pg';
import { readInvariants, type Invariant } from './invariants.ts';

export interface Finding {
  readonly invariant: Invariant;
  /** The first that offend, as the SQL named their columns. Ids, counts and times, nothing of a customer. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** There are more than were read. */
  readonly hasMore: boolean;
  /** Why it could not be asked. */
  readonly failure: string | undefined;
  readonly tookMs: number;
}

export interface Examination {
  /** A superuser's, or one of a role that may read every schema (grant pg_read_all_data). */
  readonly url: string;
  /** What is younger may be on its way. Default 120. */
  readonly graceSeconds?: number;
  /** Begins of names; default all. */
  readonly only?: readonly string[];
  /** Rows kept of each; default 20. */
  readonly mostRows?: number;
  readonly onFinding?: (finding: Finding) => void;
}

// A table of ten million rows is read in this time; nothing here holds a lock that anybody waits for.
const statementTimeout = '300s';

/** Throws when the database cannot be reached. */
export async function examine(options: Examination): Promise<readonly Finding[]> {
  const { only = [''], mostRows = 20, graceSeconds = 120 } = options;
  const client = new Client({
    connectionString: options.url,
    application_name: 'tillstream doctor',
    connectionTimeoutMillis: 10_000,
    options: [
      '-c default_transaction_read_only=on',
      `-c statement_timeout=${statementTimeout}`,
      '-c jit=off',
      '-c tillstream.every_merchant=on',
      `-c doctor.grace=${graceSeconds}s`,
    ].join(' '),
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const findings: Finding[] = [];
    for (const invariant of readInvariants()) {
      if (!only.some((begin) => invariant.name.startsWith(begin))) continue;
      const finding = await ask(client, invariant, mostRows);
      options.onFinding?.(finding);
      findings.push(finding);
    }
    return findings;
  } finally {
    await client.end();
  }
}

/** Whether somebody has to act. */
export function isFault({ invariant, rows, failure }: Finding): boolean {
  return failure !== undefined || (rows.length > 0 && !invariant.isNotice);
}

async function ask(client: Client, invariant: Invariant, mostRows: number): Promise<Finding> {
  const startedAt = performance.now();
  const rows: Record<string, unknown>[] = [];
  let failure: string | undefined;
  try {
    const schemas = invariant.table === undefined ? [''] : await schemasWith(client, invariant.table);
    for (const schema of schemas) {
      const found = await askIn(client, schema === '' ? 'order' : schema, invariant.sql, mostRows + 1);
      rows.push(...found.map((row) => (schema === '' ? row : { schema, ...row })));
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  return {
    invariant,
    rows: rows.slice(0, mostRows),
    hasMore: rows.length > mostRows,
    failure,
    tookMs: performance.now() - startedAt,
  };
}

/** One statement, one snapshot of all schemas. The merchants' clocks are those of the schema that is asked. */
async function askIn(client: Client, schema: string, sql: string, limit: number): Promise<Record<string, unknown>[]> {
  await client.query('begin isolation level repeatable read read only');
  try {
    await client.query(`set local search_path = ${client.escapeIdentifier(schema)}`);
    const { rows } = await client.query<Record<string, unknown>>(
      `select * from (\n${sql}\n) as offending limit ${limit}`,
    );
    return rows;
  } finally {
    await client.query('rollback');
  }
}

async function schemasWith(client: Client, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ nspname: string }>(
    `select nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where relname = $1 and relkind = 'r' and nspname not like 'pg\\_%' order by nspname`,
    [table],
  );
  return rows.map((row) => row.nspname);
}
