/**
 * A Postgres to test against: what the environment names (TEST_DATABASE_URL), else a container where a Docker engine answers,
 * else the embedded server.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closedParentOf } from '@tillstream/embedded/folder';
import { startEmbeddedPostgres, type EmbeddedServer } from '@tillstream/embedded/server';
import { placesToTry } from './places.ts';

export interface TestPostgres {
  /** As the superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

// The version that docker-compose.yml runs.
const image = 'postgres:18';
// Tests may lose their data: without fsync a template database is copied in a tenth of the time.
const settings: Settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '300' };

export async function findPostgres(): Promise<TestPostgres> {
  const named = process.env['TEST_DATABASE_URL'];
  const places = placesToTry(named);
  if (named !== undefined && places.includes('named')) return { url: named, stop: async () => undefined };
  // A socket without an engine behind it, or an image that cannot be had: the embedded server is next.
  const contained = places.includes('container') ? await startContainer().catch(() => undefined) : undefined;
  return contained ?? startOwnPostgres();
}

/** The embedded server in a folder of its own, over a Unix socket if `overSocket`; `stop` removes the folder. */
export async function startOwnPostgres(more: Settings = {}, overSocket = false): Promise<TestPostgres> {
  // A folder for temporary files may be closed to the user that the server runs as.
  const place = [tmpdir(), '/tmp', '/var/tmp'].find((each) => existsSync(each) && closedParentOf(each) === undefined);
  const folder = mkdtempSync(join(place ?? tmpdir(), 'tillstream-tests-'));
  chmodSync(folder, 0o755);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const server = await startEmbeddedPostgres({
    directory: join(folder, 'postgres'),
    settings: { ...settings, ...more },
  }).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    url: overSocket ? socketUrlOf(server) : server.url(),
    stop: () => server.stop().finally(remove),
  };
}

function socketUrlOf(server: EmbeddedServer): string {
  const { username, password } = new URL(server.url());
  return server.socketUrl('postgres', username, decodeURIComponent(password));
}

async function startContainer(): Promise<TestPostgres> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: 'only-for-tests' })
    .withCommand(['postgres', ...flags])
    .withExposedPorts(5432)
    // It starts once to fill its folder, and then to stay.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .withStartupTimeout(180_000)
    .start();
  return {
    url: `postgres://postgres:only-for-tests@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    stop: async () => {
      await container.stop();
    },
  };
}
