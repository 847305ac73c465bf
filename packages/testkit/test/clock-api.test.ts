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
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
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
  const database = place.open<object>();
  const clocks = new MerchantClocks(database);
  const binding = answerClockApi({
    name: 'clocks',
    database,
    clocks,
    subscriptions: [subscription],
    work: [],
    carrier: by,
    log: quietLog(),
  });
  const service = await standIn(binding);
  try {
    const merchantId = randomUUID();
    return (await service.client(ClockApiService).readWork({ merchantId, sinceSequence: 0n })).isHearingDone;
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
