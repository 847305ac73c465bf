/**
 * Row-level security against a query that forgot its filter. The tables come from the catalogue of the migrated schemas:
 * a new one is covered by existing, and one that keeps no merchants apart has to be named here with its reason.
 */
import { openDatabase, type Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homes } from '../src/product.ts';

const [ada, bob] = ['018f0000-0000-7000-8000-0000000000aa', '018f0000-0000-7000-8000-0000000000bb'];

/** Without row-level security, and why. They name a merchant or carry what was said of one. */
const open: Readonly<Record<string, string>> = {
  migration: 'the list of applied files; the role may not read it',
  outbox: 'messages on their way, of all merchants at once, without personal data',
  inbox: 'ids of messages',
  parked_message: 'messages that wait for a person, as in the outbox',
  timer: 'due times of all merchants at once',
  timer_lease: 'ids of timers',
  fired_timer: 'what fired while a clock was led, ids only',
  job_destination: 'destinations that do not answer, which many merchants may share',
  merchant_clock: 'the time of each merchant, read by every statement that asks for it',
  'carrier.group_member': 'the embedded carrier knows topics, not merchants',
  'carrier.group_offset': 'as above',
  'carrier.log': 'as above',
  'carrier.partition_head': 'as above',
  'carrier.topic': 'as above',
  'merchant.account': 'an account has two merchants, one per mode, and is found before it is known which asks',
  'payment.callback': 'what providers said, kept before it is known whose it is',
  'webhook.dispatcher': 'one row per running dispatcher',
  'webhook.shard_lease': 'which dispatcher has which shard',
};

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly isOfMerchant: boolean;
  readonly isForced: boolean;
  readonly isGuarded: boolean;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isMade: boolean;
  readonly isNeeded: boolean;
}

let place: TestDatabase;
let tables: readonly Table[];
const databases = new Map<string, Database<object>>();
const keyOf = ({ schema, name }: Table) => `${schema}.${name}`;
const at = ({ schema, name }: Table) => sql.raw(`"${schema}"."${name}"`);

beforeAll(async () => {
  const [first, ...more] = homes as readonly [ServiceHome, ...ServiceHome[]];
  place = await testDatabase(first, ...more);
  for (const home of homes) {
    const { schema } = home;
    databases.set(schema, openDatabase({ url: place.urlOf(home), schema, applicationName: 'isolation' }));
  }
  const { rows } = await place.admin.query(
    `select n.nspname as schema, c.relname as name, c.relrowsecurity and c.relforcerowsecurity as "isForced",
            exists (select from pg_attribute where attrelid = c.oid and attname = 'merchant_id') as "isOfMerchant",
            (select count(*) = 1 and bool_and(polpermissive and polcmd = '*' and polqual is not null)
               from pg_policy where polrelid = c.oid) as "isGuarded"
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname = any ($1) order by 1, 2`,
    [homes.map(({ schema }) => schema)],
  );
  tables = rows as readonly Table[];
});

afterAll(async () => {
  await Promise.all([...databases.values()].map((database) => database.close()));
  await place.drop();
});

describe('every table of every schema', () => {
  test('is under a policy that holds for its owner too, or is named here with a reason', () => {
    expect(tables.length).toBeGreaterThan(60);
    const unguarded = tables.filter(
      (table) =>
        !(table.isForced && table.isGuarded) && open[keyOf(table)] === undefined && open[table.name] === undefined,
    );
    expect(unguarded.map(keyOf), 'add select secure(…) to the migration, or a reason here').toEqual([]);
    const names = new Set(tables.flatMap((table) => [keyOf(table), table.name]));
    expect(Object.keys(open).filter((name) => !names.has(name))).toEqual([]);
    expect(tables.filter((table) => table.isForced && !table.isOfMerchant).map(keyOf)).toEqual([]);
  });

  test('belongs to nobody who serves customers, and no function lends its owner’s rights', async () => {
    const { rows: roles } = await place.admin.query(
      `select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as "isMighty",
              exists (select from pg_class where relowner = r.oid) or exists (select from pg_proc where proowner = r.oid) as "isOwner",
              exists (select from pg_auth_members where member = r.oid) as "isMember"
         from pg_roles r where rolname = any ($1) order by 1`,
      [homes.map(({ role }) => role)],
    );
    expect(roles).toHaveLength(homes.length);
    for (const role of roles) expect(role).toMatchObject({ isMighty: false, isOwner: false, isMember: false });
    const { rows: lent } = await place.admin.query(
      `select proname from pg_proc p join pg_namespace n on n.oid = pronamespace where prosecdef and n.nspname = any ($1)`,
      [homes.map(({ schema }) => schema)],
    );
    expect(lent).toEqual([]);
  });

  test('is closed to the roles of the other services', async () => {
    const { rows } = await place.admin.query(
      `select r.rolname, n.nspname, c.relname from pg_roles r, pg_class c join pg_namespace n on n.oid = c.relnamespace
        where r.rolname = any ($1) and n.nspname = any ($2) and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and has_table_privilege(r.oid, c.oid, 'select,insert,update,delete,truncate')
          and has_schema_privilege(r.oid, n.oid, 'usage')`,
      [homes.map(({ role }) => role), homes.map(({ schema }) => schema)],
    );
    const own = new Map(homes.map(({ role, schema }) => [role, schema]));
    expect(rows.filter((row: { rolname: string; nspname: string }) => own.get(row.rolname) !== row.nspname)).toEqual(
      [],
    );
    expect(rows.length).toBeGreaterThan(60);
  });
});

