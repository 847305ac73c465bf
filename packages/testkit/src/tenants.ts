/** Proves that a service's schema keeps its merchants apart: every table that names a merchant is under row-level security. */
import type { Database } from '@tillstream/database/database';

// Messaging works for all merchants at once and keeps no personal data in its tables.
const exempt = ['timer', 'merchant_clock', 'fired_timer'];

/** Throws with the names of the tables that are open, and when the role could look past the policies. */
export async function expectTenantIsolation(database: Pick<Database<object>, 'pool' | 'schema'>): Promise<void> {
  const { rows } = await database.pool.query<{ open: string[] | null; guarded: number; mighty: boolean }>(
    `select array_agg(c.relname::text) filter (where not (c.relrowsecurity and c.relforcerowsecurity and exists (
              select from pg_policy p where p.polrelid = c.oid and p.polcmd = '*' and p.polpermissive))) as open,
            count(*)::int as guarded,
            (select rolsuper or rolbypassrls or exists (select from pg_class o where o.relowner = r.oid)
               from pg_roles r where rolname = current_user) as mighty
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'merchant_id' and not a.attisdropped
      where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and c.relname <> all ($2)`,
    [`"${database.schema}"`, exempt],
  );
  const [found] = rows;
  if (found === undefined || found.guarded === 0)
    throw new Error(`no table of ${database.schema} has a merchant_id: is it migrated?`);
  if (found.mighty) throw new Error(`the role of ${database.schema} owns tables or may bypass row-level security`);
  if (found.open !== null)
    throw new Error(
      `without row-level security in ${database.schema}: ${found.open.join(', ')}. Add select secure('…') to the migration.`,
    );
}
