/** What every carrier promises. All pass it, the simulator's too; what is not in here nobody may rely on. */
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Carrier, IncomingMessage, OutgoingMessage, Subscription } from '@tillstream/messaging/message';

export interface CarrierUnderTest {
  /** A connection of its own, as another process would have it. */
  open(): Carrier;
  /** A member of the group that takes a batch and never ends it, in a process that can be killed. */
  member(topic: string, group: string): Promise<MortalMember>;
  stop(): Promise<void>;
}

export interface MortalMember {
  readonly hasTaken: Promise<unknown>;
  kill(): void;
}

export function messageTo(topic: string, key: string, text: string): OutgoingMessage {
  return {
    topic,
    key,
    value: Buffer.from(text),
    headers: {
      ce_id: randomUUIDv7(),
      ce_type: 'tillstream.test.v1.Said',
      ce_source: 'test',
      ce_time: '2026-11-21T08:00:00.000Z',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      merchant_id: randomUUID(),
    },
  };
}

const textOf = (message: OutgoingMessage) => Buffer.from(message.value).toString();

/** The texts of each key, each once, in the order of their first coming. */
function textsByKey(messages: readonly IncomingMessage[]): Record<string, string[]> {
  const byKey: Record<string, string[]> = {};
  for (const message of messages) {
    const texts = (byKey[message.key] ??= []);
    if (!texts.includes(textOf(message))) texts.push(textOf(message));
  }
  return byKey;
}

