/** vitest's global set-up: one Postgres for all test files. */
import { findPostgres } from './postgres.ts';

export default async function start(): Promise<() => Promise<void>> {
  const { url, stop } = await findPostgres();
  process.env['TEST_DATABASE_URL'] = url;
  return stop;
}
