import { roleOf, services } from '@tillstream/service/manifest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceHome } from '@tillstream/database/migrate';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examine, isFault } from '../src/examine.ts';
import { readInvariants } from '../src/invariants.ts';
import { detailsOf, lineOf, verdictOf } from '../src/report.ts';
import { plants } from './plants.ts';

const root = new URL('../../../', import.meta.url);
const messaging = new URL('packages/messaging/migrations/', root);
const jobs = new URL('packages/jobs/migrations/', root);

// The homes of the services as they say themselves in their app.ts, which another app may not import.
const homes = [...services, { name: 'gateway', schema: 'gateway' }].map(({ name, schema }): ServiceHome => {
  const moves = name === 'gateway' ? [] : [messaging, ...(name === 'notification' ? [jobs] : [])];
  const migrations = new URL(`apps/${name}/migrations/`, root);
  return { name, schema, role: roleOf(schema), migrations, shared: moves };
});
const carrier: ServiceHome = {
  name: 'carrier',
  schema: 'carrier',
  role: 'tillstream_carrier',
  migrations: new URL('packages/messaging/carrier-migrations/', root),
};
const [first, ...others] = homes;
if (first === undefined) throw new Error('no homes');

let database: TestDatabase;

beforeEach(async () => {
  database = await testDatabase(first, ...others, carrier);
  await database.admin.query('begin');
  await database.admin.query(`set local tillstream.every_merchant = 'on'`);
  await database.admin.query(readFileSync(join(import.meta.dirname, 'well.sql'), 'utf8'));
  await database.admin.query('commit');
});
afterEach(() => database.drop());

test('finds nothing in an installation that is well, and says so in one line', async () => {
  const findings = await examine({ url: database.adminUrl });
  expect(findings.filter((each) => each.failure !== undefined || each.rows.length > 0)).toEqual([]);
  expect(verdictOf(findings)).toBe(`doctor: well, ${findings.length} invariants hold`);
});

test('every invariant has something planted that breaks it', () => {
  expect(Object.keys(plants).toSorted()).toEqual(readInvariants().map((each) => each.name));
});

test.for(Object.entries(plants))('finds %s', async ([name, plant]) => {
  await database.admin.query(plant);
  const [found] = await examine({ url: database.adminUrl, only: [name] });
  expect(found?.failure).toBeUndefined();
  expect(found?.rows.length).toBeGreaterThan(0);
  if (found === undefined) return;
  expect(isFault(found)).toBe(!found.invariant.isNotice);
  // Ids, counts and times only.
  const shown = [lineOf(found), ...detailsOf(found, 5)].join('\n');
  expect(shown).toContain(found.invariant.sentence);
  expect(shown).not.toContain('example.com');
});

test('what is on its way is not ill: the same rows, younger than the grace', async () => {
  await database.admin.query(plants['messages-outbox-sent'] ?? '');
  await database.admin.query(plants['timers-in-time'] ?? '');
  const findings = await examine({ url: database.adminUrl, graceSeconds: 7_200 });
  expect(findings.filter(isFault)).toEqual([]);
});

test('only reads, and also as a role that may do nothing else', async () => {
  await database.admin.query(`
    do $$ begin create role tillstream_reader login password 'reader'; exception when duplicate_object or unique_violation then null; end $$;
    grant pg_read_all_data to tillstream_reader`);
  const url = new URL(database.adminUrl);
  [url.username, url.password] = ['tillstream_reader', 'reader'];
  const findings = await examine({ url: url.href });
  expect(verdictOf(findings)).toContain('well');
  await database.admin.query(plants['fulfilment-code-once'] ?? '');
  const [ill] = await examine({ url: url.href, only: ['fulfilment-code-once'] });
  expect(ill?.rows).toHaveLength(1);
});