export function describeCarrier(name: string, start: () => Promise<CarrierUnderTest>): void {
  describe.concurrent(`the ${name} carrier`, () => {
    let underTest: CarrierUnderTest;
    let carrier: Carrier;
    const opened: Carrier[] = [];
    const open = () => {
      const fresh = underTest.open();
      opened.push(fresh);
      return fresh;
    };

    beforeAll(async () => {
      underTest = await start();
      carrier = open();
    });
    afterAll(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await underTest.stop();
    });

    const newTopic = async (partitions = 4): Promise<string> => {
      const topic = `test.${randomUUID().slice(0, 8)}.v1`;
      await carrier.declare([{ name: topic, partitions }]);
      return topic;
    };
    // A group's members hear the same topics, so each test has groups of its own.
    const newGroup = () => `group-${randomUUID().slice(0, 8)}`;
    /** Subscribes and keeps what comes. */
    const collect = async (by: Carrier, topic: string, group: string, options: Partial<Subscription> = {}) => {
      const got: IncomingMessage[] = [];
      const running = await by.subscribe({
        group,
        topics: [topic],
        handle: async (batch) => {
          got.push(...batch);
        },
        ...options,
      });
      return { got, stop: () => running.stop() };
    };

    it('declares topics again and at the same time without complaint, and refuses what was never declared', async () => {
      const names = ['a', 'b', 'c'].map((letter) => `test.${letter}.${randomUUID().slice(0, 8)}`);
      const other = open();
      const topics = names.map((each) => ({ name: each, partitions: 2 }));
      await Promise.all([carrier.declare(topics), other.declare(topics.slice(1)), other.declare(topics.toReversed())]);
      await carrier.declare(topics);
      await carrier.publish([messageTo(names[2] ?? '', 'k', 'said')]);
      await expect(carrier.publish([messageTo('test.nobody.declared', 'k', 'said')])).rejects.toThrow();
      // Nor does a failed publication hold up the next.
      await carrier.publish([messageTo(names[0] ?? '', 'k', 'said')]);
    });

    it('carries every byte and header, and keeps the order of each key over many publications', async () => {
      const topic = await newTopic();
      const keys = Array.from({ length: 30 }, (_, at) => `order ${at}`);
      const sent: OutgoingMessage[] = [];
      const received = await collect(carrier, topic, newGroup());
      for (let round = 0; round < 10; round += 1) {
        const batch = keys.flatMap((key) => [
          messageTo(topic, key, `${round}a ü 漢`),
          messageTo(topic, key, `${round}b`),
        ]);
        sent.push(...batch);
        await carrier.publish(batch);
      }
      const bytes = { ...messageTo(topic, 'bytes', ''), value: Buffer.from([0, 255, 10, 13, 0, 128]) };
      await carrier.publish([bytes]);
      await eventually(() => received.got.length >= sent.length + 1);
      const expected = keys.map((key) => [key, sent.filter((each) => each.key === key).map(textOf)]);
      const { bytes: _, ...texts } = textsByKey(received.got);
      expect(texts).toEqual(Object.fromEntries(expected));
      const found = received.got.find((each) => each.key === 'bytes');
      expect(Buffer.from(found?.value ?? []).equals(Buffer.from(bytes.value))).toBe(true);
      const byId = new Map(sent.map((each) => [each.headers.ce_id, each.headers]));
      for (const each of received.got.filter(({ key }) => key !== 'bytes'))
        expect(each.headers).toEqual(byId.get(each.headers.ce_id));
      // One key, one partition; offsets grow.
      for (const same of Map.groupBy(received.got, (each) => each.key).values()) {
        expect(new Set(same.map((each) => each.partition)).size).toBe(1);
        expect(same.every((each, at) => at === 0 || each.offset > (same[at - 1]?.offset ?? -1n))).toBe(true);
      }
    });

    it('keeps the order of each key when several publish to all partitions at once', async () => {
      const topic = await newTopic(4);
      const publishers = [carrier, open(), open()];
      const keysOf = (who: number) => Array.from({ length: 6 }, (_, at) => `${who} ${at}`);
      const received = await collect(carrier, topic, newGroup());
      await Promise.all(
        publishers.map(async (publisher, who) => {
          for (let round = 0; round < 15; round += 1) {
            // Each names the keys in another order, and so the partitions.
            const keys = (round + who) % 2 === 0 ? keysOf(who) : keysOf(who).toReversed();
            await publisher.publish(
              ['a', 'b'].flatMap((n) => keys.map((key) => messageTo(topic, key, `${round}${n}`))),
            );
          }
        }),
      );
      await eventually(() => received.got.length >= 540);
      const inOrder = Array.from({ length: 15 }, (_, round) => [`${round}a`, `${round}b`]).flat();
      const expected = publishers.flatMap((_, who) => keysOf(who).map((key) => [key, inOrder]));
      expect(textsByKey(received.got)).toEqual(Object.fromEntries(expected));
    });

    it('gives a group that comes later everything from the beginning, and each group its own', async () => {
      const topic = await newTopic();
      await carrier.publish([messageTo(topic, 'k', '1'), messageTo(topic, 'k', '2')]);
      const [early, late] = await Promise.all([
        collect(carrier, topic, newGroup()),
        collect(carrier, topic, newGroup()),
      ]);
      await carrier.publish([messageTo(topic, 'k', '3')]);
      for (const reader of [early, late]) {
        await eventually(() => reader.got.length >= 3);
        expect(textsByKey(reader.got)).toEqual({ k: ['1', '2', '3'] });
      }
    });

    it('remembers how far a group is: what it has handled does not come again after an orderly stop', async () => {
      const [topic, group] = [await newTopic(), newGroup()];
      await carrier.publish(['1', '2', '3'].map((text) => messageTo(topic, text, text)));
      const first = await collect(open(), topic, group);
      await eventually(() => first.got.length === 3);
      await first.stop();
      expect(await carrier.lag(group, [topic])).toBe(0n);
      await carrier.publish([messageTo(topic, '4', '4')]);
      expect(await carrier.lag(group, [topic])).toBe(1n);
      const heads = await carrier.heads([topic]);
      expect(await carrier.hasHeard(group, heads)).toBe(false);
      const second = await collect(open(), topic, group);
      await eventually(() => second.got.length > 0);
      expect(second.got.map(textOf)).toEqual(['4']);
      // What comes after the heads were read does not matter to whoever waits for them.
      await eventually(() => carrier.hasHeard(group, heads));
      await second.stop();
      await carrier.publish([messageTo(topic, '4', '5')]);
      expect(await carrier.hasHeard(group, heads)).toBe(true);
      expect(await carrier.hasHeard(group, await carrier.heads([topic]))).toBe(false);
    });

    it('stops only when the batch in hand is done, and keeps that it is done', async () => {
      const [topic, group] = [await newTopic(1), newGroup()];
      await carrier.publish([messageTo(topic, 'k', '1')]);
      const finish = Promise.withResolvers<void>();
      const taken = Promise.withResolvers<void>();
      const member = await carrier.subscribe({
        group,
        topics: [topic],
        handle: async () => {
          taken.resolve();
          await finish.promise;
        },
      });
      await taken.promise;
      let isStopped = false;
      const stopping = member.stop().then(() => (isStopped = true));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(isStopped).toBe(false);
      finish.resolve();
      await stopping;
      expect(await carrier.lag(group, [topic])).toBe(0n);
    });

    it('gives what a member had fetched but not handled when it stopped to the next one', async () => {
      const [topic, group] = [await newTopic(1), newGroup()];
      await carrier.publish(Array.from({ length: 60 }, (_, at) => messageTo(topic, 'k', String(at))));
      const handled: string[] = [];
      const isUnderWay = Promise.withResolvers<void>();
      const first = await open().subscribe({
        group,
        topics: [topic],
        batchSize: 5,
        handle: async (batch) => {
          handled.push(...batch.map(textOf));
          isUnderWay.resolve();
          await new Promise((resolve) => setTimeout(resolve, 50));
        },
      });
      await isUnderWay.promise;
      await first.stop();
      expect(handled.length).toBeLessThan(60);
      const second = await collect(open(), topic, group);
      await eventually(() => new Set([...handled, ...second.got.map(textOf)]).size === 60);
      // And it begins where the first one ended.
      expect(second.got.map(textOf)).toEqual(
        Array.from({ length: 60 - handled.length }, (_, at) => String(at + handled.length)),
      );
    });

    it('gives at most as many at once as asked for', async () => {
      const topic = await newTopic(2);
      await carrier.publish(Array.from({ length: 60 }, (_, at) => messageTo(topic, `k${at % 5}`, String(at))));
      const sizes: number[] = [];
      await collect(carrier, topic, newGroup(), {
        batchSize: 7,
        handle: async (batch) => {
          sizes.push(batch.length);
        },
      });
      await eventually(() => sizes.reduce((sum, each) => sum + each, 0) >= 60);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(7);
    });

    it('does not make the other keys wait for the end of a flood of one', async () => {
      const topic = await newTopic(6);
      const flood = Array.from({ length: 600 }, (_, at) => messageTo(topic, 'flood', String(at)));
      const drops = Array.from({ length: 24 }, (_, at) => messageTo(topic, `drop ${at}`, 'drop'));
      await carrier.publish([...flood, ...drops]);
      const handled: IncomingMessage[] = [];
      await collect(carrier, topic, newGroup(), {
        batchSize: 20,
        handle: async (batch) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          handled.push(...batch);
        },
      });
      await eventually(() => handled.length >= 624);
      const flooded = handled.find((each) => each.key === 'flood')?.partition;
      // Keys of the flood's own partition are behind it: that is the price of order.
      const others = handled.filter((each) => each.partition !== flooded);
      expect(others.length).toBeGreaterThan(0);
      expect(handled.findLastIndex((each) => each.partition !== flooded)).toBeLessThan(handled.length / 2);
    });

    it('gives a batch that threw again, in order, and goes on', async () => {
      const topic = await newTopic(1);
      const handled: string[] = [];
      let throws = 2;
      await carrier.publish(['1', '2', '3'].map((text) => messageTo(topic, 'k', text)));
      await collect(carrier, topic, newGroup(), {
        handle: async (batch) => {
          throws -= 1;
          if (throws >= 0) throw new Error('not this time');
          handled.push(...batch.map(textOf));
        },
      });
      await eventually(() => handled.length >= 3);
      await carrier.publish([messageTo(topic, 'k', '4')]);
      await eventually(() => handled.includes('4'));
      expect([...new Set(handled)]).toEqual(['1', '2', '3', '4']);
    });

    it('shares the partitions among the members of a group, and gives those of one that leaves to the others', async () => {
      const [topic, group] = [await newTopic(6), newGroup()];
      const members = await Promise.all([open(), open()].map((by) => collect(by, topic, group)));
      let sent = 0;
      const say = async () => {
        const batch = Array.from({ length: 12 }, () => messageTo(topic, `k${(sent += 1)}`, String(sent)));
        await carrier.publish(batch);
      };
      // Until the group has settled one member may have all.
      await eventually(async () => {
        await say();
        await new Promise((resolve) => setTimeout(resolve, 200));
        return members.every((member) => member.got.length > 0);
      });
      const [leaver, stayer] = members;
      await leaver?.stop();
      const before = stayer?.got.length ?? 0;
      await say();
      const all = () => new Set(members.flatMap((member) => member.got.map(textOf)));
      await eventually(() => all().size === sent);
      expect((stayer?.got.length ?? 0) - before).toBeGreaterThanOrEqual(12);
    });

    it('gives what a member had in hand when it was killed to another', async ({ onTestFinished }) => {
      const [topic, group] = [await newTopic(2), newGroup()];
      const member = await underTest.member(topic, group);
      onTestFinished(() => member.kill());
      await carrier.publish(Array.from({ length: 10 }, (_, at) => messageTo(topic, `k${at}`, String(at))));
      await member.hasTaken;
      member.kill();
      const heir = await collect(open(), topic, group);
      await eventually(() => new Set(heir.got.map(textOf)).size === 10, 60_000);
    }, 90_000);

    it('says that it answers', async () => {
      await carrier.check();
    });
  });
}
