/** vitest's global set-up: one Postgres for all test files. */
import { findPostgres } from './postgres.ts';

export default async function start(): Promise<() => Promise<void>> {
  const server = await findPostgres();
  process.env['TEST_DATABASE_URL'] = server.url;
  return () => server.stop();
}
