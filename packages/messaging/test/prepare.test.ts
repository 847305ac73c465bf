import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Envelope, PreparingKeeper } from '@tillstream/messaging/keeper';
import { makePreparingPerformer } from '@tillstream/messaging/perform';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog } from '@tillstream/testkit/log';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  empty,
  home,
  jarKeeper,
  jarMachine,
  merchant,
  now,
  type Jar,
  type JarCommand,
  type JarEvent,
  type JarTables,
} from './jar.ts';

/** Coins come from one heap that all jars share: its row is locked before it is decided how many a jar gets. */
type Request = { readonly type: 'open' } | { readonly type: 'fill'; readonly atMost: bigint };

let place: TestDatabase;
let database: Database<JarTables>;

beforeAll(async () => {
  place = await testDatabase(home);
  database = place.open<JarTables>();
  await place.admin.query(`
    create table ${home.schema}.heap (coins bigint not null);
    grant select, update on ${home.schema}.heap to ${home.role}`);
});
beforeEach(async () => {
  await empty(database);
  await place.admin.query(`delete from ${home.schema}.heap; insert into ${home.schema}.heap values (5)`);
});
afterAll(() => place.drop());

const keeper: PreparingKeeper<JarTables, Jar, JarEvent, Request, JarCommand> = {
  ...jarKeeper,
  async prepare(tx, envelopes, loaded) {
    const jars = await loaded;
    const { rows } = await sql<{ coins: bigint }>`select coins from heap for update`.execute(tx);
    let left = rows[0]?.coins ?? 0n;
    const commands = envelopes.map(({ id, command }): JarCommand => {
      if (command.type === 'open') return command;
      if (jars.get(id)?.state.status !== 'open') return { type: 'put', coins: 0n };
      const coins = left < command.atMost ? left : command.atMost;
      left -= coins;
      return { type: 'put', coins };
    });
    await sql`update heap set coins = ${left}::bigint`.execute(tx);
    return commands;
  },
};

const performerWith = (by = keeper) =>
  makePreparingPerformer({ database, machine: jarMachine(merchant), keeper: by, name: 'jar', log: quietLog() });
const asked = (id: string, command: Request): Envelope<Request> => ({ id, merchantId: merchant, command, now });
const open = (id: string) => asked(id, { type: 'open' });
const fill = (id: string, atMost: bigint) => asked(id, { type: 'fill', atMost });

describe('prepare', () => {
  it('gives each envelope its command, in their order, of rows that it locked', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const { perform } = performerWith();
    await perform([open(first), open(second)]);
    const answers = await perform([fill(second, 3n), fill(first, 3n), fill(first, 3n)]);
    expect(answers.slice(0, 2).map(({ state }) => state)).toMatchObject([{ coins: 3n }, { coins: 2n }]);
  });

  it('lets no row be given twice, however many ask at once', async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    // One performer each, as in processes of their own: nothing is batched, only the lock keeps them apart.
    await performerWith().perform(ids.map((id) => open(id)));
    const answers = await Promise.all(ids.map((id) => performerWith().perform([fill(id, 1n)])));
    const filled = answers.flat().filter(({ state }) => state.status === 'open' && state.coins > 0n);
    expect(filled).toHaveLength(5);
  });

  it('takes nothing when the transaction fails', async () => {
    const id = randomUUID();
    await performerWith().perform([open(id)]);
    const failing = performerWith({ ...keeper, save: () => Promise.reject(new Error('the disk is full')) });
    await expect(failing.perform([fill(id, 3n)])).rejects.toThrow('the disk is full');
    const { rows } = await place.admin.query(`select coins from ${home.schema}.heap`);
    expect(rows).toMatchObject([{ coins: '5' }]);
  });

  it('that leaves out a command fails, and so does one that fails itself', async () => {
    const ask = { ...open(randomUUID()), messageId: randomUUIDv7() };
    const none = performerWith({ ...keeper, prepare: () => Promise.resolve([]) });
    await expect(none.performOnce([ask])).rejects.toThrow('prepare left out the command');
    const broken = performerWith({ ...keeper, prepare: () => Promise.reject(new Error('no balance')) });
    await expect(broken.performOnce([ask])).rejects.toThrow('no balance');
    // The inbox was rolled back as well: the message is handled when it comes again.
    expect(await performerWith().performOnce([ask])).toMatchObject([{ answer: 'accepted' }]);
  });
});
