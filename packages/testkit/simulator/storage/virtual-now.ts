/**
 * Virtual time in a real Postgres: functions that are found before the server's own. A session says what time it is before it
 * is asked anything at a new time; a transaction keeps the time at which it began.
 */
import type { Client } from 'pg';

const functions = `
  create schema simulated;
  create function simulated.now() returns timestamptz language sql stable as
    'select coalesce(nullif(current_setting(''simulated.began'', true), ''''), current_setting(''simulated.at''))::timestamptz';
  create function simulated.clock_timestamp() returns timestamptz language sql stable as
    'select current_setting(''simulated.at'')::timestamptz';
  grant usage on schema simulated to public`;

const defaults = `
  select format('alter table %I.%I alter column %I set default simulated.%s()', n.nspname, c.relname, a.attname,
                split_part(pg_get_expr(d.adbin, d.adrelid), '(', 1)) as change
  from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
  where pg_get_expr(d.adbin, d.adrelid) in ('now()', 'clock_timestamp()')`;

// A function of a service may ask for the time; a trigger or a view may do so behind any statement.
const askers = `
  select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any ($1)
  union all
  select '' where exists (select from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
                          where not t.tgisinternal and n.nspname = any ($1))
               or exists (select from pg_views where schemaname = any ($1))`;

/** Once, in a database that has the tables of the services. Answers which statements may ask what time it is. */
export async function makeTimeVirtual(
  admin: Pick<Client, 'query'>,
  schemas: readonly string[],
): Promise<(text: string) => boolean> {
  const { rows: names } = await admin.query<{ name: string }>(askers, [schemas]);
  await admin.query(functions);
  const { rows } = await admin.query<{ change: string }>(defaults);
  for (const { change } of rows) await admin.query(change);
  // Inserts do by their defaults. An empty name is found in every text.
  const words = new RegExp(['now', 'clock_timestamp', 'insert', ...names.map((row) => row.name)].join('|'), 'i');
  const known = new Map<string, boolean>();
  return (text) => {
    let asks = known.get(text);
    if (asks === undefined) {
      asks = words.test(text);
      if (known.size < mostTexts) known.set(text, asks);
    }
    return asks;
  };
}

// Some texts come once only: they name ids.
const mostTexts = 5_000;

/** For the options of a connection. */
export function findVirtualFirst(options: string | undefined): string | undefined {
  return options?.replace(/search_path=(\S+)/, 'search_path=$1,simulated,pg_catalog');
}

export function sayTime(atMs: number): string {
  return `set simulated.at = '${new Date(atMs).toISOString()}'`;
}

export function sayBegan(atMs: number): string {
  return `set local simulated.began = '${new Date(atMs).toISOString()}'`;
}
