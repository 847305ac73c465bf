/** The pages under siege: who drips, says nothing, speaks nonsense or comes in crowds is let go, and customers are served. */
import { besiege } from '@tillstream/testkit/siege';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cartId, serve, type Served } from './stand-in.ts';

let served: Served;

beforeAll(async () => {
  served = await serve({
    HTTP_HEADERS_MS: 1_000,
    HTTP_REQUEST_MS: 2_000,
    HTTP_IDLE_MS: 1_000,
    HTTP_CONNECTIONS: 60,
    HTTP_REQUESTS_PER_CONNECTION: 20,
  });
});

afterAll(() => served.stop());

test('the pages stand a siege', { timeout: 120_000 }, async () => {
  const complaints = await besiege({
    url: served.url,
    path: '/livez',
    post: [`POST /checkout/${cartId} HTTP/1.1`, 'host: x', 'content-type: application/x-www-form-urlencoded'],
    connections: 60,
    requestsPerConnection: 20,
  });
  expect(complaints).toEqual([]);
  expect(served.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});
