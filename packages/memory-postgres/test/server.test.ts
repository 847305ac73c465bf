import { openDatabase } from '@tillstream/database/database';
import type { PoolClient } from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Moment } from '../src/server-state.ts';
import { MemoryServer } from '../src/server.ts';
import { homeOf } from './homes.ts';

const home = homeOf('gateway');
const filled = new MemoryServer();
const [one, two] = [1, 2].map((each) => `00000000-0000-7000-8000-00000000000${each}`) as [string, string];
const insert = `insert into answer (merchant_id, idempotency_key, request_print, request_id, locked_until) values ($1, $2, '\\x00', $1, now())`;

beforeAll(async () => {
  await filled.migrate(home);
  await (await admin(filled)).query(insert.replace('answer', 'gateway.answer'), [one, 'a']);
});

async function admin(server: MemoryServer, application = 'admin'): Promise<PoolClient> {
  return server.pool({ application_name: application, options: '-c search_path=gateway' }).connect();
}

const keys = async (client: PoolClient) =>
  (await client.query<{ key: string }>('select idempotency_key as key from answer order by 1')).rows.map(
    ({ key }) => key,
  );

/** Resolves to what a promise is after all that can happen has happened. */
async function state(asked: Promise<unknown>): Promise<string> {
  let found = 'open';
  asked.then(
    () => (found = 'answered'),
    (error: { code?: string; message: string }) => (found = error.code ?? error.message),
  );
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return found;
}

describe('a copy', () => {
  test('has the rows, and neither hears of the other’s', async () => {
    const copy = filled.fork();
    const [here, there, later] = [await admin(filled), await admin(copy), await admin(copy.fork())];
    await there.query(insert, [one, 'b']);
    await later.query(insert, [one, 'c']);
    expect([await keys(here), await keys(there), await keys(later)]).toEqual([['a'], ['a', 'b'], ['a', 'c']]);
    await there.query('alter table answer add column more text');
    expect((await there.query('select more from answer')).rowCount).toBe(2);
    await expect(here.query('select more from answer')).rejects.toMatchObject({ code: '42703' });
  });

  test('is not made of what is not decided', async () => {
    const server = filled.fork();
    const client = await admin(server);
    await client.query('begin');
    expect(() => server.fork()).toThrow('open transactions');
  });
});

describe('a connection that breaks', () => {
  test.each(['reject', 'silence'] as const)('%s: its transaction is undone, its locks are free', async (pending) => {
    const server = filled.fork();
    const [victim, waiting] = [await admin(server, 'victim'), await admin(server)];
    await victim.query('begin');
    await victim.query('update answer set fence = 7');
    const blocked = waiting.query('update answer set fence = fence + 1 returning fence');
    expect(await state(blocked)).toBe('open');
    const last = victim.query('commit');
    expect(server.drop('victim', pending)).toBe(1);
    expect(await state(last)).toBe(pending === 'reject' ? 'Connection terminated unexpectedly' : 'open');
    expect((await blocked).rows).toEqual([{ fence: 2 }]);
  });
});

describe('transactions', () => {
  test('whoever closes a circle is told so, and the other goes on', async () => {
    const server = filled.fork();
    const [a, b] = [await admin(server), await admin(server)];
    await a.query(insert, [one, 'b']);
    const change = (key: string) => `update answer set fence = fence + 1 where idempotency_key = '${key}'`;
    for (const client of [a, b]) await client.query('begin');
    await a.query(change('a'));
    await b.query(change('b'));
    const first = a.query(change('b'));
    expect(await state(first)).toBe('open');
    await expect(b.query(change('a'))).rejects.toMatchObject({ code: '40P01' });
    expect((await first).rowCount).toBe(1);
    await expect(b.query('select 1')).rejects.toMatchObject({ code: '25P02' });
    expect((await b.query('commit')).command).toBe('ROLLBACK');
    expect((await a.query('commit')).command).toBe('COMMIT');
  });

  test('a wait ends after lock_timeout, by the timers that were given', async () => {
    let ring: (() => void) | undefined;
    const later = (milliseconds: number, run: () => void) => {
      expect(milliseconds).toBe(2_000);
      ring = run;
      return () => undefined;
    };
    const server = filled.fork({ timers: { later } });
    const [a, b] = [await admin(server), await admin(server)];
    await a.query('begin; select * from answer for update');
    await b.query(`set lock_timeout = '2s'`);
    const asked = b.query('delete from answer');
    expect(await state(asked)).toBe('open');
    ring?.();
    await expect(asked).rejects.toMatchObject({ code: '55P03' });
  });

  test('a statement that waited sees nothing that came after it began, but the newest of what it waited for', async () => {
    const server = filled.fork();
    const [a, b] = [await admin(server), await admin(server)];
    await a.query('begin');
    await a.query('update answer set fence = 5');
    const asked = b.query('update answer set fence = fence + (select count(*)::int from answer) returning fence');
    expect(await state(asked)).toBe('open');
    await a.query(insert, [one, 'b']);
    await a.query('commit');
    // One row changed, and one row counted: the new one is younger than the statement.
    expect((await asked).rows).toEqual([{ fence: 6 }]);
  });

  test('merchants are kept apart', async () => {
    const server = filled.fork();
    const database = openDatabase<{ answer: { merchant_id: string } }>({
      url: server.url(home),
      schema: home.schema,
      applicationName: 'gateway',
      makePool: server.pool,
    });
    const seen = (merchant: string) =>
      database.statement([merchant], (db) => db.selectFrom('answer').select('merchant_id').execute());
    expect([await seen(one), await seen(two)]).toEqual([[{ merchant_id: one }], []]);
    await database.close();
  });
});

test('news are heard after the commit', async () => {
  const server = filled.fork();
  const [speaker, hearer] = [await admin(server), await admin(server)];
  const heard: string[] = [];
  hearer.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await hearer.query('listen news');
  await speaker.query('begin');
  await speaker.query('select pg_notify($1, $2)', ['news', 'hello']);
  await state(Promise.resolve());
  expect(heard).toEqual([]);
  await speaker.query('commit');
  await state(Promise.resolve());
  expect(heard).toEqual(['hello']);
});

test('a scheduler decides whose statement goes first', async () => {
  const waiting = new Map<string, () => void>();
  const turn = (moment: Moment) =>
    moment.stage === 'run' && moment.text !== 'begin'
      ? new Promise<void>((resolve) => waiting.set(moment.text, resolve))
      : undefined;
  const client = await admin(filled.fork({ turn }));
  const other = await admin(filled.fork({ turn }));
  const [a, b] = [client.query('select 1 as n'), other.query('select 2 as n')];
  expect([await state(a), await state(b)]).toEqual(['open', 'open']);
  waiting.get('select 2 as n')?.();
  expect([await state(a), await state(b)]).toEqual(['open', 'answered']);
  waiting.get('select 1 as n')?.();
  expect((await a).rows).toEqual([{ n: 1 }]);
});
