import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { startTelemetry } from '@tillstream/telemetry/start';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeClient } from '../src/client.ts';
import { openExchange } from '../src/in-process.ts';
import { implement } from '../src/server.ts';
import { channelContract, empty, naming, question, refusalOf, type Answer } from './channel-contract.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const timeline = (answer: Answer) => [implement(TimelineApiService, { readTimeline: answer })];

beforeAll(() => startTelemetry({ service: 'rpc-test' }));

describe('calls in one process', () => {
  channelContract(async () => {
    const exchange = openExchange({ isFrozen: true });
    return {
      channel: exchange.channel('order'),
      serve: async (answer, to) => exchange.serve('order', timeline(answer), to),
    };
  });

  test('go to the service that is named, though two answer the same interface', async () => {
    const exchange = openExchange();
    for (const name of ['order', 'payment'])
      exchange.serve(
        name,
        timeline(async () => naming(name)),
        log,
      );
    const ask = (name: string) => makeClient(TimelineApiService, exchange.channel(name)).readTimeline(question);
    expect(await Promise.all([ask('payment'), ask('order')])).toEqual([naming('payment'), naming('order')]);
    expect(() =>
      exchange.serve(
        'order',
        timeline(async () => empty),
        log,
      ),
    ).toThrow('served already');
  });

  test('of a method that nobody answers are a fault', async () => {
    const exchange = openExchange();
    exchange.serve('order', [], log);
    const refused = await refusalOf(makeClient(TimelineApiService, exchange.channel('order')).readTimeline(question));
    expect(refused.code).toBe('internal');
  });

  test('show who changes a message that is not theirs, where messages are frozen', async () => {
    const exchange = openExchange({ isFrozen: true });
    const said = naming('something');
    exchange.serve(
      'order',
      timeline(async (request) => {
        if (request.merchantId === 'mine') request.orderId = 1n;
        return said;
      }),
      log,
    );
    const client = makeClient(TimelineApiService, exchange.channel('order'));
    expect((await refusalOf(client.readTimeline({ ...question, merchantId: 'mine' }))).code).toBe('internal');
    const answer = await client.readTimeline({ ...question });
    expect(() => answer.awaited.pop()).toThrow(TypeError);
  });
});
