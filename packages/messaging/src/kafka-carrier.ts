/** The carrier on Kafka, by kafkajs. What its source taught (and our answers) stands beside each setting. */
import {
  Kafka,
  logLevel,
  Partitioners,
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type IHeaders,
  type LogEntry,
  type Producer,
} from 'kafkajs';
import { probe } from '@tillstream/telemetry/probe';
import { gather } from './gather.ts';
import type { Log } from './log.ts';
import type {
  Carrier,
  IncomingMessage,
  MessageHeaders,
  OutgoingMessage,
  RunningSubscription,
  Subscription,
} from './message.ts';

const maxDeclarations = 5;

// A broker that is away must not hold the outbox's relay for ever.
const publishDeadlineMs = 10_000;
// Readiness is asked every few seconds and should be answered by then.
const checkDeadlineMs = 3_000;
const reopenAfterMs = 5_000;
const sayAgainMs = 60_000;
// What is fetched of so many partitions is handled at the same time, which is to say together.
const partitionsAtOnce = 24;

export function kafkaCarrier(options: { brokers: readonly string[]; clientId: string; log: Log }): Carrier {
  const { log } = options;
  const kafka = new Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    logLevel: logLevel.WARN,
    logCreator: () => quietly(log),
    retry: { initialRetryTime: 100, maxRetryTime: 3_000, retries: 8 },
  });
  let producing: Promise<Producer> | undefined;
  let administering: Promise<Admin> | undefined;
  const failures = new Map<Subscription, string>();
  const consumers = new Set<RunningSubscription>();
  // kafkajs numbers an idempotent producer's batches; two sends at once arrive out of order (#598).
  let sending: Promise<unknown> = Promise.resolve();

  const admin = (): Promise<Admin> => (administering ??= connected(kafka.admin(), () => (administering = undefined)));
  const producer = (): Promise<Producer> =>
    (producing ??= connected(
      // Few tries: whoever publishes tries again by itself, and kafkajs would go on for ever.
      kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
        retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
      }),
      () => (producing = undefined),
    ));
  const send = async (batch: readonly OutgoingMessage[]): Promise<void> => {
    const attempt = producer();
    try {
      await within(publishDeadlineMs, async () => {
        const client = await attempt;
        await client.sendBatch({
          acks: -1,
          topicMessages: [...Map.groupBy(batch, (message) => message.topic)].map(([topic, messages]) => ({
            topic,
            messages: messages.map(toKafka),
          })),
        });
      });
    } catch (error) {
      // Whether the batch arrived is not known, and kafkajs would give its sequence number to the next one, which the
      // broker might then take for a repetition and drop. A new producer has new numbers.
      producing = undefined;
      attempt.then((client) => client.disconnect()).catch(() => undefined);
      throw error;
    }
  };

  return {
    async declare(topics) {
      const client = await admin();
      for (let attempt = 1; ; attempt += 1) {
        const existing = new Set(await client.listTopics());
        const missing = topics.filter((topic) => !existing.has(topic.name));
        if (missing.length === 0) return;
        try {
          await client.createTopics({
            waitForLeaders: true,
            topics: missing.map((topic) => ({ topic: topic.name, numPartitions: topic.partitions })),
          });
          return;
        } catch (error) {
          // Another service declares some of the same at this moment: the broker makes the rest and complains.
          if (attempt === maxDeclarations) throw error;
          await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
        }
      }
    },
    async publish(batch) {
      if (batch.length === 0) return;
      const turn = sending.then(() => send(batch));
      sending = turn.catch(() => undefined);
      await turn;
    },
    async subscribe(subscription) {
      const running = await consume(kafka, subscription, log, failures);
      const member = {
        stop: async () => {
          consumers.delete(member);
          await running.stop();
        },
      };
      consumers.add(member);
      return member;
    },
    async lag(group, topics) {
      const client = await admin();
      const committed = await client.fetchOffsets({ groupId: group, topics: [...topics] });
      // The ends are asked for afterwards: none left means that everything was heard.
      const behind = await Promise.all(
        committed.map(async ({ topic, partitions }) => {
          const offsets = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
          return (await client.fetchTopicOffsets(topic)).map(({ partition, high, low }) => {
            const offset = offsets.get(partition) ?? -1n;
            return BigInt(high) - (offset < 0n ? BigInt(low) : offset);
          });
        }),
      );
      return behind.flat().reduce((lag, each) => lag + (each > 0n ? each : 0n), 0n);
    },
    async heads(topics) {
      const client = await admin();
      const ends = await Promise.all(
        topics.map(async (topic) =>
          (await client.fetchTopicOffsets(topic)).map((end) => ({
            topic,
            partition: end.partition,
            // Nothing is left in it: a group that has never committed has missed nothing.
            next: end.high === end.low ? 0n : BigInt(end.high),
          })),
        ),
      );
      return ends.flat();
    },
    async hasHeard(group, heads) {
      const client = await admin();
      const topics = [...new Set(heads.map((head) => head.topic))];
      const committed = await client.fetchOffsets({ groupId: group, topics });
      const heard = new Map(
        committed.flatMap(({ topic, partitions }) =>
          partitions.map((each) => [`${topic} ${each.partition}`, BigInt(each.offset)] as const),
        ),
      );
      return heads.every(
        (head) => head.next === 0n || (heard.get(`${head.topic} ${head.partition}`) ?? -1n) >= head.next,
      );
    },
    async check() {
      // A consumer that crashed for good leaves the process up and deaf: somebody must hear of it.
      const [failure] = failures.values();
      if (failure !== undefined) throw new Error(failure);
      await within(checkDeadlineMs, async () => (await admin()).describeCluster());
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      // What could not connect need not be disconnected.
      await producing?.then((client) => client.disconnect()).catch(() => undefined);
      await administering?.then((client) => client.disconnect()).catch(() => undefined);
    },
  };
}

