import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostileReceiver, type HostileReceiver } from '../src/receiver.ts';

let receiver: HostileReceiver;
beforeEach(async () => {
  receiver = await hostileReceiver();
});
afterEach(() => receiver.stop());

const post = (limitMs = 200) =>
  fetch(`${receiver.url}/hook?a=1`, {
    method: 'POST',
    body: '{"n":1}',
    redirect: 'manual',
    signal: AbortSignal.timeout(limitMs),
  });

describe('a hostile receiver', () => {
  it('keeps the bytes, the path and the headers it got', async () => {
    expect((await post(5_000)).status).toBe(200);
    const [request] = await receiver.waitFor(1);
    expect(request).toMatchObject({ method: 'POST', path: '/hook?a=1', body: Buffer.from('{"n":1}') });
    expect(request?.headers['content-type']).toContain('text/plain');
  });

  it('answers as it is told, request by request', async () => {
    receiver.behave((_request, n) =>
      n === 1 ? { type: 'answer', status: 503 } : { type: 'redirect', to: 'http://127.0.0.1:1/' },
    );
    expect((await post(5_000)).status).toBe(503);
    expect((await post(5_000)).headers.get('location')).toBe('http://127.0.0.1:1/');
  });

  it('never answers, drips, resets and floods', async () => {
    receiver.behave({ type: 'never' });
    await expect(post()).rejects.toThrow('timeout');
    receiver.behave({ type: 'drip', everyMs: 20 });
    await expect(post().then((response) => response.text())).rejects.toThrow('timeout');
    receiver.behave({ type: 'reset' });
    await expect(post(5_000)).rejects.toThrow('fetch failed');
    receiver.behave({ type: 'huge', bytes: 10 * 1024 ** 3 });
    const response = await post(5_000);
    await response.body?.cancel();
    expect(response.headers.get('content-length')).toBe(String(10 * 1024 ** 3));
    expect(receiver.sentBytes()).toBeLessThan(100 * 1024 ** 2);
    expect(receiver.requests).toHaveLength(4);
  });

  it('goes down and comes up on the same port', async () => {
    await receiver.down();
    await expect(post(5_000)).rejects.toThrow('fetch failed');
    await receiver.up();
    expect((await post(5_000)).status).toBe(200);
    expect(receiver.requests).toHaveLength(1);
  });
});
