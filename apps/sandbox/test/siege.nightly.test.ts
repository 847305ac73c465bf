/** The provider to develop against stands what a provider stands: it listens on a network as well. */
import { readConfig } from '@tillstream/service/config';
import { besiege } from '@tillstream/testkit/siege';
import { expect, test } from 'vitest';
import { sandboxApp, settings } from '../src/app.ts';

test('the sandbox stands a siege', { timeout: 120_000 }, async () => {
  const { http } = sandboxApp({
    config: readConfig(settings, {
      SANDBOX_SECRET: 'a secret of the sandbox',
      SANDBOX_CALLBACK_SECRET: 'another secret of it',
      SANDBOX_CALLBACK_URL: 'http://127.0.0.1:9/',
      SANDBOX_PUBLIC_URL: 'http://127.0.0.1:9',
      HTTP_HEADERS_MS: '1000',
      HTTP_REQUEST_MS: '2000',
      HTTP_IDLE_MS: '1000',
      HTTP_CONNECTIONS: '60',
      HTTP_REQUESTS_PER_CONNECTION: '20',
    }),
  });
  const url = String(await http?.listen({ port: 0, host: '127.0.0.1' }));
  try {
    const complaints = await besiege({
      url,
      path: '/livez',
      post: ['POST /pay/sbx_1 HTTP/1.1', 'host: x', 'content-type: application/x-www-form-urlencoded'],
      connections: 60,
      requestsPerConnection: 20,
    });
    expect(complaints).toEqual([]);
  } finally {
    await http?.close();
  }
});
