import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate, type ServiceHome } from '@tillstream/database/migrate';

let place: TestDatabase;
let folder: string;
let admin: Client;
const password = 'only-for-tests';

beforeAll(async () => {
  // An empty database of its own: this home has only the base.
  folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  place = await testDatabase(homeOf('empty', {}));
  admin = new Client({ connectionString: place.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await place.drop();
  rmSync(folder, { recursive: true });
});

/** A service whose migrations are these files. */
function homeOf(schema: string, files: Readonly<Record<string, string>>): ServiceHome {
  const path = join(folder, schema, 'migrations');
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return { name: schema, schema, role: `tillstream_test_${schema}`, migrations: pathToFileURL(`${path}/`) };
}

const run = (home: ServiceHome) => migrate({ adminUrl: place.adminUrl, home, password });

describe('migrations', () => {
  it('run in the order of their names, once, and only the new ones next time', async () => {
    const first = { '0001_a.sql': 'create table a (id int)', '0002_b.sql': 'insert into a values (2)' };
    expect(await run(homeOf('growing', first))).toEqual([
      'database/0001_tenant_scope.sql',
      'growing/0001_a.sql',
      'growing/0002_b.sql',
    ]);
    expect(await run(homeOf('growing', first))).toEqual([]);
    expect(await run(homeOf('growing', { ...first, '0003_c.sql': 'insert into a values (3)' }))).toEqual([
      'growing/0003_c.sql',
    ]);
    expect((await admin.query('select id from growing.a order by id')).rows).toEqual([{ id: 2 }, { id: 3 }]);
  });

  it('refuse a file that was changed after it had been applied, and say what to do', async () => {
    await run(homeOf('changed', { '0001_a.sql': 'create table a (id int)' }));
    const again = run(homeOf('changed', { '0001_a.sql': 'create table a (id bigint)' }));
    await expect(again).rejects.toThrow(
      'changed/0001_a.sql was changed after it had been applied. Write a new file instead.',
    );
  });

  it('leave nothing of a file that fails, and name it', async () => {
    const failing = homeOf('failing', { '0001_a.sql': 'create table a (id int); select 1/0' });
    await expect(run(failing)).rejects.toThrow('migration failing/0001_a.sql failed');
    const mended = homeOf('failing', { '0001_a.sql': 'create table a (id int)' });
    expect(await run(mended)).toEqual(['failing/0001_a.sql']);
  });

  it('are applied by one of many replicas that start at once', async () => {
    const home = homeOf('racing', { '0001_a.sql': 'create table a (id int); select pg_sleep(0.1)' });
    const applied = await Promise.all(Array.from({ length: 6 }, () => run(home)));
    expect(applied.flat().toSorted()).toEqual(['database/0001_tenant_scope.sql', 'racing/0001_a.sql']);
  });

  it('of one service do not wait for those of another', async () => {
    await run(homeOf('slow', {}));
    await admin.query(`select pg_advisory_lock(hashtext('tillstream migrate'), hashtext('slow'))`);
    const slow = run(homeOf('slow', { '0001_a.sql': 'create table a (id int)' }));
    expect(await run(homeOf('quick', {}))).toEqual(['database/0001_tenant_scope.sql']);
    expect((await admin.query(`select from pg_tables where schemaname = 'slow' and tablename = 'a'`)).rowCount).toBe(0);
    await admin.query('select pg_advisory_unlock_all()');
    expect(await slow).toEqual(['slow/0001_a.sql']);
  });

  it('take no schema that is not a plain name', async () => {
    await expect(run({ ...homeOf('plain', {}), schema: 'a"; drop schema public' })).rejects.toThrow(
      'not a schema or role',
    );
  });
});
