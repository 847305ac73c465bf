import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Subscription } from '@tillstream/messaging/message';
import { listParked, park } from '@tillstream/messaging/parked';
import type { ServiceApp } from '@tillstream/service/app';
import { replayAll } from '@tillstream/service/replay';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog } from '@tillstream/testkit/log';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { home } from '../src/app.ts';

let place: TestDatabase;
beforeAll(async () => {
  place = await testDatabase(home);
});
afterAll(() => place.drop());

const topic = 'test.replay.v1';
const messageOf = (key: string, offset: bigint): IncomingMessage => ({
  topic,
  key,
  partition: 0,
  offset,
  value: Buffer.from(`${key} ${offset}`),
  headers: { ce_id: randomUUID(), ce_type: 'test', ce_source: 'test', ce_time: '', traceparent: '', merchant_id: '' },
});

test('an operator replays every parked key in order; what fails again stays and holds up nothing else', async () => {
  const database = place.open<object>();
  const handled: string[] = [];
  const subscription: Subscription = {
    group: 'order',
    topics: [topic],
    handle: async (batch) => {
      for (const message of batch) {
        if (message.key === 'sick') throw new Error('still sick');
        handled.push(Buffer.from(message.value).toString());
      }
    },
  };
  const app: ServiceApp = {
    name: 'order',
    database,
    rpc: [],
    topics: [],
    subscriptions: [subscription],
    timers: [],
    workers: [],
  };
  await park(database, 'order', [messageOf('sick', 1n), messageOf('sick', 2n)], 'Error: once');
  // More than a page of them.
  await park(
    database,
    'order',
    Array.from({ length: 150 }, (_, at) => messageOf('well', BigInt(at + 10))),
    'Error: once',
  );
  await park(database, 'somebody else', [messageOf('well', 5n)], 'Error: once');

  expect(await replayAll(app, quietLog())).toBe(2);

  expect(handled).toEqual(Array.from({ length: 150 }, (_, at) => `well ${at + 10}`));
  expect((await listParked(database)).map((each) => `${each.consumer} ${each.key}`)).toEqual([
    'somebody else well',
    'order sick',
    'order sick',
  ]);
});
