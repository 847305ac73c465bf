import { createServer, type Server } from 'node:net';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Resolve } from '../src/outbound/http/address-guard.ts';
import { makePoster, type Poster } from '../src/outbound/http/post.ts';

let receiver: HostileReceiver;
let poster: Poster | undefined;
const raw: Server[] = [];

beforeEach(async () => (receiver = await hostileReceiver()));
afterEach(async () => {
  await poster?.close();
  await receiver.stop();
  for (const server of raw.splice(0)) server.close();
});

const resolveTo =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses);
const post = (url: string, resolve: Resolve = resolveTo('127.0.0.1'), livemode = false) => {
  poster ??= makePoster({ totalMs: 600, isLoopbackAllowed: true, resolve });
  return poster.post({ url, livemode, headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') });
};
beforeEach(() => (poster = undefined));

/** A server below HTTP: answers with these bytes, and tells what it was sent. */
async function rawServer(
  answer: string | undefined,
  heard: (bytes: Buffer) => void = () => undefined,
): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      heard(bytes);
      if (answer === undefined) socket.destroy();
      else socket.end(answer);
    });
  });
  raw.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a POST to a stranger', () => {
  test('goes to the vetted address under its own name', async () => {
    const answer = await post(`http://shop.example:${receiver.port}/a?b=c`);
    expect([answer.httpStatus, answer.error, answer.responseStart]).toEqual([200, '', 'ok']);
    expect(receiver.requests[0]?.headers.host).toBe(`shop.example:${receiver.port}`);
  });

  test('asks by TLS for the name, not for the address', async () => {
    const hello: Buffer[] = [];
    const port = await rawServer(undefined, (bytes) => hello.push(bytes));
    const answer = await post(`https://shop.example:${port}/`);
    expect(answer.httpStatus).toBe(0);
    expect(Buffer.concat(hello).includes('shop.example')).toBe(true);
  });

  test('a name that is public first and private later is blocked at the next connection', async () => {
    let asked = 0;
    const rebinding: Resolve = () => Promise.resolve([(asked += 1) === 1 ? '127.0.0.1' : '10.0.0.1']);
    expect((await post(`http://shop.example:${receiver.port}/`, rebinding)).httpStatus).toBe(200);
    await receiver.down();
    await receiver.up();
    expect((await post(`http://shop.example:${receiver.port}/`, rebinding)).error).toBe('blocked_address');
  });

  test.each([[['10.0.0.1']], [['127.0.0.1', '10.0.0.1']], [['169.254.169.254']], [['::ffff:10.0.0.1']]])(
    '%j is not connected to',
    async (addresses) => {
      const answer = await post(`http://shop.example:${receiver.port}/`, resolveTo(...addresses));
      expect(answer).toMatchObject({ httpStatus: 0, error: 'blocked_address', responseStart: '' });
      expect(receiver.requests).toHaveLength(0);
    },
  );

  test('in live mode the loopback is out of reach, whatever is configured', async () => {
    expect((await post(`https://shop.example:${receiver.port}/`, resolveTo('127.0.0.1'), true)).error).toBe(
      'blocked_address',
    );
    expect((await post(`http://127.0.0.1:${receiver.port}/`, resolveTo('127.0.0.1'), true)).error).toBe(
      'blocked_address',
    );
    expect(receiver.requests).toHaveLength(0);
  });

  test('a proxy of the environment is not asked', async () => {
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = 'http://127.0.0.1:9';
    try {
      expect((await post(`http://127.0.0.1:${receiver.port}/`)).httpStatus).toBe(200);
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['http_proxy'];
    }
  });

  test('a redirect is not followed', async () => {
    const target = await hostileReceiver();
    receiver.behave({ type: 'redirect', to: target.url });
    expect(await post(receiver.url)).toMatchObject({ httpStatus: 302, error: 'redirect' });
    expect(target.requests).toHaveLength(0);
    await target.stop();
  });

  test('a drip ends at the deadline over all', async () => {
    receiver.behave({ type: 'drip', everyMs: 20 });
    const answer = await post(receiver.url);
    expect(answer).toMatchObject({ httpStatus: 0, error: 'timeout' });
  });

  test('of a flood the first kilobyte is kept and little more is read', async () => {
    receiver.behave({ type: 'huge', bytes: 5_000_000_000 });
    const answer = await post(receiver.url);
    expect([answer.httpStatus, answer.error, answer.responseStart.length]).toEqual([200, '', 1024]);
    expect(receiver.sentBytes()).toBeLessThan(20_000_000);
  });

  test('a body says it is gzip and stays as it is', async () => {
    receiver.behave({ type: 'answer', status: 200, body: 'not gzip', headers: { 'content-encoding': 'gzip' } });
    expect((await post(receiver.url)).responseStart).toBe('not gzip');
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n', 'bad_response'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(10_000)}\r\n`, 'bad_response'],
    ['nothing', undefined, 'connection_reset'],
  ])('%s', async (_name, bytes, error) => {
    expect((await post(`http://127.0.0.1:${await rawServer(bytes)}/`)).error).toBe(error);
  });

  test('zero bytes in an answer do not reach the database', async () => {
    receiver.behave({ type: 'answer', status: 200, body: 'a\u0000b' });
    expect((await post(receiver.url)).responseStart).toBe('a\uFFFDb');
  });

  test('nobody listens; no such name; no TLS', async () => {
    const port = await rawServer('HTTP/1.1 200 OK\r\n\r\n');
    expect((await post(`https://127.0.0.1:${port}/`)).error).toMatch(/tls|connection_reset|bad_response/);
    await receiver.down();
    expect((await post(receiver.url)).error).toBe('connection_refused');
    await poster?.close();
    poster = undefined;
    expect(
      (
        await post('http://shop.example:8080/', () =>
          Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })),
        )
      ).error,
    ).toBe('dns');
  });

  test('a kept connection that was closed meanwhile is replaced without a failure', async () => {
    expect((await post(receiver.url)).httpStatus).toBe(200);
    await receiver.down();
    await receiver.up();
    expect((await post(receiver.url)).httpStatus).toBe(200);
    expect(receiver.requests).toHaveLength(2);
  });
});
