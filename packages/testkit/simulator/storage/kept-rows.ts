/** What every history begins with: the rows of all tables as they were kept, put back by one call of a function. */
import type { Client } from 'pg';

// Deleted rows are cleared away so often: histories become slower otherwise.
const vacuumEvery = 25;

export class KeptRows {
  readonly #admin: Pick<Client, 'query'>;
  readonly #schemas: readonly string[];
  #tables: readonly string[] = [];
  #restores = 0;

  constructor(admin: Pick<Client, 'query'>, schemas: readonly string[]) {
    this.#admin = admin;
    this.#schemas = schemas;
  }

  async keep(): Promise<void> {
    const admin = this.#admin;
    const { rows: tables } = await admin.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = any ($1)`,
      [this.#schemas],
    );
    this.#tables = tables.map((row) => row.name);
    const inserts: string[] = [];
    for (const name of this.#tables) {
      const copy = `simulated."${name.replaceAll(/\W/g, '_')}"`;
      await admin.query(`drop table if exists ${copy}; create unlogged table ${copy} as table ${name}`);
      const { rows } = await admin.query(`select from ${copy} limit 1`);
      if (rows.length > 0) inserts.push(`insert into ${name} overriding system value select * from ${copy}`);
    }
    const { rows: sequences } = await admin.query<{ name: string; value: string; is_called: boolean }>(
      `select format('%I.%I', schemaname, sequencename) as name, coalesce(last_value, start_value) as value,
              last_value is not null as is_called
       from pg_sequences where schemaname = any ($1)`,
      [this.#schemas],
    );
    // Deleted, not truncated: a truncated table is another file, and each plan that reads it would be made anew.
    const statements = [
      ...this.#tables.map((name) => `delete from ${name}`),
      ...inserts,
      ...sequences.map(({ name, value, is_called }) => `perform setval('${name}', ${value}, ${is_called})`),
    ];
    await admin.query(
      `create or replace function simulated.restore() returns void language plpgsql set session_replication_role = replica
       as $$ begin ${statements.join('; ')}; end $$`,
    );
  }

  async restore(): Promise<void> {
    await this.#admin.query('select simulated.restore()');
    this.#restores += 1;
    if (this.#restores % vacuumEvery === 0) await this.#admin.query(`vacuum (truncate off) ${this.#tables.join(', ')}`);
  }
}
