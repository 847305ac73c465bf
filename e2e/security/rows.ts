/** The database of a running product, seen as the roles of its services see it: all rows, and nothing is changed. */
import { services } from '@tillstream/service/manifest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Product } from '../product.ts';

export const schemas: readonly string[] = [...services.map(({ schema }) => schema), 'gateway'];

// The embedded server's port among those of the product.
const postgresOffset = 6;

export class Rows {
  readonly #clients = new Map<string, Client>();

  static async open(product: Product): Promise<Rows> {
    const { rolePassword }: { rolePassword: string } = JSON.parse(
      readFileSync(join(product.data, 'secrets.json'), 'utf8'),
    );
    const rows = new Rows();
    for (const schema of [...schemas, 'carrier'])
      rows.#clients.set(schema, await connect(product.portBase + postgresOffset, schema, rolePassword));
    return rows;
  }

  async ask<Row extends object>(
    schema: string,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    const client = this.#clients.get(schema);
    if (client === undefined) throw new Error(`no schema ${schema}`);
    const { rows } = await client.query(text, [...values]);
    return rows as readonly Row[];
  }

  /** One hash for each table of what it holds of a merchant: the same twice means that nothing of it was changed. */
  async printOf(merchantId: string): Promise<ReadonlyMap<string, string>> {
    const prints = new Map<string, string>();
    for (const schema of schemas) {
      for (const { name, seen } of await this.tablesOf(schema)) {
        const without = seen.map((column) => ` - '${column}'`).join('');
        const [found] = await this.ask<{ print: string }>(
          schema,
          `select count(*) || ' ' || coalesce(md5(string_agg(line, ',' order by line)), '') as print
             from (select (to_jsonb(t)${without})::text as line from "${name}" t where merchant_id = $1) lines`,
          [merchantId],
        );
        prints.set(`${schema}.${name}`, found?.print ?? '');
      }
    }
    return prints;
  }

  /** Tables that name a merchant, with the columns that a mere look changes. */
  async tablesOf(schema: string): Promise<readonly { name: string; seen: readonly string[] }[]> {
    return this.ask(
      schema,
      `select c.relname as name, coalesce(array_agg(a.attname::text) filter (where a.attname = 'last_used_at'), '{}') as seen
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = $1::regnamespace and c.relkind = 'r'
        group by c.relname having bool_or(a.attname = 'merchant_id') order by 1`,
      [`"${schema}"`],
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.end()));
  }
}

async function connect(port: number, schema: string, password: string): Promise<Client> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: `tillstream_${schema}`,
    database: 'postgres',
    password,
    options: `-c search_path=${schema} -c tillstream.every_merchant=on -c default_transaction_read_only=on`,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
