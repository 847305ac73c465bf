/** A gateway on a free port, with its database and what stands behind it. */
import { startTelemetry } from '@tillstream/telemetry/start';
import { startApp } from '@tillstream/testkit/app';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { readConfig } from '@tillstream/service/config';
import { request } from 'undici';
import { gatewayApp, home, type GatewayTables } from '../src/app.ts';
import { settings } from '../src/config.ts';
import { startBehind, type Scene } from './behind.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export interface Running {
  readonly url: string;
  readonly scene: Scene;
  readonly database: TestDatabase;
  readonly log: RecordedLog;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

export const keys = { first: 'till_test_first_rw', reader: 'till_test_first_r', second: 'till_test_second_rw' };

export async function startGateway(
  environment: Record<string, string> = {},
  patience?: { everyMs: number; forMs: number },
): Promise<Running> {
  const telemetry = await startTelemetry({ service: 'test' });
  const database = await testDatabase(home);
  const behind = await startBehind();
  const log = quietLog();
  const config = readConfig(settings, {
    CHECKOUT_URL: 'https://shop.example/',
    VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    WRITES_PER_SECOND: '10000',
    READS_PER_SECOND: '10000',
    ...environment,
  });
  const app = gatewayApp({
    database: database.open<GatewayTables>(),
    clients: behind.clients,
    log,
    config,
    ...(patience && { patience }),
  });
  const started = await startApp(app, { log, httpPort: 0 });
  const url = await addressOf(app.http);
  return {
    url,
    scene: behind.scene,
    database,
    log,
    async call(method, path, body, headers = {}) {
      const response = await request(`${url}${path}`, {
        method: method as 'GET',
        headers: {
          authorization: `Bearer ${keys.first}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
      });
      const text = await response.body.text();
      return {
        status: response.statusCode,
        headers: response.headers,
        text,
        body: text.startsWith('{') ? JSON.parse(text) : {},
      };
    },
    async stop() {
      await started.stop();
      await behind.stop();
      await database.drop();
      await telemetry.stop();
    },
  };
}

async function addressOf(http: unknown): Promise<string> {
  const { server } = http as { server: { address(): { port: number } | string | null } };
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return `http://127.0.0.1:${address.port}`;
}

export const goods = { name: 'Quill', prices: [{ amount: 10_000, currency: 'EUR' }], delivery: { method: 'pool' } };
