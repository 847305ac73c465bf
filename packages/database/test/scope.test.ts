/**
 * A pooled connection serves one merchant after the other. Whatever happened on it before, the next statement sees the
 * rows of the merchants it named: after errors, roll-backs, timeouts, broken connections and looks at everyone's rows.
 */
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';

interface Schema {
  note: { merchant_id: string; text: string };
}

const home: ServiceHome = {
  name: 'shelf',
  schema: 'shelf',
  role: 'tillstream_shelf',
  migrations: new URL('migrations/', import.meta.url),
};
const merchants = Array.from({ length: 20 }, (_, at) => `018f0000-0000-7000-8000-${String(at).padStart(12, '0')}`);

let place: TestDatabase;
let database: Database<Schema>;

beforeAll(async () => {
  place = await testDatabase(home);
  for (const merchant of merchants)
    await place.admin.query('insert into shelf.note (merchant_id, text) values ($1::uuid, $1::text)', [merchant]);
  // Far fewer connections than merchants: each is used by all of them.
  database = openDatabase<Schema>({ url: place.url, schema: 'shelf', applicationName: 'scope', maxConnections: 3 });
});

afterAll(async () => {
  await database.close();
  await place.drop();
});

const look = async (tx: Kysely<Schema>) =>
  (await tx.selectFrom('note').select('text').execute()).map((row) => row.text);

/** What may happen on a connection; the answer is what it saw, undefined when it was meant to fail. */
const happenings: readonly ((merchant: string, other: string) => Promise<readonly string[] | undefined>)[] = [
  (merchant) => database.transaction([merchant], look),
  (merchant) => database.transaction([merchant, merchant], look),
  (merchant) => database.statement([merchant], look),
  (merchant) => failed(database.statement([merchant], (one) => sql`select 1 / 0`.execute(one))),
  (merchant, other) =>
    failed(
      database.statement([merchant], (one) =>
        one.insertInto('note').values({ merchant_id: other, text: 'x' }).execute(),
      ),
    ),
  async (merchant) => {
    expect((await sql`select text from note`.execute(database.unscoped)).rows).toEqual([]);
    expect(await database.untyped('a test', (tx) => sql`select text from note`.execute(tx))).toMatchObject({
      rows: [],
    });
    return [merchant];
  },
  (merchant) => failed(database.transaction([merchant], async (tx) => void (await sql`select 1 / 0`.execute(tx)))),
  (merchant) =>
    failed(
      database.transaction([merchant], async (tx) => {
        await look(tx);
        throw new Error('changed its mind');
      }),
    ),
  // The error was swallowed: the commit is a roll-back.
  (merchant) =>
    failed(
      database.transaction([merchant], async (tx) => void (await sql`select 1 / 0`.execute(tx).catch(() => undefined))),
    ),
  (merchant) =>
    failed(
      database.transaction([merchant], async (tx) => {
        await sql`set local statement_timeout = 1`.execute(tx);
        await sql`select pg_sleep(0.05)`.execute(tx);
      }),
    ),
  // A throw before anything was asked: the scope is set and nothing follows.
  (merchant) => failed(database.transaction([merchant], () => Promise.reject(new Error('at once')))),
  (merchant, other) =>
    failed(
      database.transaction([merchant], (tx) =>
        tx.insertInto('note').values({ merchant_id: other, text: 'x' }).execute(),
      ),
    ),
  async (merchant) => {
    const everyone = await database.everyMerchant('a worker over all merchants', look);
    expect(everyone).toHaveLength(merchants.length);
    return [merchant];
  },
  async (merchant) => {
    const none = await database.pool.query('select text from note');
    expect(none.rows, 'a statement without a scope').toEqual([]);
    return [merchant];
  },
];

async function failed(run: Promise<unknown>): Promise<undefined> {
  await expect(run).rejects.toThrow();
}

describe('a pooled connection', () => {
  it('never carries a scope into the statement of another: 1,000 of 20 merchants, whatever went before', async () => {
    const random = generator(20_251);
    const turns = Array.from({ length: 1_000 }, () => {
      const [at, step, happening] = [random(20), 1 + random(19), random(happenings.length)];
      return { merchant: merchants[at] ?? '', other: merchants[(at + step) % 20] ?? '', happening };
    });
    let looked = 0;
    await inLanes(12, turns, async ({ merchant, other, happening }) => {
      const seen = await happenings[happening]?.(merchant, other);
      if (seen === undefined) return;
      looked += 1;
      expect(seen, `happening ${happening}`).toEqual([merchant]);
    });
    expect(looked).toBeGreaterThan(300);
    const { rows } = await place.admin.query('select count(*)::int as count from shelf.note');
    expect(rows).toEqual([{ count: merchants.length }]);
  });

  it('never does so when the server breaks connections in the middle', async () => {
    let [looked, broken] = [0, 0];
    const breaker = setInterval(() => {
      void place.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'scope' and datname = current_database() order by random() limit 1`,
      );
    }, 15);
    try {
      await inLanes(
        12,
        Array.from({ length: 1_000 }, (_, at) => merchants[at % 20] ?? ''),
        async (merchant) => {
          const seen = await (
            looked % 2 === 0 ? database.transaction([merchant], look) : database.statement([merchant], look)
          ).catch(() => undefined);
          if (seen === undefined) broken += 1;
          else expect(seen).toEqual([merchant]);
          looked += seen === undefined ? 0 : 1;
        },
      );
    } finally {
      clearInterval(breaker);
    }
    expect(looked + broken).toBe(1_000);
    expect(looked).toBeGreaterThan(100);
  });

  it('leaves nobody in scope of what names nobody', async () => {
    const looks = Array.from({ length: 12 }, () => database.pool.query('select count(*)::int as count from note'));
    for (const { rows } of await Promise.all(looks)) expect(rows).toEqual([{ count: 0 }]);
  });
});

async function inLanes<T>(lanes: number, turns: readonly T[], run: (turn: T) => Promise<void>): Promise<void> {
  const queue = turns.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const turn of queue) await run(turn);
    }),
  );
}

/** Numbers below `below`, the same in each run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
