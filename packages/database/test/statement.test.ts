/** What goes to the server for a unit of work: a round trip less is the cheapest thing that a purchase can save. */
import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '@tillstream/database/database';
import { together } from '@tillstream/database/together';

interface Schema {
  note: { merchant_id: string; text: string };
}

const [ada, bob] = [randomUUID(), randomUUID()];
const texts: string[] = [];
let place: TestDatabase;
let database: Database<Schema>;

beforeAll(async () => {
  const migrations = new URL('migrations/', import.meta.url);
  place = await testDatabase({ name: 'shelf', schema: 'shelf', role: 'tillstream_shelf', migrations });
  database = place.open<Schema>((text) => texts.push(text));
});
afterAll(() => place.drop());

const look = (on: Kysely<Schema>) => on.selectFrom('note').select('text').execute();
const write = (merchant: string) => (on: Kysely<Schema>) =>
  on.insertInto('note').values({ merchant_id: merchant, text: 'x' }).execute();
const sent = async (run: Promise<unknown>): Promise<readonly string[]> => {
  texts.length = 0;
  await run;
  return texts.map((text) => text.split(' ')[0] ?? '');
};

describe('what is sent', () => {
  it('is the statement alone, and whose rows it may see only when that changes', async () => {
    expect(await sent(database.statement([ada], look))).toEqual(['set', 'select']);
    expect(await sent(database.statement([ada], look))).toEqual(['select']);
    expect(await sent(database.statement([ada, ada], write(ada)))).toEqual(['insert']);
    expect(await sent(database.statement([bob, ada], look))).toEqual(['set', 'select']);
    expect(await sent(database.transaction([ada, bob], look))).toEqual(['begin', 'select', 'commit']);
    expect(await sent(database.everyMerchantStatement('a test', look))).toEqual(['select']);
    expect(await sent(database.everyMerchant('a test', look))).toEqual(['begin', 'select', 'commit']);
    expect(await sent(sql`select 1`.execute(database.unscoped))).toEqual(['select']);
  });

  it('says it again after an error', async () => {
    await sent(database.statement([ada], look));
    await expect(database.statement([ada], (one) => sql`select 1 / 0`.execute(one))).rejects.toThrow('division');
    expect(await sent(database.statement([ada], look))).toEqual(['set', 'select']);
  });

  it('goes out before the first answer is there', async () => {
    const order: string[] = [];
    await database.transaction([ada], async (tx) => {
      await Promise.all(
        ['one', 'two', 'three'].map(async (name) => {
          order.push(`ask ${name}`);
          await sql`select ${name}::text`.execute(tx);
          order.push(`hear ${name}`);
        }),
      );
    });
    expect(order).toEqual(['ask one', 'ask two', 'ask three', 'hear one', 'hear two', 'hear three']);
  });
});

describe('a transaction', () => {
  it('refuses what comes after its end', async () => {
    let late: Promise<unknown> | undefined;
    await database.transaction([ada], async (tx) => {
      late = look(tx).then(() => write(ada)(tx));
      late.catch(() => undefined);
      return Promise.resolve();
    });
    await expect(late).rejects.toThrow('the transaction is over');
    const failing = database.transaction([ada], (tx) =>
      together([look(tx).then(() => write(ada)(tx)), sql`select 1 / 0`.execute(tx)]),
    );
    await expect(failing).rejects.toThrow('division by zero');
    const { rows } = await place.admin.query("select from shelf.note where merchant_id = $1 and text = 'x'", [ada]);
    expect(rows).toHaveLength(1);
  });
});

describe('a statement by itself', () => {
  it('is committed at once', async () => {
    await database.statement([bob], write(bob));
    const { rows } = await place.admin.query('select from shelf.note where merchant_id = $1', [bob]);
    expect(rows).toHaveLength(1);
  });

  it('is one: a second is refused, and nothing of it happens', async () => {
    const two = database.statement([ada], async (one) => {
      await look(one);
      await write(ada)(one);
    });
    await expect(two).rejects.toThrow('one statement was promised');
    await expect(database.statement([ada], (one) => Promise.all([look(one), write(ada)(one)]))).rejects.toThrow(
      'one statement was promised',
    );
  });

  it('may be none', async () => {
    expect(await sent(database.statement([ada], () => Promise.resolve([])))).toEqual([]);
  });

  it('is asked again on a fresh connection when it only reads, and is left alone when it may have written', async () => {
    let reads = 0;
    const breakOff = `select pg_terminate_backend(pid) from pg_stat_activity where pid = pg_backend_pid()`;
    const seen = await database.statement([bob], async (one) => {
      reads += 1;
      if (reads === 1) await sql.raw(breakOff).execute(one);
      return look(one);
    });
    expect([reads, seen]).toEqual([2, [{ text: 'x' }]]);
    let writes = 0;
    const broken = database.statement([bob], (one) => {
      writes += 1;
      return sql.raw(`with gone as (${breakOff}) select * from gone`).execute(one);
    });
    await expect(broken).rejects.toThrow();
    expect(writes).toBe(1);
  });
});
