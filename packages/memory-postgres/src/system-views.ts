/** The little of pg_catalog that is asked for. Tables are known by `schema.table` where Postgres has a number. */
import type { ServerState } from './server-state.ts';
import type { Column, Tuple } from './values.ts';

const columns = (text: string): Column[] =>
  text.split(' ').map((each) => {
    const [name = '', type = 'text'] = each.split(':');
    return { name, type };
  });

export const systemViews: Record<string, readonly Column[] | undefined> = {
  pg_database: columns('oid datname'),
  pg_locks: columns('locktype database pid:int4'),
  pg_roles: columns('oid rolname rolsuper:bool rolbypassrls:bool'),
  pg_class: columns('oid relname relnamespace relkind relowner relrowsecurity:bool relforcerowsecurity:bool'),
  pg_attribute: columns('attrelid attname attisdropped:bool'),
  pg_policy: columns('polrelid polcmd polpermissive:bool'),
  pg_tables: columns('schemaname tablename'),
  pg_stat_activity: columns('pid:int4 datname usename application_name state'),
};

export function systemRows(state: ServerState, name: string): Tuple[] {
  const tables = [...state.catalog.tables];
  switch (name) {
    case 'pg_database':
      return [...state.databaseNames(), 'memory'].map((each) => [each, each]);
    case 'pg_roles':
      return ['postgres', ...state.catalog.roles].map((role, at) => [role, role, at === 0, at === 0]);
    case 'pg_class':
      return tables.map(([oid, table]) => [
        oid,
        table.name,
        table.schema,
        'r',
        'postgres',
        table.rowSecurity,
        table.forcesRowSecurity,
      ]);
    case 'pg_attribute':
      return tables.flatMap(([oid, table]) => table.columns.map((column) => [oid, column.name, false]));
    case 'pg_policy':
      return tables.flatMap(([oid, table]) => table.policies.map(() => [oid, '*', true]));
    case 'pg_tables':
      return tables.map(([, table]) => [table.schema, table.name]);
    case 'pg_locks': {
      const holders = state.activity().filter((each) => each.isLocking);
      return holders.map((each) => ['advisory', 'memory', each.pid]);
    }
    default:
      return state
        .activity()
        .map((each) => [each.pid, 'memory', each.user, each.application, each.isBusy ? 'active' : 'idle']);
  }
}
