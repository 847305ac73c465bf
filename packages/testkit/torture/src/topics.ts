/** Reads every topic from its beginning and holds it against the outboxes. */
import { allTopics } from '@tillstream/messaging/topics';
import { Kafka, logLevel } from 'kafkajs';
import type { Client } from 'pg';
import { codeMark } from './shop.ts';
import type { World } from './world.ts';

export interface TopicFigures {
  readonly messages: number;
  readonly repeatedMessages: number;
}

interface Message {
  readonly topic: string;
  readonly key: string;
  readonly id: string;
}

const publishers = ['order', 'payment', 'fulfillment', 'subscription'];

export async function checkTopics(
  client: Client,
  world: World,
  poisoned: readonly { readonly topic: string; readonly key: string }[],
  say: (what: string) => void,
): Promise<TopicFigures> {
  const { messages, hasCode } = await readAll(world);
  if (hasCode) say('a topic has a licence code');
  const said = messages.filter(({ topic, key }) => !poisoned.some((each) => each.topic === topic && each.key === key));
  const first = new Map<string, number>();
  said.forEach(({ id }, at) => {
    if (!first.has(id)) first.set(id, at);
  });
  const known = new Set<string>();
  for (const schema of publishers) {
    const { rows } = await client.query<{ event_id: string; aggregate: string }>(
      `select event_id::text, aggregate_type || ' ' || aggregate_id as aggregate from "${schema}".outbox order by id`,
    );
    // What was said of one thing was heard first in the order of its versions.
    for (const [aggregate, events] of Map.groupBy(rows, (row) => row.aggregate)) {
      let before = -1;
      for (const { event_id: id } of events) {
        known.add(id);
        const at = first.get(id);
        if (at === undefined) say(`${schema} has committed ${id} of ${aggregate}, and no topic has it`);
        else if (at < before) say(`${id} of ${aggregate} was published before what it follows`);
        before = Math.max(before, at ?? before);
      }
    }
  }
  for (const id of first.keys()) if (!known.has(id)) say(`a topic has ${id}, which nobody has committed`);
  return { messages: said.length, repeatedMessages: said.length - first.size };
}

/** Messages of one partition are in its order. */
async function readAll(world: World): Promise<{ messages: readonly Message[]; hasCode: boolean }> {
  const kafka = new Kafka({ brokers: [...world.broker.addresses], clientId: 'torture', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const left = new Map<string, bigint>();
  for (const { name } of allTopics) {
    for (const { partition, high } of await admin.fetchTopicOffsets(name))
      if (BigInt(high) > 0n) left.set(`${name} ${partition}`, BigInt(high));
  }
  await admin.disconnect();
  const messages: Message[] = [];
  let hasCode = false;
  if (left.size === 0) return { messages, hasCode };
  const consumer = kafka.consumer({ groupId: `torture-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: allTopics.map(({ name }) => name), fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          for (const message of batch.messages) {
            hasCode ||= message.value?.includes(codeMark) === true;
            messages.push({
              topic: batch.topic,
              key: String(message.key ?? ''),
              id: String(message.headers?.['ce_id'] ?? ''),
            });
          }
          const partition = `${batch.topic} ${batch.partition}`;
          if (BigInt(batch.lastOffset()) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
          if (left.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return { messages, hasCode };
}
