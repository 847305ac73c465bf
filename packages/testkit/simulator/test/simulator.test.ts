import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSimulator } from '../crew.ts';
import type { Simulator } from '../history.ts';
import { keptStories, readStory } from '../stories.ts';
import { tellStory } from '../story.ts';

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

  it.each(keptStories())('a story that broke a sentence once no longer does: %s', async (file) => {
    expect((await simulator.run(readStory(file).story)).violations).toEqual([]);
  });
});
