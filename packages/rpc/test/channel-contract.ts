/** What every way from a client to a handler promises; gRPC and calls in one process both pass it. */
import {
  TimelineApiService,
  type ReadTimelineRequest,
  type ReadTimelineResponse,
} from '@tillstream/proto/timeline/v1/timeline_api';
import { currentTraceparent, inSpan, traceIdOf } from '@tillstream/telemetry/trace';
import { expect, test } from 'vitest';
import { makeClient, type Client, type RpcChannel } from '../src/client.ts';
import type { CallContext, Log } from '../src/contract.ts';
import { Refused } from '../src/refusals.ts';

export type Answer = (request: ReadTimelineRequest, call: CallContext) => Promise<ReadTimelineResponse>;

export interface Way {
  /** Serves it where the channel leads, again after a stop as well. */
  serve(answer: Answer, log: Log): Promise<{ stop(): Promise<void> }>;
  readonly channel: RpcChannel;
}

export const question = { merchantId: 'm', orderId: 9_007_199_254_740_993n };
export const empty: ReadTimelineResponse = { entries: [], awaited: [] };

/** An answer that names something. */
export const naming = (summary: string): ReadTimelineResponse => ({
  ...empty,
  awaited: [{ source: 'test', type: 'seen', summary, until: undefined }],
});

export async function refusalOf(asked: Promise<unknown>): Promise<Refused> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refused)) throw new Error('it was not refused', { cause: error });
  return error;
}

