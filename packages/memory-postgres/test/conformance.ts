/** Both storages agree: random stories of our own statements on two connections, on Postgres and in memory. */
import { describe, expect, test } from 'vitest';
import { MemoryServer } from '../src/server.ts';
import { homeOf } from './homes.ts';
import { line, play, shorten } from './play.ts';
import statements from './statements.json' with { type: 'json' };
import { Storyteller, type Step } from './story.ts';

export interface Wanted {
  /** Absent = of all services. */
  readonly schemas?: readonly string[];
  /** Of each schema. */
  readonly stories: number;
  readonly firstSeed: number;
}

export function tellConformance({ schemas, stories, firstSeed }: Wanted): void {
  const chosen = Object.entries(statements).filter(([schema]) => schemas?.includes(schema) ?? true);
  describe.each(chosen)('stories of %s', (schema, texts) => {
    test(`end alike on Postgres and in memory`, { timeout: 60_000 + stories * 20_000 }, async () => {
      const home = homeOf(schema);
      const server = new MemoryServer();
      await server.migrate(home);
      for (let seed = firstSeed; seed < firstSeed + stories; seed += 1) {
        const steps = new Storyteller(seed, server, home).tell(texts, 40);
        const fails = (some: readonly Step[]) => play(home, server, some);
        if ((await fails(steps)) === undefined) continue;
        const shortest = await shorten(steps, fails, 40);
        expect.fail(`seed ${seed} of ${schema}:\n${shortest.steps.map(line).join('\n')}\n\n${shortest.difference}`);
      }
    });
  });
}
