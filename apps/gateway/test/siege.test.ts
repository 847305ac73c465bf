/** The gateway under siege: who drips, says nothing, speaks nonsense or comes in crowds is let go, and others are served. */
import { besiege } from '@tillstream/testkit/siege';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keys, startGateway, type Running } from './running.ts';

let gateway: Running;

beforeAll(async () => {
  gateway = await startGateway({
    HTTP_HEADERS_MS: '1000',
    HTTP_REQUEST_MS: '2000',
    HTTP_IDLE_MS: '1000',
    HTTP_CONNECTIONS: '60',
    HTTP_REQUESTS_PER_CONNECTION: '20',
  });
});

afterAll(() => gateway.stop());

test('the gateway stands a siege', { timeout: 120_000 }, async () => {
  const complaints = await besiege({
    url: gateway.url,
    path: '/livez',
    post: [
      'POST /v1/products HTTP/1.1',
      'host: x',
      `authorization: Bearer ${keys.first}`,
      'content-type: application/json',
    ],
    connections: 60,
    requestsPerConnection: 20,
  });
  expect(complaints).toEqual([]);
  expect(gateway.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});
