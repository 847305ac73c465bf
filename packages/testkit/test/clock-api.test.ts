/** An advance of one merchant's clock must not wait for the traffic of all others, nor fail because the carrier is away. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServiceHome } from '@tillstream/database/migrate';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import type { Carrier } from '@tillstream/messaging/message';
import { carrierHome, messagingMigrations } from '@tillstream/messaging/migrations';
import type { Work } from '@tillstream/messaging/work';
import { ClockApiService, type ReadWorkResponse } from '@tillstream/proto/clock/v1/clock_api';
import { answerClockApi } from '@tillstream/service/clock-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { standIn } from '../src/app.ts';
import { testDatabase, type TestDatabase } from '../src/database.ts';
import { quietLog } from '../src/log.ts';

const topic = { name: 'tillstream.clocks.events.v1', partitions: 1, message: 'tillstream.clocks.v1.Event' };
const folder = mkdtempSync(join(tmpdir(), 'tillstream-clocks-'));
const home: ServiceHome = {
  name: 'clocks',
  schema: 'clocks',
  role: 'tillstream_clocks',
  migrations: pathToFileURL(`${folder}/`),
  shared: [messagingMigrations],
};
let place: TestDatabase;
let carrierPlace: TestDatabase;
let carrier: Carrier;

beforeAll(async () => {
  [place, carrierPlace] = await Promise.all([testDatabase(home), testDatabase(carrierHome)]);
  carrier = embeddedCarrier({ url: carrierPlace.url, log: quietLog() });
  await carrier.declare([topic]);
});
afterAll(async () => {
  await carrier.close();
  await Promise.all([place.drop(), carrierPlace.drop()]);
  rmSync(folder, { recursive: true });
});

const subscription = {
  group: 'clocks',
  topics: [topic.name],
  handle: () => new Promise<void>((resolve) => setTimeout(resolve, 800)),
};

async function ask(by: Carrier): Promise<boolean> {
  return (await readWork(by, [], randomUUID())).isHearingDone;
}

async function readWork(by: Carrier, work: readonly Work[], merchantId: string): Promise<ReadWorkResponse> {
  const database = place.open<object>();
  const clocks = new MerchantClocks(database);
  const binding = answerClockApi({
    name: 'clocks',
    database,
    clocks,
    // Who asks about work has no group, and need not wait for what nobody reads.
    subscriptions: work.length === 0 ? [subscription] : [],
    work,
    carrier: by,
    log: quietLog(),
  });
  const service = await standIn(binding);
  try {
    return await service.client(ClockApiService).readWork({ merchantId, sinceSequence: 0n });
  } finally {
    await service.stop();
  }
}

const say = () =>
  carrier.publish([
    {
      topic: topic.name,
      key: randomUUID(),
      value: Buffer.from('news'),
      headers: {
        ce_id: randomUUID(),
        ce_type: topic.message,
        ce_source: 'clocks',
        ce_time: new Date().toISOString(),
        traceparent: '',
        merchant_id: randomUUID(),
      },
    },
  ]);

test('what was published before the question is heard in time, though more is published all the while', async () => {
  const hearing = await carrier.subscribe(subscription);
  const talking = setInterval(() => void say(), 50);
  try {
    await say();
    expect(await ask(carrier)).toBe(true);
  } finally {
    clearInterval(talking);
    await hearing.stop();
  }
});

test('a carrier that is away has not given everything, and that is no fault of the service', async () => {
  const away = embeddedCarrier({ url: carrierPlace.url.replace(/:\d+\//, ':9/'), log: quietLog() });
  expect(await ask(away)).toBe(false);
  await away.close();
});

// A year was led on over two of its renewals: a charge was done just between the look at what had been said and the look at the charges.
test.each([
  ['that says something', 'update clocks.merchant_clock set said = said + 1 where merchant_id = $1'],
  ['that a timer made', 'delete from clocks.timer where merchant_id = $1'],
])('work %s, and is over while the question is answered, is no quiet', async (_, isDone) => {
  const merchantId = randomUUID();
  await place.admin.query(
    `insert into clocks.merchant_clock (merchant_id, sequence, at, is_standing, set_at) values ($1, 1, now(), true, now())`,
    [merchantId],
  );
  if (isDone.includes('timer'))
    await place.admin.query(
      `insert into clocks.timer (machine, aggregate_id, kind, timer_id, merchant_id, due_at, traceparent)
       values ('clocks', '1', 'due', gen_random_uuid(), $1, now() - interval '1 minute', '')`,
      [merchantId],
    );
  const work = (end: () => Promise<unknown>): Work => ({
    what: 'work',
    pending: async () => {
      await end();
      return { due: 0, next: [] };
    },
  });
  const during = await readWork(carrier, [work(() => place.admin.query(isDone, [merchantId]))], merchantId);
  expect(during.busy).toEqual([{ what: 'outbox', count: 1 }]);
  const after = await readWork(carrier, [work(async () => undefined)], merchantId);
  expect(after.busy).toEqual([]);
});
