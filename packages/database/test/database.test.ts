import { randomUUID } from 'node:crypto';
import { eventually } from '@tillstream/testkit/eventually';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { sql, type Generated, type Kysely } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, openDatabase, type Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';

interface Schema {
  note: {
    id: Generated<bigint>;
    merchant_id: string;
    text: string;
    amount_minor: Generated<bigint>;
    numbers: Generated<bigint[]>;
    at: Generated<Date>;
  };
  no_secret: { id: number };
}

const migrations = new URL('migrations/', import.meta.url);
const home: ServiceHome = { name: 'shelf', schema: 'shelf', role: 'tillstream_shelf', migrations };
const neighbour: ServiceHome = { name: 'desk', schema: 'desk', role: 'tillstream_desk', migrations };
const [ada, bob] = [randomUUID(), randomUUID()];

let place: TestDatabase;
let database: Database<Schema>;

beforeAll(async () => {
  place = await testDatabase(home, neighbour);
  database = place.open<Schema>();
});
afterAll(() => place.drop());

const write = (merchant: string, text: string) =>
  database.transaction([merchant], (tx) =>
    tx.insertInto('note').values({ merchant_id: merchant, text }).returning('id').executeTakeFirstOrThrow(),
  );
const texts = (tx: Kysely<Schema>) => tx.selectFrom('note').select('text').orderBy('id').execute();

const terminate = () =>
  database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'terminated'`);

describe('tenant scope', () => {
  it('hides the rows of other merchants from a query that forgets the filter', async () => {
    await write(ada, 'of ada');
    await write(bob, 'of bob');
    expect(await database.transaction([ada], texts)).toEqual([{ text: 'of ada' }]);
    expect(await database.transaction([ada, bob], texts)).toEqual([{ text: 'of ada' }, { text: 'of bob' }]);
    expect(await database.transaction([], texts)).toEqual([]);
    expect(await database.everyMerchant('a test looks at all', texts)).toHaveLength(2);
  });

  it('refuses to write for another merchant, and to change or delete what is not in scope', async () => {
    await expect(
      database.transaction([ada], (tx) =>
        tx.insertInto('note').values({ merchant_id: bob, text: 'smuggled' }).execute(),
      ),
    ).rejects.toThrow('row-level security');
    const changed = await database.transaction([ada], (tx) =>
      tx.updateTable('note').set({ text: 'x' }).where('merchant_id', '=', bob).executeTakeFirst(),
    );
    const deleted = await database.transaction([ada], (tx) =>
      tx.deleteFrom('note').where('merchant_id', '=', bob).executeTakeFirst(),
    );
    expect([changed.numUpdatedRows, deleted.numDeletedRows]).toEqual([0n, 0n]);
  });

  it('ends with the transaction, on the connection it used', async () => {
    await database.transaction([ada], texts);
    await database.everyMerchant('the same connections next', texts);
    const looks = Array.from({ length: 20 }, () => database.pool.query('select text from note'));
    for (const { rows } of await Promise.all(looks)) expect(rows).toEqual([]);
  });

  it('takes nothing but merchant ids', async () => {
    for (const id of ['', `${ada}'`, `${ada},${bob}`, '*', "}'; drop table note; --"]) {
      expect(() => database.transaction([id], texts), id).toThrow('not a merchant id');
    }
  });

  it('is complete in the schema, and a table without it is found', async () => {
    await expectTenantIsolation(database);
    const admin = new Client({ connectionString: place.adminUrl });
    await admin.connect();
    await admin.query('create table shelf.forgotten (merchant_id uuid)');
    await expect(expectTenantIsolation(database)).rejects.toThrow('without row-level security in shelf: forgotten');
    await admin.query('drop table shelf.forgotten');
    await admin.end();
  });

  it("refuses a service in another service's schema, and in the list of migrations", async () => {
    for (const look of [
      'select * from desk.note',
      'select * from desk.no_secret',
      'insert into desk.no_secret values (1)',
      'select * from migration',
      'create table own (id int)',
      'create table public.own (id int)',
    ]) {
      await expect(database.pool.query(look), look).rejects.toThrow(/permission denied/);
    }
  });
});