describe('a query without a filter', () => {
  beforeAll(async () => {
    for (const table of tables.filter((each) => each.isForced)) await fill(table);
  });

  const inScope = <R>(table: Table, merchants: readonly string[], run: (tx: Kysely<object>) => Promise<R>) => {
    const database = databases.get(table.schema);
    if (database === undefined) throw new Error(`no database of ${table.schema}`);
    return database.transaction(merchants, run);
  };
  const owners = async (table: Table, merchants: readonly string[]) =>
    inScope(table, merchants, async (tx) => {
      const { rows } = await sql<{ of: string }>`select merchant_id::text as of from ${at(table)}`.execute(tx);
      return rows.map((row) => row.of).toSorted();
    });

  test('finds the rows of the merchants in scope, none without one', async () => {
    let checked = 0;
    for (const table of tables.filter((each) => each.isForced)) {
      expect(await owners(table, [ada]), keyOf(table)).toEqual([ada]);
      expect(await owners(table, [ada, bob]), keyOf(table)).toEqual([ada, bob]);
      expect(await owners(table, []), keyOf(table)).toEqual([]);
      const bare = await databases.get(table.schema)?.pool.query(`select from "${table.schema}"."${table.name}"`);
      expect(bare?.rowCount, `${keyOf(table)} on a session without a scope`).toBe(0);
      checked += 1;
    }
    expect(checked).toBeGreaterThan(20);
  });

  test('changes and deletes nothing of another, and writes nothing in another’s name', async () => {
    for (const table of tables.filter((each) => each.isForced)) {
      const name = keyOf(table);
      const done = await inScope(table, [ada], async (tx) => {
        const set = await sql`update ${at(table)} set merchant_id = merchant_id where merchant_id = ${bob}`.execute(tx);
        const gone = await sql`delete from ${at(table)} where merchant_id = ${bob}`.execute(tx);
        return [set.numAffectedRows, gone.numAffectedRows];
      });
      expect(done, name).toEqual([0n, 0n]);
      const given = inScope(table, [ada], (tx) => sql`update ${at(table)} set merchant_id = ${bob}`.execute(tx));
      await expect(given, `${name}: a row is given away`).rejects.toThrow('row-level security');
      const rest = (await columnsOf(table)).filter((column) => !column.isMade && column.name !== 'merchant_id');
      const names = sql.raw(rest.map((column) => `, "${column.name}"`).join(''));
      const copied = inScope(table, [ada], (tx) =>
        sql`insert into ${at(table)} (merchant_id ${names}) select ${bob}::uuid ${names} from ${at(table)}`.execute(tx),
      );
      await expect(copied, `${name}: a row is written for another`).rejects.toThrow('row-level security');
      expect(await owners(table, [ada, bob]), name).toEqual([ada, bob]);
    }
  });
});

/** One row of each merchant, as the owner writes it: constraints are dropped, they are not what is looked at here. */
async function fill(table: Table): Promise<void> {
  const { rows: constraints } = await place.admin.query(
    `select conname from pg_constraint where conrelid = $1::regclass and contype in ('c', 'f')`,
    [`"${table.schema}"."${table.name}"`],
  );
  const full = `"${table.schema}"."${table.name}"`;
  for (const { conname } of constraints)
    await place.admin.query(`alter table ${full} drop constraint "${conname}" cascade`);
  const given = (await columnsOf(table)).filter((column) => column.isNeeded && column.name !== 'merchant_id');
  for (const [position, merchant] of [ada, bob].entries()) {
    const values = given.map(({ name, type }) => literal(keyOf(table), name, type, position));
    const names = ['merchant_id', ...given.map(({ name }) => `"${name}"`)].join(', ');
    await place.admin.query(`insert into ${full} (${names}) values (${[`'${merchant}'`, ...values].join(', ')})`);
  }
}

async function columnsOf({ schema, name }: Table): Promise<readonly Column[]> {
  const { rows } = await place.admin.query(
    `select attname as name, format_type(atttypid, atttypmod) as type, attidentity <> '' or attgenerated <> '' as "isMade",
            attnotnull and not atthasdef and attidentity = '' as "isNeeded"
       from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [`"${schema}"."${name}"`],
  );
  return rows as readonly Column[];
}

function literal(table: string, column: string, type: string, position: number): string {
  if (type.endsWith('[]')) return `'{}'`;
  if (/^(bigint|integer|smallint|numeric|double|real)/.test(type)) return String(41 + position);
  if (/^(text|character)/.test(type)) return `'made up ${position}'`;
  if (type === 'uuid') return `'018f0000-0000-7000-8000-00000000000${position}'`;
  if (type === 'bytea') return `'\\x0${position}'`;
  if (type === 'boolean') return 'false';
  if (/^(timestamp|date)/.test(type)) return `'2026-01-0${position + 1}'`;
  if (/^jsonb?/.test(type)) return `'{}'`;
  throw new Error(`${table}.${column} is of the type ${type}, for which this test makes no value: teach literal() one`);
}
