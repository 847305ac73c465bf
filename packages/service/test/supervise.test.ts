import { setTimeout as pause } from 'node:timers/promises';
import { wallClock } from '@tillstream/messaging/clock';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { makeClient, openChannel } from '@tillstream/rpc/client';
import { openExchange } from '@tillstream/rpc/in-process';
import { Refused } from '@tillstream/rpc/refusals';
import { implement } from '@tillstream/rpc/server';
import { request } from 'node:http';
import { expect, test, vi } from 'vitest';
import type { ServiceApp, Worker } from '../src/app.ts';
import { superviseApp } from '../src/supervise.ts';

const eventually = (isSo: () => boolean) => vi.waitUntil(isSo, { timeout: 20_000, interval: 20 });

function quietLog() {
  const levels: string[] = [];
  return {
    levels,
    info: () => undefined,
    warn: () => void levels.push('warn'),
    error: () => void levels.push('error'),
  };
}

const nothing: ServiceApp = { name: 'tested', rpc: [], topics: [], subscriptions: [], timers: [], workers: [] };

function get(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

// A database that crashed was told to customers as a fault of ours (500), and a neighbour that asked parked its message.
test('says that it is unavailable while its database is away, and that it is at fault when it is', async () => {
  const errors = [
    Object.assign(new Error('the database system is starting up'), { code: '57P03' }),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    new Error('Connection terminated unexpectedly'),
    new Error('a bug'),
  ];
  const rpc = implement(TimelineApiService, {
    readTimeline: ({ orderId }) => Promise.reject(errors[Number(orderId)] ?? new Error()),
  });
  const running = await superviseApp({ ...nothing, rpc: [rpc] }, { clock: wallClock, log: quietLog() });
  const channel = openChannel({ address: `127.0.0.1:${running.rpcPort}` });
  const client = makeClient(TimelineApiService, channel);
  const codes = await Promise.all(
    errors.map((_, at) =>
      client.readTimeline({ merchantId: '', orderId: BigInt(at) }).then(
        () => 'ok',
        (error: unknown) => (error instanceof Refused ? error.code : 'not refused'),
      ),
    ),
  );
  expect(codes).toEqual(['unavailable', 'unavailable', 'unavailable', 'internal']);
  channel.close();
  await running.stop();
});

test('closes what brings work in before what works, and tells probes first', async () => {
  const steps: string[] = [];
  const worker: Worker = {
    name: 'worker',
    run: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          steps.push('worker');
          resolve();
        });
      }),
  };
  let slow: (() => void) | undefined;
  const healthPort = await freePort();
  const app: ServiceApp = {
    ...nothing,
    workers: [worker],
    rpc: [
      implement(TimelineApiService, {
        readTimeline: async () => {
          await new Promise<void>((resolve) => (slow = resolve));
          steps.push('rpc');
          return { entries: [], awaited: [] };
        },
      }),
    ],
    http: {
      listen: async () => undefined,
      close: async () => {
        steps.push(`http, ready ${await get(healthPort, '/readyz')}, alive ${await get(healthPort, '/livez')}`);
      },
    },
  };
  const running = await superviseApp(app, {
    clock: wallClock,
    log: quietLog(),
    http: { port: 0, host: '127.0.0.1' },
    health: { port: healthPort, host: '127.0.0.1' },
  });
  expect(await get(healthPort, '/readyz')).toBe(200);
  const channel = openChannel({ address: `127.0.0.1:${running.rpcPort}` });
  const asked = makeClient(TimelineApiService, channel).readTimeline({ merchantId: '', orderId: 1n });
  await eventually(() => slow !== undefined);
  const stopped = running.stop();
  await eventually(() => steps.length === 1);
  slow?.();
  await stopped;
  await expect(asked).resolves.toEqual({ entries: [], awaited: [] });
  expect(steps).toEqual(['http, ready 503, alive 200', 'rpc', 'worker']);
  await expect(get(healthPort, '/livez')).rejects.toThrow();
  channel.close();
});

test('starts a worker again that throws or ends', async () => {
  let runs = 0;
  const log = quietLog();
  const worker: Worker = {
    name: 'fragile',
    async run(signal) {
      runs += 1;
      if (runs === 1) throw new Error('for now');
      if (runs === 2) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
  const running = await superviseApp({ ...nothing, workers: [worker] }, { clock: wallClock, log });
  await eventually(() => runs === 3);
  await running.stop();
  expect(log.levels).toEqual(['error', 'warn']);
});

test('is not ready while the database does not answer; without its carrier it goes on', async () => {
  const healthPort = await freePort();
  let isWell = true;
  const check = () => (isWell ? Promise.resolve() : new Promise<void>(() => undefined));
  const database = { check } as never;
  const carrier = { check: () => Promise.reject(new Error('away')) } as never;
  const running = await superviseApp(
    { ...nothing, database },
    {
      clock: wallClock,
      log: quietLog(),
      carrier,
      health: { port: healthPort, host: '127.0.0.1' },
    },
  );
  expect(await get(healthPort, '/readyz')).toBe(200);
  isWell = false;
  expect(await get(healthPort, '/readyz')).toBe(503);
  expect(await get(healthPort, '/nothing')).toBe(404);
  await running.stop();
});

test('leaves nothing open when a part cannot be started', async () => {
  const healthPort = await freePort();
  let hasEnded = false;
  const worker: Worker = {
    name: 'worker',
    run: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          hasEnded = true;
          resolve();
        });
      }),
  };
  const http = { listen: () => Promise.reject(new Error('the port is taken')), close: async () => undefined };
  const started = superviseApp(
    { ...nothing, workers: [worker], http },
    {
      clock: wallClock,
      log: quietLog(),
      http: { port: 1, host: '127.0.0.1' },
      health: { port: healthPort, host: '127.0.0.1' },
    },
  );
  await expect(started).rejects.toThrow('the port is taken');
  expect(hasEnded).toBe(true);
  await pause(0);
  await expect(get(healthPort, '/livez')).rejects.toThrow();
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

test('in an exchange it is called without a port, until it stops; beside it with one where that is asked for', async () => {
  const exchange = openExchange();
  const rpc = [implement(TimelineApiService, { readTimeline: async () => ({ entries: [], awaited: [] }) })];
  const ask = (name: string) =>
    makeClient(TimelineApiService, exchange.channel(name)).readTimeline({ merchantId: '', orderId: 1n });
  const around = { clock: wallClock, log: quietLog(), exchange };
  const running = await superviseApp({ ...nothing, rpc }, around);
  const both = await superviseApp({ ...nothing, rpc, name: 'both' }, { ...around, rpc: { port: 0 } });
  expect(running.rpcPort).toBeUndefined();
  expect(both.rpcPort).toBeGreaterThan(0);
  await Promise.all([ask('tested'), ask('both')]);
  await running.stop();
  await expect(ask('tested')).rejects.toMatchObject({ code: 'unavailable' });
  await both.stop();
});
