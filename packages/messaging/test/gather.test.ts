/** What is asked at once is done together, and nobody pays for another's mistake. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog } from '@tillstream/testkit/log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gather } from '@tillstream/messaging/gather';
import { makePerformer } from '@tillstream/messaging/perform';
import type { Database } from '@tillstream/database/database';
import { empty, envelope, home, jarKeeper, jarMachine, merchant, seen, type JarTables } from './jar.ts';

const open = { type: 'open' } as const;
const put = (coins: bigint) => ({ type: 'put', coins }) as const;

describe('gathering', () => {
  const runs: string[][] = [];
  beforeEach(() => void (runs.length = 0));
  const shout = gather<string, string>(async (items, lane) => {
    runs.push([lane, ...items]);
    await sleep(5);
    if (items.includes('bad')) throw new Error('a bad one');
    return items.map((item) => item.toUpperCase());
  });

  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('lets what is asked in one turn go at once, and what comes meanwhile together, each with its answers', async () => {
    const first = [shout('x', ['a']), shout('x', ['b', 'c'])];
    await turn();
    const answers = await Promise.all([...first, shout('x', ['d']), shout('x', ['e'])]);
    expect(answers).toEqual([['A'], ['B', 'C'], ['D'], ['E']]);
    expect(runs).toEqual([
      ['x', 'a', 'b', 'c'],
      ['x', 'd', 'e'],
    ]);
  });

  it('keeps lanes apart', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((item, at) => shout(`lane ${at % 2}`, [item])));
    expect(runs).toEqual([
      ['lane 0', 'a', 'c'],
      ['lane 1', 'b', 'd'],
    ]);
  });

  it('tries a batch that failed again, call by call', async () => {
    const calls = ['a', 'b', 'bad', 'c'].map((item) => shout('x', [item]));
    expect((await Promise.allSettled(calls)).map((each) => each.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
  });

  it('tries nothing again when nobody knows whether it was committed', async () => {
    let tries = 0;
    const lost = gather<string, string>(async (items) => {
      tries += 1;
      await sleep(1);
      if (items.length > 1) throw Object.assign(new Error('Connection terminated unexpectedly'));
      return [...items];
    });
    const calls = ['a', 'b', 'c'].map((item) => lost('x', [item]));
    expect((await Promise.allSettled(calls)).map((each) => each.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(tries).toBe(1);
  });

  it('takes at most 64 at once, and a larger call alone', async () => {
    const items = (many: number) => Array.from({ length: many }, () => 'x');
    await Promise.all([shout('x', ['a']), ...[48, 16, 1, 100, 2].map((many) => shout('x', items(many)))]);
    expect(runs.map((run) => run.length - 1)).toEqual([49, 17, 100, 2]);
  });

  it('does not wait for ever for one that is held up', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = gather<string, string>(async (items) => {
      if (items.includes('held')) await held;
      return [...items];
    });
    const first = slow('x', ['held']);
    await turn();
    expect(await slow('x', ['a'])).toEqual(['a']);
    release();
    expect(await first).toEqual(['held']);
  });
});

describe('perform', () => {
  const sent: string[] = [];
  let place: TestDatabase;
  let database: Database<JarTables>;
  const jarsOf = (by: string) =>
    makePerformer({ database, machine: jarMachine(by), keeper: jarKeeper, name: 'jar', log: quietLog() });
  beforeAll(async () => {
    place = await testDatabase(home);
    database = place.open<JarTables>((text) => sent.push(text));
  });
  beforeEach(() => empty(database));
  afterAll(() => place.drop());
  const commits = () => sent.filter((text) => text === 'commit').length;

  it('commits what forty ask at once in one transaction', async () => {
    const jars = jarsOf(merchant);
    sent.length = 0;
    const ids = Array.from({ length: 40 }, () => randomUUID());
    const answers = await Promise.all(ids.map((id) => jars.perform([envelope(id, open)])));
    expect(answers.map(([answer]) => answer?.answer)).toEqual(ids.map(() => 'accepted'));
    expect(commits()).toBe(1);
    expect((await seen(database)).jars).toHaveLength(40);
  });

  it("never sees a jar through another's command in the same moment", async () => {
    const [mine, theirs] = [randomUUID(), randomUUID()];
    const jars = jarsOf(merchant);
    await jars.perform([envelope(mine, open)]);
    const asked = Array.from({ length: 30 }, (_, at) =>
      at % 2 === 0
        ? jars.perform([envelope(mine, put(1n))])
        : jars.perform([envelope(mine, put(100n), { merchantId: theirs })]),
    );
    const answers = (await Promise.all(asked)).map(([answer]) => answer?.answer);
    expect(answers.filter((_, at) => at % 2 === 1)).toEqual(Array<string>(15).fill('refused'));
    expect((await seen(database)).jars).toMatchObject([{ coins: 15n }]);
  });

  it('lets one that breaks break alone', async () => {
    const jars = makePerformer({
      database,
      machine: jarMachine(),
      keeper: {
        ...jarKeeper,
        announce(change) {
          if (change.after.status === 'open' && change.after.coins === 13n) throw new Error('unlucky');
          return jarKeeper.announce(change);
        },
      },
      name: 'jar',
      log: quietLog(),
    });
    const ids = Array.from({ length: 10 }, () => randomUUID());
    await jars.perform(ids.map((id) => envelope(id, open)));
    const outcomes = await Promise.allSettled(
      ids.map((id, at) => jars.perform([envelope(id, put(BigInt(at === 7 ? 13 : 1)))])),
    );
    expect(outcomes.map((outcome) => outcome.status === 'fulfilled')).toEqual(ids.map((_, at) => at !== 7));
    expect((await seen(database)).jars.filter((jar) => jar.coins === 1n)).toHaveLength(9);
  });
});
