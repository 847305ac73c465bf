import { randomUUID } from 'node:crypto';
import { wallClock } from '@tillstream/messaging/clock';
import { kafkaCarrier } from '@tillstream/messaging/kafka-carrier';
import { makePerformer } from '@tillstream/messaging/perform';
import { startMessaging } from '@tillstream/messaging/running';
import { findBroker, type Broker, type MortalBroker } from '@tillstream/testkit/broker';
import { testDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { afterAll, expect, it } from 'vitest';
import { describeCarrier } from './carrier-contract.ts';
import { envelope, home, jarKeeper, jarMachine, keepEffects, seen, topic, type JarTables } from './jar.ts';
import { startMember } from './start-member.ts';

const broker = await findBroker();
if (broker === undefined) {
  it('is told to go on without Kafka', () => {
    expect(process.env['TILLSTREAM_REQUIRE_KAFKA']).not.toBe('1');
  });
} else {
  afterAll(() => broker.stop());
  describeCarrier('Kafka', async () => ({
    open: () => kafkaCarrier({ brokers: broker.addresses, clientId: 'contract', log: quietLog() }),
    member: async (topic, group) => startMember({ kind: 'kafka', address: broker.addresses.join(','), topic, group }),
    stop: async () => undefined,
  }));
  // A broker that somebody else runs is not ours to kill.
  if (isMortal(broker)) itOutlives(broker);
}

function isMortal(found: Broker): found is MortalBroker {
  return 'kill' in found;
}

function itOutlives(mortal: MortalBroker): void {
  it('outlives its broker: commands go on, and the outbox drains in order when it is back', async () => {
    const log = quietLog();
    const place = await testDatabase(home);
    const database = place.open<JarTables>();
    const carrier = kafkaCarrier({ brokers: mortal.addresses, clientId: 'outage', log });
    const jars = makePerformer({ database, machine: jarMachine(), keeper: jarKeeper, name: 'jar', log });
    const subscription = {
      group: `group-${randomUUID()}`,
      topics: [topic.name],
      handle: (batch: Parameters<typeof keepEffects>[2]) => keepEffects(database, subscription.group, batch),
    };
    const running = await startMessaging({
      name: 'jars',
      database,
      carrier,
      topics: [topic],
      subscriptions: [subscription],
      timers: [],
      clock: wallClock,
      log,
    });
    const ids = Array.from({ length: 4 }, () => randomUUID());
    const putAll = (coins: bigint) => jars.perform(ids.map((id) => envelope(id, { type: 'put', coins })));
    await jars.perform(ids.map((id) => envelope(id, { type: 'open' })));
    await putAll(1n);
    await eventually(async () => (await seen(database)).effects.length === 8);
    // An effect is seen before the relay has marked its message as sent. What is not marked yet would count below.
    await eventually(async () => (await running.figures()).outboxUnsent === 0);

    await mortal.kill();
    for (let coins = 2n; coins <= 5n; coins += 1n) await putAll(coins);
    expect((await running.figures()).outboxUnsent).toBe(16);

    await mortal.start();
    await eventually(async () => (await seen(database)).effects.length >= 24, 90_000);
    const byKey = Map.groupBy((await seen(database)).effects, (each) => each.key);
    for (const id of ids) {
      expect(byKey.get(id)?.map((each) => each.text)).toEqual(['opened', 'put 1', 'put 2', 'put 3', 'put 4', 'put 5']);
    }
    await eventually(async () => (await running.figures()).outboxUnsent === 0);
    await carrier.check();
    await running.stop();
    await carrier.close();
    await place.drop();
  }, 240_000);
}
