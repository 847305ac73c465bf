import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { credentials, Metadata } from '@grpc/grpc-js';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { startTelemetry } from '@tillstream/telemetry/start';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeClient, openChannel, type Client, type GrpcChannel } from '../src/client.ts';
import type { Log, RpcTls } from '../src/contract.ts';
import { implement, startRpcServer, type RunningRpc } from '../src/server.ts';
import { channelContract, empty, question, refusalOf, type Answer } from './channel-contract.ts';

const pem = (name: string) => readFileSync(new URL(`./certificates/${name}.pem`, import.meta.url));
const key = (name: string) => readFileSync(new URL(`./certificates/${name}.key`, import.meta.url));
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const closing: (() => unknown)[] = [];

beforeAll(() => startTelemetry({ service: 'rpc-test' }));
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function serve(answer: Answer, more: { tls?: RpcTls; port?: number; log?: Log } = {}): Promise<RunningRpc> {
  const server = await startRpcServer({
    host: '127.0.0.1',
    port: 0,
    log,
    ...more,
    bindings: [implement(TimelineApiService, { readTimeline: answer })],
  });
  closing.push(() => server.stop());
  return server;
}

function connect(port: number, tls?: RpcTls): { channel: GrpcChannel; client: Client<typeof TimelineApiService> } {
  const channel = openChannel({ address: `localhost:${port}`, ...(tls === undefined ? {} : { tls }) });
  closing.push(() => channel.close());
  return { channel, client: makeClient(TimelineApiService, channel) };
}

describe('over gRPC', () => {
  channelContract(async () => {
    const port = await freePort();
    return {
      channel: connect(port).channel,
      serve: (answer, log) => serve(answer, { port, log }),
    };
  });
});

describe('a deadline', () => {
  test('is given to a caller that has none', async () => {
    let deadline = new Date(8.64e15);
    const server = await serve(async (_request, call) => {
      deadline = call.deadline;
      return empty;
    });
    const { channel } = connect(server.port);
    const method = TimelineApiService.readTimeline;
    await new Promise((resolve, reject) => {
      channel.grpc.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        question,
        new Metadata(),
        (error, value) => (error === null ? resolve(value) : reject(error)),
      );
    });
    expect(deadline.getTime()).toBeLessThan(Date.now() + 120_000);
  });
});

describe('a service that is being started', () => {
  test('is waited for by who calls it', async () => {
    const port = await freePort();
    const { client } = connect(port);
    const asked = client.readTimeline(question);
    // Long enough for the first try to connect to fail.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await serve(async () => empty, { port });
    await expect(asked).resolves.toEqual(empty);
  });

  test('is waited for after a crash, and is sent a call once', async () => {
    const port = await freePort();
    let calls = 0;
    const count: Answer = async () => {
      calls += 1;
      return empty;
    };
    const first = await serve(count, { port });
    const { client } = connect(port);
    await client.readTimeline(question);
    await first.stop();
    const asked = client.readTimeline(question);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await serve(count, { port });
    await expect(asked).resolves.toEqual(empty);
    expect(calls).toBe(2);
  });
});

describe('a server', () => {
  test('that takes connections and never speaks is given up, and another connection is made', async () => {
    const silent = await silentServer();
    const channel = openChannel({ address: `127.0.0.1:${silent.port}`, rebuildAfterMs: 200 });
    closing.push(() => channel.close());
    const client = makeClient(TimelineApiService, channel);
    const before = channel.grpc;
    for (let left = 50; channel.grpc === before && left > 0; left -= 1) {
      expect((await refusalOf(client.readTimeline(question, { deadlineMs: 50 }))).code).toBe('unavailable');
    }
    expect(channel.grpc).not.toBe(before);
  });

  test('does not answer plaintext beyond loopback unless that is said', async () => {
    const bindings = [implement(TimelineApiService, { readTimeline: async () => empty })];
    await expect(startRpcServer({ host: '0.0.0.0', port: 0, bindings, log })).rejects.toThrow('RPC_INSECURE');
    const open = await startRpcServer({ host: '0.0.0.0', port: 0, bindings, log, insecure: true });
    await open.stop();
  });
});

describe('mTLS', () => {
  const service: RpcTls = { cert: pem('service'), key: key('service'), ca: pem('ca') };

  test('lets in who has a certificate of the same authority', async () => {
    const server = await serve(async () => empty, { tls: service });
    await expect(connect(server.port, service).client.readTimeline(question)).resolves.toEqual(empty);
  });

  test('keeps out a stranger, a client without a certificate and plaintext', async () => {
    let calls = 0;
    const count: Answer = async () => {
      calls += 1;
      return empty;
    };
    const server = await serve(count, { tls: service });
    const stranger: RpcTls = { cert: pem('stranger'), key: key('stranger'), ca: pem('ca') };
    for (const tls of [stranger, undefined]) {
      expect(
        (await refusalOf(connect(server.port, tls).client.readTimeline(question, { deadlineMs: 1_500 }))).code,
      ).toBe('unavailable');
    }
    const { Client: Plain } = await import('@grpc/grpc-js');
    const nameless = new Plain(`localhost:${server.port}`, credentials.createSsl(service.ca));
    closing.push(() => nameless.close());
    await expect(
      new Promise((resolve, reject) =>
        nameless.waitForReady(Date.now() + 1_500, (error) => (error ? reject(error) : resolve(1))),
      ),
    ).rejects.toThrow();
    expect(calls).toBe(0);
  });

  test('does not trust a server of another authority', async () => {
    const server = await serve(async () => empty, {
      tls: { cert: pem('stranger'), key: key('stranger'), ca: pem('ca') },
    });
    expect(
      (await refusalOf(connect(server.port, service).client.readTimeline(question, { deadlineMs: 1_500 }))).code,
    ).toBe('unavailable');
  });
});

async function silentServer(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    closing.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

/** A port that nobody listens on, for a server that comes later. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
