/** vitest's global set-up: one Postgres for all test files. What the environment names, else the embedded one. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closedParentOf } from '@tillstream/embedded/folder';
import { startEmbeddedPostgres } from '@tillstream/embedded/server';

export default async function start(): Promise<(() => Promise<void>) | undefined> {
  if (process.env['TEST_DATABASE_URL'] !== undefined) return undefined;
  // A folder for temporary files may be closed to the user that the server runs as.
  const place = [tmpdir(), '/tmp', '/var/tmp'].find((each) => existsSync(each) && closedParentOf(each) === undefined);
  const folder = mkdtempSync(join(place ?? tmpdir(), 'tillstream-tests-'));
  chmodSync(folder, 0o755);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // Tests may lose their data: without fsync a template database is copied in a tenth of the time.
  const server = await startEmbeddedPostgres({
    directory: join(folder, 'postgres'),
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '300' },
  }).catch((error: unknown) => {
    remove();
    throw error;
  });
  process.env['TEST_DATABASE_URL'] = server.url();
  return () => server.stop().finally(remove);
}
