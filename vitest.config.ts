import { defineConfig } from 'vitest/config';

// The driver's name leads to a Postgres in memory: for `TEST_DATABASE=memory vitest run --project parts …`, and for the
// project `memory`, a selection of the parts that is played on both storages.
const memory = {
  resolve: { alias: { pg: new URL('packages/memory-postgres/src/driver.ts', import.meta.url).pathname } },
  env: { TEST_DATABASE_URL: 'postgres://postgres@memory/postgres' },
};
// What is slow and broad: an engine compared with a server at random, whole histories on both, sieges of minutes, the split form
// on its bad days. One of each kind is told with every change; these with `npm run test:nightly` (.ci/nightly).
const nightly = '**/*.nightly.test.ts';
const isInMemory = process.env['TEST_DATABASE'] === 'memory';
const patience = { testTimeout: 30_000, hookTimeout: 120_000 };

// Three kinds of tests. `domain` needs nothing and takes milliseconds; `parts` runs one package or service on a real
// Postgres (a database per file from a template); `e2e` runs the product through its public surfaces.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'domain', include: ['{apps,packages}/*/src/**/*.test.ts'] } },
      {
        ...(isInMemory ? { resolve: memory.resolve } : {}),
        test: {
          ...(isInMemory ? { env: memory.env } : {}),
          name: 'parts',
          include: ['{apps,packages}/*/test/**/*.test.ts', 'packages/testkit/{races,simulator,torture}/test/*.test.ts'],
          exclude: [nightly, '**/node_modules/**'],
          globalSetup: isInMemory ? [] : ['packages/testkit/src/postgres-for-tests.ts'],
          setupFiles: process.env['STATEMENTS'] === undefined ? [] : ['packages/testkit/src/statements.ts'],
          ...patience,
        },
      },
      {
        resolve: memory.resolve,
        test: {
          name: 'memory',
          include: [
            'apps/order/test/{cart,story,renewal-news}.test.ts',
            'apps/payment/test/renewals.test.ts',
            'packages/messaging/test/relay.test.ts',
          ],
          env: memory.env,
          ...patience,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['{e2e,bench}/**/*.test.ts'],
          exclude: [nightly, '**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          // Each file starts the whole product; two at once would fight for the machine.
          fileParallelism: false,
        },
      },
      // Only when it is asked for by its name: `npm run test:nightly`.
      ...(process.env['NIGHTLY'] === '1'
        ? [
            {
              test: {
                name: 'nightly',
                include: [`{apps,packages,e2e,bench}/${nightly}`],
                globalSetup: ['packages/testkit/src/postgres-for-tests.ts'],
                testTimeout: 120_000,
                hookTimeout: 240_000,
                fileParallelism: false,
              },
            },
          ]
        : []),
    ],
  },
});