/** kafkajs logs each try of an outage, and heartbeats that meet a rebalance as errors though they are its daily life. */
function quietly(log: Log): (entry: LogEntry) => void {
  const saidAt = new Map<string, number>();
  return ({ namespace, level, log: { message } }) => {
    const now = Date.now();
    if (now - (saidAt.get(message) ?? 0) < sayAgainMs) return;
    // Messages name brokers and causes: a few dozen at most, but nothing here may grow for ever.
    if (saidAt.size > 200) saidAt.clear();
    saidAt.set(message, now);
    const fields = { kafka: namespace, detail: message };
    if (level === logLevel.ERROR && !/rebalanc|Heartbeat|Response /i.test(message)) log.warn(fields, 'kafka');
    else log.info(fields, 'kafka');
  };
}

async function within<R>(ms: number, run: () => Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Kafka did not answer within ${ms} ms`)), ms);
  });
  return Promise.race([run(), deadline]).finally(() => clearTimeout(timer));
}

async function connected<C extends { connect(): Promise<void> }>(client: C, forget: () => void): Promise<C> {
  try {
    await client.connect();
    return client;
  } catch (error) {
    forget();
    throw error;
  }
}

function toKafka(message: OutgoingMessage): { key: string; value: Buffer; headers: IHeaders } {
  return {
    key: message.key,
    value: Buffer.from(message.value),
    headers: { ...message.headers, 'content-type': 'application/protobuf' },
  };
}

/** A group member. kafkajs restarts it after most failures; after the others it would stay deaf for ever, so it is made anew. */
async function consume(
  kafka: Kafka,
  subscription: Subscription,
  log: Log,
  failures: Map<Subscription, string>,
): Promise<RunningSubscription> {
  const { group } = subscription;
  let isStopped = false;
  let current: Consumer | undefined;
  let reopening: NodeJS.Timeout | undefined;
  const together: Together = {
    // kafkajs gives one partition at a time. Within each the messages stay in order, and none is given twice at once.
    handle: gather(async (messages: readonly IncomingMessage[]) => {
      await subscription.handle(messages);
      return messages;
    }, subscription.batchSize),
    // One request tells how far all partitions are.
    commit: gather(async (payloads: readonly EachBatchPayload[]) => {
      const last = payloads.at(-1);
      await last?.commitOffsetsIfNecessary(last.uncommittedOffsets());
      return payloads;
    }),
  };
  const reopen = (error: unknown) => {
    if (isStopped) return;
    log.error({ err: error, group }, 'the consumer has ended and is made anew');
    failures.set(
      subscription,
      `the consumer of ${group} has ended: ${error instanceof Error ? error.message : String(error)}`,
    );
    reopening = setTimeout(() => void tryAgain(), reopenAfterMs);
  };
  const open = async (): Promise<void> => {
    const consumer = kafka.consumer({
      groupId: group,
      // Every restart is a stop-the-world rebalance here: short times, and a graceful leave.
      sessionTimeout: 10_000,
      heartbeatInterval: 3_000,
      rebalanceTimeout: 15_000,
      maxWaitTimeInMs: 200,
      allowAutoTopicCreation: false,
    });
    current = consumer;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reopen(payload.error);
    });
    consumer.on(consumer.events.GROUP_JOIN, () => subscription.onGained?.());
    try {
      await consumer.connect();
      // Without fromBeginning a new group begins at the end and loses what was said before it came.
      await consumer.subscribe({ topics: [...subscription.topics], fromBeginning: true });
      await consumer.run({
        // With true an early return would mark what was not handled as done.
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: partitionsAtOnce,
        eachBatch: (payload) => handleBatch(payload, subscription, together),
      });
    } catch (error) {
      await consumer.disconnect().catch(() => undefined);
      throw error;
    }
    failures.delete(subscription);
  };
  const tryAgain = async (): Promise<void> => {
    try {
      await open();
    } catch (error) {
      reopen(error);
    }
  };
  await open();
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(reopening);
      await current?.disconnect();
    },
  };
}

interface Together {
  handle(lane: string, messages: readonly IncomingMessage[]): Promise<unknown>;
  commit(lane: string, payloads: readonly EachBatchPayload[]): Promise<unknown>;
}

async function handleBatch(payload: EachBatchPayload, subscription: Subscription, together: Together): Promise<void> {
  const { batch } = payload;
  const messages = batch.messages.map((message): IncomingMessage => ({
    topic: batch.topic,
    partition: batch.partition,
    offset: BigInt(message.offset),
    key: message.key?.toString() ?? '',
    value: message.value ?? Buffer.alloc(0),
    headers: fromKafka(message.headers ?? {}),
  }));
  const size = subscription.batchSize ?? 200;
  for (let at = 0; at < messages.length; at += size) {
    if (!payload.isRunning() || payload.isStale()) return;
    const part = messages.slice(at, at + size);
    // A long handler must not be taken for dead.
    const beating = setInterval(() => void payload.heartbeat().catch(() => undefined), 3_000);
    try {
      await together.handle('', part);
    } finally {
      clearInterval(beating);
    }
    const last = part.at(-1);
    if (last !== undefined) payload.resolveOffset(String(last.offset));
    await payload.heartbeat();
    // A crash before this gives the part again: at least once. Without offsets kafkajs would wait for the batch's end.
    await together.commit('', [payload]);
    probe('offset committed');
  }
}

function fromKafka(headers: IHeaders): MessageHeaders {
  const read = (name: string): string => {
    const value = headers[name];
    return value === undefined ? '' : [value].flat().map(String).join(',');
  };
  return {
    ce_id: read('ce_id'),
    ce_type: read('ce_type'),
    ce_source: read('ce_source'),
    ce_time: read('ce_time'),
    traceparent: read('traceparent'),
    merchant_id: read('merchant_id'),
  };
}
