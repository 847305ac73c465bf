import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { credentials, Metadata } from '@grpc/grpc-js';
import {
  TimelineApiService,
  type ReadTimelineRequest,
  type ReadTimelineResponse,
} from '@tillstream/proto/timeline/v1/timeline_api';
import { startTelemetry } from '@tillstream/telemetry/start';
import { currentTraceparent, inSpan, traceIdOf } from '@tillstream/telemetry/trace';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeClient, openChannel, type Client, type RpcChannel } from '../src/client.ts';
import type { RpcTls } from '../src/contract.ts';
import { Refused } from '../src/refusals.ts';
import { implement, startRpcServer, type CallContext, type RunningRpc } from '../src/server.ts';

type Answer = (request: ReadTimelineRequest, call: CallContext) => Promise<ReadTimelineResponse>;

const pem = (name: string) => readFileSync(new URL(`./certificates/${name}.pem`, import.meta.url));
const key = (name: string) => readFileSync(new URL(`./certificates/${name}.key`, import.meta.url));
const question = { merchantId: 'm', orderId: 9_007_199_254_740_993n };
const empty: ReadTimelineResponse = { entries: [], awaited: [] };
const lines: { fields: object; text: string }[] = [];
const log = {
  info: () => undefined,
  warn: () => undefined,
  error: (fields: object, text: string) => lines.push({ fields, text }),
};
const closing: (() => unknown)[] = [];

beforeAll(() => startTelemetry({ service: 'rpc-test' }));
afterEach(async () => {
  lines.length = 0;
  for (const close of closing.splice(0).toReversed()) await close();
});

async function serve(answer: Answer, more: { tls?: RpcTls; port?: number } = {}): Promise<RunningRpc> {
  const server = await startRpcServer({
    host: '127.0.0.1',
    port: 0,
    ...more,
    log,
    bindings: [implement(TimelineApiService, { readTimeline: answer })],
  });
  closing.push(() => server.stop());
  return server;
}

function connect(port: number, tls?: RpcTls): { channel: RpcChannel; client: Client<typeof TimelineApiService> } {
  const channel = openChannel({ address: `localhost:${port}`, ...(tls === undefined ? {} : { tls }) });
  closing.push(() => channel.close());
  return { channel, client: makeClient(TimelineApiService, channel) };
}

async function refusalOf(asked: Promise<unknown>): Promise<Refused> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refused)) throw new Error('it was not refused', { cause: error });
  return error;
}

describe('a call', () => {
  test('carries 64-bit ids and dates unharmed', async () => {
    const at = new Date('2026-11-21T07:00:00.123Z');
    const server = await serve(async (request) => ({
      ...empty,
      entries: [{ at, source: 'test', type: 'seen', summary: String(request.orderId), traceId: '', objectId: '' }],
    }));
    const { client } = connect(server.port);
    const answer = await client.readTimeline(question);
    expect(answer.entries[0]).toMatchObject({ summary: '9007199254740993', at });
  });

  test('of five megabytes passes', async () => {
    const server = await serve(async () => ({ ...empty, entries: [] }));
    const { client } = connect(server.port);
    await expect(client.readTimeline({ ...question, merchantId: 'x'.repeat(5_000_000) })).resolves.toEqual(empty);
  });

  test('is answered with a refusal that loses nothing on the way', async () => {
    const detail = 'Die Menge “0” – zu klein';
    const server = await serve(async () => {
      throw new Refused('invalid_field', {
        param: 'customer.email',
        detail,
        fields: [{ param: 'quantity', code: 'quantity_out_of_range', detail: '至少 1' }],
      });
    });
    const refused = await refusalOf(connect(server.port).client.readTimeline(question));
    expect(refused).toMatchObject({ code: 'invalid_field', param: 'customer.email', message: detail });
    expect(refused.fields).toEqual([{ param: 'quantity', code: 'quantity_out_of_range', detail: '至少 1' }]);
    expect(lines).toEqual([]);
  });

  test('that fails says nothing of the cause to the client, and one line to the log, with the trace', async () => {
    const server = await serve(async () => {
      throw new Error('secret detail');
    });
    const { client } = connect(server.port);
    const { refused, traceId } = await inSpan('click', {}, async () => ({
      refused: await refusalOf(client.readTimeline(question)),
      traceId: traceIdOf(currentTraceparent()),
    }));
    expect(refused.code).toBe('internal');
    expect(JSON.stringify([refused.message, refused.fields])).not.toContain('secret');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields).toMatchObject({
      trace_id: traceId,
      rpc: 'tillstream.timeline.v1.TimelineApi/ReadTimeline',
    });
  });

  test('continues the caller’s trace on the server', async () => {
    let seen = '';
    const server = await serve(async (_request, call) => {
      seen = call.traceparent;
      return empty;
    });
    const { client } = connect(server.port);
    const traceId = await inSpan('click', {}, async () => {
      await client.readTimeline(question);
      return traceIdOf(currentTraceparent());
    });
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(traceIdOf(seen)).toBe(traceId);
  });
});

describe('a deadline', () => {
  test('ends a call that nobody answers as unavailable', async () => {
    const server = await serve(() => new Promise((resolve) => setTimeout(() => resolve(empty), 2_000)));
    const refused = await refusalOf(connect(server.port).client.readTimeline(question, { deadlineMs: 100 }));
    expect(refused.code).toBe('unavailable');
  });

  test('is told to the handler', async () => {
    let leftMs = 0;
    const server = await serve(async (_request, call) => {
      leftMs = call.deadline.getTime() - Date.now();
      return empty;
    });
    await connect(server.port).client.readTimeline(question, { deadlineMs: 60_000 });
    expect(leftMs).toBeGreaterThan(10_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });

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

describe('a server', () => {
  test('that is gone is unavailable, and is found again when it is back', async () => {
    const first = await serve(async () => empty);
    const { client } = connect(first.port);
    await client.readTimeline(question);
    await first.stop();
    expect((await refusalOf(client.readTimeline(question))).code).toBe('unavailable');
    await serve(async () => empty, { port: first.port });
    for (let left = 100; ; left -= 1) {
      try {
        await client.readTimeline(question);
        return;
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  });

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

  test('lets running calls finish when it stops', async () => {
    let release: (() => void) | undefined;
    const reached = Promise.withResolvers<undefined>();
    const server = await serve(async () => {
      reached.resolve(undefined);
      await new Promise<void>((resolve) => (release = resolve));
      return empty;
    });
    const asked = connect(server.port).client.readTimeline(question);
    await reached.promise;
    const stopped = server.stop();
    release?.();
    await expect(asked).resolves.toEqual(empty);
    await stopped;
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
