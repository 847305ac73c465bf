// What it costs to fetch what is due when much is not: the timer table with 5,000 and with 5,000,000 future rows, in one
// run, by EXPLAIN (ANALYZE, BUFFERS) of the statement that the product sends: `npm run bench:timers`. Some five minutes.
import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, type ServiceHome } from '@tillstream/database/migrate';
import { startEmbeddedPostgres } from '@tillstream/embedded/server';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { findDue, findTravellers } from '@tillstream/messaging/timers';
import { freePort } from '@tillstream/testkit/ports';
import pg from 'pg';

const sizes = [5_000, 5_000_000];
const [rounds, dueAtOnce] = [30, 200];
const merchant = '00000000-0000-4000-8000-000000000001';

interface Explained {
  readonly 'Execution Time': number;
  readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

interface Cost {
  readonly ms: number;
  readonly blocks: number;
}

const folder = mkdtempSync(join(tmpdir(), 'tillstream-bench-'));
chmodSync(folder, 0o755);
const migrations = mkdtempSync(join(tmpdir(), 'tillstream-bench-none-'));
const home: ServiceHome = {
  name: 'bench',
  schema: 'bench',
  role: 'tillstream_bench',
  migrations: new URL(`file://${migrations}/`),
  shared: [messagingMigrations],
};
const server = await startEmbeddedPostgres({
  directory: join(folder, 'postgres'),
  port: await freePort(),
  settings: { shared_buffers: '512MB', max_wal_size: '8GB' },
});
try {
  await migrate({ adminUrl: server.url(), home, password: 'bench' });
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  await client.query('set search_path = bench');
  const found: { rows: number; everybody: Cost; traveller: Cost; nothing: Cost }[] = [];
  for (const rows of sizes) {
    await fill(client, rows);
    found.push({
      rows,
      everybody: await median(client, findDue, [['bench']], dueAtOnce),
      traveller: await median(client, findTravellers, [['bench'], [merchant]], dueAtOnce),
      nothing: await median(client, findDue, [['bench']], 0),
    });
  }
  await client.end();
  print(found);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  rmSync(migrations, { recursive: true, force: true });
}

async function fill(client: pg.Client, rows: number): Promise<void> {
  console.log(`${rows.toLocaleString('en')} timers that are not due …`);
  await client.query('truncate timer, merchant_clock');
  await client.query(
    `insert into merchant_clock (merchant_id, sequence, at, is_standing) values ($1, 1, now(), false)`,
    [merchant],
  );
  await client.query(
    `insert into timer (machine, aggregate_id, kind, timer_id, merchant_id, due_at, traceparent)
     select 'bench', n::text, 'charge', gen_random_uuid(),
       case n % 100 when 0 then $2::uuid else md5((n % 1000)::text)::uuid end, now() + interval '1 day' + n * interval '10 seconds', ''
     from generate_series(1, $1) as n order by md5(n::text)`,
    [rows, merchant],
  );
  await client.query('vacuum (analyze) timer');
}

/** Of many rounds, each with its own due rows, in the state in which a running product finds the table. */
async function median(client: pg.Client, text: string, values: readonly unknown[], due: number): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await client.query(
      `insert into timer (machine, aggregate_id, kind, timer_id, merchant_id, due_at, traceparent)
       select 'bench', 'due ' || n, 'charge', gen_random_uuid(), $2::uuid, now() - interval '1 minute', '' from generate_series(1, $1) as n`,
      [due, merchant],
    );
    const { rows } = await client.query<{ 'QUERY PLAN': readonly Explained[] }>(
      `explain (analyze, buffers, format json) ${text}`,
      [...values],
    );
    const [explained] = rows[0]?.['QUERY PLAN'] ?? [];
    if (explained === undefined) throw new Error('no plan');
    const { Plan: plan } = explained;
    costs.push({ ms: explained['Execution Time'], blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] });
    await client.query('delete from timer where due_at < now()');
    await client.query('truncate timer_lease');
    await client.query('vacuum timer');
  }
  const middle = <T>(values: readonly T[]) => values[Math.floor(values.length / 2)];
  return {
    ms: middle(costs.map((cost) => cost.ms).toSorted((a, b) => a - b)) ?? 0,
    blocks: middle(costs.map((cost) => cost.blocks).toSorted((a, b) => a - b)) ?? 0,
  };
}

function print(found: readonly { rows: number; everybody: Cost; traveller: Cost; nothing: Cost }[]): void {
  const show = (cost: Cost) => `${cost.ms.toFixed(2)} ms, ${cost.blocks} blocks`;
  console.log(`\n| future timers | ${dueAtOnce} due, of anybody | ${dueAtOnce} due, of a traveller | nothing due |`);
  console.log('| --- | --- | --- | --- |');
  for (const { rows, everybody, traveller, nothing } of found)
    console.log(`| ${rows.toLocaleString('en')} | ${show(everybody)} | ${show(traveller)} | ${show(nothing)} |`);
  const [few, many] = found;
  if (few === undefined || many === undefined) return;
  const ratio = (of: (each: (typeof found)[number]) => number) => (of(many) / of(few)).toFixed(2);
  console.log(
    `| ratio | time ${ratio((each) => each.everybody.ms)}, blocks ${ratio((each) => each.everybody.blocks)} | ` +
      `time ${ratio((each) => each.traveller.ms)}, blocks ${ratio((each) => each.traveller.blocks)} | ` +
      `time ${ratio((each) => each.nothing.ms)}, blocks ${ratio((each) => each.nothing.blocks)} |`,
  );
}
