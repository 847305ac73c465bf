import { describe, expect, test } from 'vitest';
import { MemoryServer } from '../src/server.ts';
import { homeOf } from './homes.ts';
import statements from './statements.json' with { type: 'json' };

describe.each(Object.entries(statements))('the statements of %s', (schema, texts) => {
  test('are all known in memory', async () => {
    const home = homeOf(schema);
    const server = new MemoryServer();
    await server.migrate(home);
    const unknown = texts.flatMap((text) => {
      try {
        server.describe(home, text);
        return [];
      } catch (error) {
        return [`${String(error)}\n${text}`];
      }
    });
    expect(unknown).toEqual([]);
  });
});

test('what is not known is said, with the statement', async () => {
  const home = homeOf('gateway');
  const server = new MemoryServer();
  await server.migrate(home);
  expect(() => server.describe(home, 'select tablesample_it from answer tablesample system (10)')).toThrow(
    /not known in memory: .*\n.*tablesample/s,
  );
});
