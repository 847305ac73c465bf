import type { PoolConfig } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSimulator } from '../crew.ts';
import { Simulator } from '../history.ts';
import { homes } from '../product.ts';
import { memoryGround } from '../storage/memory.ts';
import type { Connection, Statement } from '../storage/storage.ts';
import { keptStories, readStory } from '../stories.ts';
import { tellStory, themeOf } from '../story.ts';

describe('the simulator', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await openSimulator('memory');
  });
  afterAll(() => simulator.close());

  it('tells the same history of the same seed, and another of another', async () => {
    const first = await simulator.run(tellStory(4));
    const again = await simulator.run(tellStory(4));
    const other = await simulator.run(tellStory(6));
    expect(first.operations).toBeGreaterThan(100);
    expect([again.trace, again.operations]).toEqual([first.trace, first.operations]);
    expect(other.trace).not.toBe(first.trace);
  });

  // Its HTTP server needs turns of the event loop, of which the others take none.
  const programs = 336;

  it('tells the same history whatever came before it', { timeout: 60_000 }, async () => {
    expect(themeOf(programs)).toBe('programs');
    const fresh = await openSimulator('memory');
    const first = await fresh.run(tellStory(programs));
    await fresh.close();
    for (const before of [4, 5]) {
      await simulator.run(tellStory(before));
      const again = await simulator.run(tellStory(programs));
      expect([again.trace, again.operations]).toEqual([first.trace, first.operations]);
    }
  });

  it('a history with a statement that the storage in memory does not know is not judged, and names the statement', async () => {
    let isUnknown = false;
    const broken = await Simulator.on(async (scheduler) => {
      const ground = await memoryGround(Object.values(homes), scheduler);
      const connect = async (config: PoolConfig): Promise<Connection> => {
        const connection = await ground.connect(config);
        const query = (statement: Statement) =>
          connection.query(
            isUnknown && statement.text.includes('insert into mail')
              ? { text: 'select id from mail tablesample system (10)' }
              : statement,
          );
        return { ...connection, query };
      };
      return { ...ground, connect };
    });
    const known = await broken.run(tellStory(4));
    expect([known.notKnown, known.violations]).toEqual([undefined, []]);
    isUnknown = true;
    const { violations, notKnown } = await broken.run(tellStory(4));
    expect(violations).toEqual([]);
    expect(notKnown).toMatch(/not known in memory: .*\n.*tablesample system/s);
    isUnknown = false;
    expect((await broken.run(tellStory(4))).trace).toBe(known.trace);
  });

  it.each(keptStories())('a story that broke a sentence once no longer does: %s', async (file) => {
    expect((await simulator.run(readStory(file).story)).violations).toEqual([]);
  });
});