describe('a transaction', () => {
  it('gives numbers as bigint and instants as Date, for this pool only', async () => {
    const { id } = await write(ada, 'typed');
    const row = await database.transaction([ada], (tx) =>
      tx
        .updateTable('note')
        .set({ numbers: [1n, 9_007_199_254_740_993n], amount_minor: 9_007_199_254_740_993n })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(),
    );
    expect(row).toMatchObject({
      id,
      amount_minor: 9_007_199_254_740_993n,
      numbers: [1n, 9_007_199_254_740_993n],
      at: expect.any(Date),
    });
    const client = new Client({ connectionString: place.adminUrl });
    await client.connect();
    expect((await client.query('select 1::bigint as n')).rows).toEqual([{ n: '1' }]);
    await client.end();
  });

  it('leaves nothing when it throws, and goes on with the next', async () => {
    await expect(
      database.transaction([ada], async (tx) => {
        await tx.insertInto('note').values({ merchant_id: ada, text: 'not kept' }).execute();
        throw new Error('changed its mind');
      }),
    ).rejects.toThrow('changed its mind');
    expect(await database.transaction([ada], texts)).not.toContainEqual({ text: 'not kept' });
  });

  it('says so when a swallowed error made its commit a rollback', async () => {
    const swallowing = database.transaction([ada], async (tx) => {
      await tx.insertInto('note').values({ merchant_id: ada, text: 'believed kept' }).execute();
      await sql`select 1 / 0`.execute(tx).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('nothing was committed');
  });

  it('is tried again after a deadlock, and both are done', async () => {
    const [one, two] = [(await write(ada, 'one')).id, (await write(ada, 'two')).id];
    let [tries, locked] = [0, 0];
    const add = (first: bigint, second: bigint) =>
      database.transaction([ada], async (tx) => {
        tries += 1;
        for (const id of [first, second]) {
          await tx
            .updateTable('note')
            .set({ amount_minor: sql`amount_minor + 1` })
            .where('id', '=', id)
            .execute();
          locked += 1;
          // The first time round both hold one row before they ask for the other's.
          if (id === first) await eventually(() => locked >= 2);
        }
      });
    await Promise.all([add(one, two), add(two, one)]);
    expect(tries).toBe(3);
    const rows = await database.transaction([ada], (tx) =>
      tx
        .selectFrom('note')
        .select('amount_minor')
        .where('id', '=', sql<bigint>`any(${[one, two]})`)
        .execute(),
    );
    expect(rows).toEqual([{ amount_minor: 2n }, { amount_minor: 2n }]);
  });

  it('is not tried again for other errors', async () => {
    let tries = 0;
    const failing = database.transaction([ada], async (tx) => {
      tries += 1;
      await tx
        .insertInto('no_secret')
        .values([{ id: 1 }, { id: 1 }])
        .execute();
    });
    expect(codeOf(await failing.catch((error: unknown) => error))).toBe('23505');
    expect(tries).toBe(1);
  });

  it('has limits on how long it may take and wait', async () => {
    const { rows } = await database.pool.query(
      `select name, setting from pg_settings where name like '%_timeout' and setting <> '0' order by name`,
    );
    expect(
      Object.fromEntries(rows.map((row: { name: string; setting: string }) => [row.name, row.setting])),
    ).toMatchObject({
      idle_in_transaction_session_timeout: '60000',
      lock_timeout: '10000',
      statement_timeout: '30000',
    });
  });

  it('names its statements when they come again', async () => {
    const single = openDatabase<Schema>({
      url: place.url,
      schema: 'shelf',
      applicationName: 'named',
      maxConnections: 1,
    });
    const look = () =>
      single.transaction([ada], (tx) => tx.selectFrom('note').select('id').where('text', '=', 'x').execute());
    for (let turn = 0; turn < 3; turn += 1) await look();
    const { rows } = await single.transaction([ada], (tx) =>
      sql`select statement from pg_prepared_statements`.execute(tx),
    );
    expect(rows).toEqual([{ statement: 'select "id" from "note" where "text" = $1' }]);
    await single.close();
  });
});

describe('a server that ends its connections', () => {
  it('does not end the process; what was under way fails, what comes next works', async () => {
    const busy = openDatabase<Schema>({
      url: place.url,
      schema: 'shelf',
      applicationName: 'terminated',
      maxConnections: 3,
    });
    await busy.check();
    await terminate();
    await eventually(() => busy.check().then(() => true));
    const underWay = busy.transaction([ada], async (tx) => {
      await texts(tx);
      await terminate();
      await texts(tx);
    });
    await expect(underWay).rejects.toThrow();
    expect(await eventually(() => busy.transaction([ada], texts))).toContainEqual({ text: 'of ada' });
    await busy.close();
  });
});
