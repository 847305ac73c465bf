import { defineConfig } from 'vitest/config';

// Three kinds of tests. `domain` needs nothing and takes milliseconds; `parts` runs one package or service on a real
// Postgres (a database per file from a template); `e2e` runs the product through its public surfaces.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'domain', include: ['{apps,packages}/*/src/**/*.test.ts'] } },
      {
        test: {
          name: 'parts',
          include: ['{apps,packages}/*/test/**/*.test.ts', 'packages/testkit/races/test/*.test.ts'],
          globalSetup: ['packages/testkit/src/postgres-for-tests.ts'],
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