/** `open` makes a way that nobody serves yet; what it opens is closed by the suite's owner. */
export function channelContract(open: () => Promise<Way>): void {
  const lines: { fields: object; text: string }[] = [];
  const log: Log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields, text) => lines.push({ fields, text }),
  };
  const served = async (
    answer: Answer,
  ): Promise<{ client: Client<typeof TimelineApiService>; way: Way; stop(): Promise<void> }> => {
    lines.length = 0;
    const way = await open();
    const { stop } = await way.serve(answer, log);
    return { client: makeClient(TimelineApiService, way.channel), way, stop };
  };

  test('a call carries 64-bit ids and dates unharmed', async () => {
    const at = new Date('2026-11-21T07:00:00.123Z');
    const { client } = await served(async (request) => ({
      ...empty,
      entries: [{ at, source: 'test', type: 'seen', summary: String(request.orderId), traceId: '', objectId: '' }],
    }));
    const answer = await client.readTimeline(question);
    expect(answer.entries[0]).toMatchObject({ summary: '9007199254740993', at });
  });

  test('a call of five megabytes passes', async () => {
    const { client } = await served(async () => ({ ...empty, entries: [] }));
    await expect(client.readTimeline({ ...question, merchantId: 'x'.repeat(5_000_000) })).resolves.toEqual(empty);
  });

  test('calls at once are answered each with its own', async () => {
    const { client } = await served(async ({ orderId }) => {
      await new Promise((resolve) => setTimeout(resolve, Number(10n - orderId)));
      return naming(String(orderId));
    });
    const answers = await Promise.all(
      [1n, 2n, 3n, 4n].map((orderId) => client.readTimeline({ merchantId: 'm', orderId })),
    );
    expect(answers).toEqual(['1', '2', '3', '4'].map(naming));
  });

  test('a refusal loses nothing on the way', async () => {
    const detail = 'Die Menge “0” – zu klein';
    const { client } = await served(async () => {
      throw new Refused('invalid_field', {
        param: 'customer.email',
        detail,
        fields: [{ param: 'quantity', code: 'quantity_out_of_range', detail: '至少 1' }],
      });
    });
    const refused = await refusalOf(client.readTimeline(question));
    expect(refused).toMatchObject({ code: 'invalid_field', param: 'customer.email', message: detail });
    expect(refused.fields).toEqual([{ param: 'quantity', code: 'quantity_out_of_range', detail: '至少 1' }]);
    expect(lines).toEqual([]);
  });

  test.each([
    ['fails', async () => Promise.reject(new Error('secret detail'))],
    [
      'fails before it waits for anything',
      () => {
        throw new Error('secret detail');
      },
    ],
  ] satisfies [string, Answer][])(
    'a handler that %s says nothing of the cause to the client, and one line to the log, with the trace',
    async (_how, answer) => {
      const { client } = await served(answer);
      const { refused, traceId } = await inSpan('click', {}, async () => ({
        refused: await refusalOf(client.readTimeline(question)),
        traceId: traceIdOf(currentTraceparent()),
      }));
      expect(refused.code).toBe('internal');
      expect(JSON.stringify([refused.message, refused.fields, String(refused.cause)])).not.toContain('secret');
      expect(lines).toHaveLength(1);
      expect(lines[0]?.fields).toMatchObject({
        trace_id: traceId,
        rpc: 'tillstream.timeline.v1.TimelineApi/ReadTimeline',
      });
    },
  );

  test('the caller’s trace goes on in the handler, in a span of its own', async () => {
    let seen = '';
    const { client } = await served(async (_request, call) => {
      seen = call.traceparent;
      expect(currentTraceparent()).toBe(seen);
      return empty;
    });
    const caller = await inSpan('click', {}, async () => {
      await client.readTimeline(question);
      return currentTraceparent();
    });
    expect(traceIdOf(seen)).toMatch(/^[0-9a-f]{32}$/);
    expect(traceIdOf(seen)).toBe(traceIdOf(caller));
    expect(seen).not.toBe(caller);
  });

  test('a deadline ends a call that nobody answers as unavailable', async () => {
    const { client } = await served(() => new Promise((resolve) => setTimeout(() => resolve(empty), 2_000)));
    const refused = await refusalOf(client.readTimeline(question, { deadlineMs: 100 }));
    expect(refused.code).toBe('unavailable');
  });

  test('a deadline is told to the handler', async () => {
    let leftMs = 0;
    const { client } = await served(async (_request, call) => {
      leftMs = call.deadline.getTime() - Date.now();
      return empty;
    });
    await client.readTimeline(question, { deadlineMs: 60_000 });
    expect(leftMs).toBeGreaterThan(10_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });

  test('a service that is not up is unavailable, and nobody waits for it until the deadline', async () => {
    const way = await open();
    const client = makeClient(TimelineApiService, way.channel);
    const refused = await refusalOf(client.readTimeline(question, { deadlineMs: 25_000 }));
    expect(refused.code).toBe('unavailable');
    await expect(way.channel.ready(50)).rejects.toThrow();
  });

  test('a service that is gone is unavailable, and is found again when it is back', async () => {
    const { client, way, stop } = await served(async () => empty);
    await client.readTimeline(question);
    await stop();
    expect((await refusalOf(client.readTimeline(question))).code).toBe('unavailable');
    await way.serve(async () => empty, log);
    await way.channel.ready(10_000);
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

  test('who waits for a service to be up is told', async () => {
    const way = await open();
    const waited = way.channel.ready(10_000);
    await way.serve(async () => empty, log);
    await waited;
    await expect(makeClient(TimelineApiService, way.channel).readTimeline(question)).resolves.toEqual(empty);
  });

  test('running calls finish when the service stops, and the stop waits for them', async () => {
    let release: (() => void) | undefined;
    const reached = Promise.withResolvers<undefined>();
    const { client, stop } = await served(async () => {
      reached.resolve(undefined);
      await new Promise<void>((resolve) => (release = resolve));
      return empty;
    });
    const asked = client.readTimeline(question);
    await reached.promise;
    let isStopped = false;
    const stopped = stop().then(() => (isStopped = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isStopped).toBe(false);
    release?.();
    await expect(asked).resolves.toEqual(empty);
    await stopped;
  });

  test('a call that never ends holds up a stop for five seconds, then is unavailable', async () => {
    const reached = Promise.withResolvers<undefined>();
    const { client, stop } = await served(() => {
      reached.resolve(undefined);
      return new Promise(() => undefined);
    });
    const asked = refusalOf(client.readTimeline(question, { deadlineMs: 25_000 }));
    await reached.promise;
    await stop();
    expect((await asked).code).toBe('unavailable');
  });

  test('a channel that is closed leads nowhere', async () => {
    const { client, way } = await served(async () => empty);
    way.channel.close();
    expect((await refusalOf(client.readTimeline(question))).code).toBe('unavailable');
  });
}
