import { defineConfig } from 'vitest/config';

// `TEST_DATABASE=memory` runs tests on a Postgres in memory: the name of the driver then leads to it.
const inMemory =
  process.env['TEST_DATABASE'] !== 'memory'
    ? {}
    : {
        resolve: { alias: { pg: new URL('packages/testkit/src/memory/driver.ts', import.meta.url).pathname } },
        env: { TEST_DATABASE_URL: 'postgres://postgres@memory/postgres' },
      };

// Three kinds of tests. `domain` needs nothing and takes milliseconds; `parts` runs one package or service on a real
// Postgres (a database per file from a template); `e2e` runs the product through its public surfaces.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'domain', include: ['{apps,packages}/*/src/**/*.test.ts'] } },
      {
        ...(inMemory.resolve === undefined ? {} : { resolve: inMemory.resolve }),
        test: {
          ...(inMemory.env === undefined ? {} : { env: inMemory.env }),
          name: 'parts',
          include: ['{apps,packages}/*/test/**/*.test.ts', 'packages/testkit/{races,simulator,torture}/test/*.test.ts'],
          globalSetup: inMemory.env === undefined ? ['packages/testkit/src/postgres-for-tests.ts'] : [],
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['{e2e,bench}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          // Each file starts the whole product; two at once would fight for the machine.
          fileParallelism: false,
        },
      },
    ],
  },
});
