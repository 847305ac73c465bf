import { startFaultProxy, type FaultProxy } from '@tillstream/testkit/fault-proxy';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

const server = new URL(process.env['TEST_DATABASE_URL'] ?? '');
const table = `proxied_${process.pid}`;
let proxy: FaultProxy;
let direct: Client;

beforeEach(async () => {
  proxy = await startFaultProxy({ to: { host: server.hostname, port: Number(server.port) }, seed: 1 });
  direct = new Client({ connectionString: server.href });
  await direct.connect();
  await direct.query(`create table if not exists ${table} (n integer)`);
});
afterEach(async () => {
  await proxy.stop();
  await direct.query(`drop table if exists ${table}`);
  await direct.end();
});

async function through(): Promise<Client> {
  const url = new URL(server);
  url.port = String(proxy.port);
  const client = new Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const count = async () => (await direct.query<{ n: string }>(`select count(*) as n from ${table}`)).rows[0]?.n;

test('what is not disturbed goes through unchanged, large answers too', async () => {
  const client = await through();
  const { rows } = await client.query<{ text: string }>(
    `select repeat('x', 1000000) as text from generate_series(1, 3)`,
  );
  expect(rows.map((row) => row.text.length)).toEqual([1_000_000, 1_000_000, 1_000_000]);
  await client.end();
});

test('a lost COMMIT is committed, and its client only sees a broken connection', async () => {
  const client = await through();
  proxy.loseCommits(1);
  await client.query(`begin; insert into ${table} values (1)`);
  await expect(client.query('commit')).rejects.toThrow(/terminated|ECONNRESET/i);
  expect(await count()).toBe('1');
  expect(proxy.counts()).toMatchObject({ commits: 1, lostCommits: 1 });
  // A statement by itself has no COMMIT to lose.
  const next = await through();
  await next.query(`insert into ${table} values (2)`);
  proxy.loseCommits(0);
  await next.query(`begin; insert into ${table} values (3)`);
  await next.query('commit');
  expect(await count()).toBe('3');
  await next.end();
});

test('which COMMITs are lost is the same for the same seed', async () => {
  proxy.loseCommits(0.5);
  const lost: boolean[] = [];
  for (let n = 0; n < 8; n += 1) {
    const client = await through();
    await client.query('begin');
    lost.push(
      await client.query('commit').then(
        () => false,
        () => true,
      ),
    );
    await client.end().catch(() => undefined);
  }
  expect(lost).toEqual([false, true, false, false, false, true, false, false]);
});

test('a direction that is silent says nothing until it flows again, and loses nothing', async () => {
  const client = await through();
  proxy.blackhole('to client');
  const asked = client.query<{ one: number }>('select 1 as one');
  const soon = new Promise((resolve) => setTimeout(resolve, 100, 'silence'));
  expect(await Promise.race([asked, soon])).toBe('silence');
  proxy.blackhole(undefined);
  expect((await asked).rows).toEqual([{ one: 1 }]);
  await client.end();
});

test('latency keeps the order, and a reset breaks every connection', async () => {
  const client = await through();
  proxy.delay({ from: 1, to: 5 });
  for (let n = 0; n < 5; n += 1) expect((await client.query<{ n: number }>(`select ${n} as n`)).rows[0]?.n).toBe(n);
  proxy.delay(undefined);
  proxy.reset();
  await expect(client.query('select 1')).rejects.toThrow();
});
