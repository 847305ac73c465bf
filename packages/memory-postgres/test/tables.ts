/** Rows for every table of a schema, without a meaning: as many as a planner is to believe in. */
import type { TestDatabase } from '@tillstream/testkit/database';

interface Column {
  readonly name: string;
  readonly type: string;
}

const values: Readonly<Record<string, string>> = {
  uuid: 'gen_random_uuid()',
  text: 'n::text',
  bytea: String.raw`'\x00'::bytea`,
  jsonb: `'{}'::jsonb`,
  bool: 'false',
  timestamptz: 'now()',
  int2: 'n::int2',
  int4: 'n::int4',
  int8: 'n::int8',
  float8: 'n::float8',
};

/**
 * `count` rows in each table, of three merchants, each value once; nothing in them is what a condition asks for, so that
 * what is indexed in part is empty, as it is at rest. Then the statistics are taken. The constraints of the schema are gone afterwards.
 */
export async function fillTables(admin: TestDatabase['admin'], schema: string, count: number): Promise<void> {
  const { rows: constraints } = await admin.query<{ of: string; name: string }>(
    `select conrelid::regclass::text as of, quote_ident(conname) as name from pg_constraint
     where connamespace = $1::regnamespace and contype in ('c', 'f')`,
    [`"${schema}"`],
  );
  for (const { of, name } of constraints) await admin.query(`alter table ${of} drop constraint ${name}`);
  const { rows: tables } = await admin.query<{ name: string; columns: readonly Column[] }>(
    `select c.oid::regclass::text as name, json_agg(json_build_object('name', quote_ident(a.attname), 'type', t.typname)) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       join pg_type t on t.oid = a.atttypid
     where c.relnamespace = $1::regnamespace and c.relkind = 'r' and c.relname <> 'migration' group by c.oid`,
    [`"${schema}"`],
  );
  for (const { name, columns } of tables)
    await admin.query(
      `insert into ${name} (${columns.map((column) => column.name).join(', ')}) overriding system value
       select ${columns.map((column) => valueOf(name, column)).join(', ')} from generate_series(1, ${count}) n on conflict do nothing`,
    );
  await admin.query('vacuum (analyze)');
}

/** One row each. */
const isOfMerchants = (table: string): boolean => /\b(merchant|test_clock|merchant_clock)$/.test(table);

function valueOf(table: string, { name, type }: Column): string {
  if (name === 'merchant_id' && !isOfMerchants(table)) return `('00000000-0000-4000-8000-00000000000' || n % 3)::uuid`;
  const value = type.startsWith('_') ? `'{}'::${type}` : values[type];
  if (value === undefined) throw new Error(`there is no value for the type ${type} of ${name}`);
  return value;
}
