/**
 * Carrier → handler. A batch that throws is tried again key by key, and at last message by message: the one that keeps
 * throwing is parked with everything of its key that follows it, so that the key's order is kept and the others flow.
 * When a part of the product is away nothing is parked: it is waited for.
 */
import type { AnyDatabase } from '@tillstream/database/database';
import { counter, durations } from '@tillstream/telemetry/metrics';
import { inSpan } from '@tillstream/telemetry/trace';
import { probe } from '@tillstream/telemetry/probe';
import { wallClock, type Clock } from './clock.ts';
import type { Log } from './log.ts';
import { catchUpWithMessages } from './merchant-clocks.ts';
import type { Carrier, IncomingMessage, RunningSubscription, Subscription } from './message.ts';
import { isOutage } from './outage.ts';
import { keyOf, park, parkBehind, ParkedKeys } from './parked.ts';

export interface ConsumerOptions {
  readonly database: AnyDatabase;
  readonly carrier: Carrier;
  readonly subscription: Subscription;
  /** Default: the wall's. */
  readonly clock?: Clock;
  readonly log: Log;
  /** Pauses between the tries of a key that throws; after the last it is parked. Default 200 ms, 1 s, 5 s. */
  readonly retryDelaysMs?: readonly number[];
}

// Together under the ten seconds after which a carrier may think that a member is dead.
const retryDelaysMs = [200, 1_000, 5_000];
const outageDelayMs = 1_000;

const handled = counter('tillstream.messages.handled', 'Messages handled');
const duration = durations('tillstream.messages.duration', 'Time to handle a batch');

export async function startConsumer(options: ConsumerOptions): Promise<RunningSubscription> {
  const { database, carrier, subscription, clock = wallClock } = options;
  const stopping = new AbortController();
  const parked = new ParkedKeys(database, subscription.group);
  const handle = async (batch: readonly IncomingMessage[]): Promise<void> => {
    probe('message fetched');
    await catchUpWithMessages(
      clock,
      batch.map(({ headers }) => ({ merchantId: headers.merchant_id, at: new Date(headers.ce_time) })),
    );
    const parkedKeys = await parked.among(batch);
    if (parkedKeys.size === 0) return handleAll(options, parked, batch, stopping.signal);
    const behind = await parkBehind(
      database,
      subscription.group,
      batch.filter((message) => parkedKeys.has(keyOf(message))),
    );
    const flowing = batch.filter((message) => !behind.has(keyOf(message)));
    if (flowing.length > 0) await handleAll(options, parked, flowing, stopping.signal);
  };
  const running = await carrier.subscribe({ ...subscription, handle, onGained: () => parked.forget() });
  return {
    stop: async () => {
      stopping.abort();
      await running.stop();
    },
  };
}

async function handleAll(
  options: ConsumerOptions,
  parked: ParkedKeys,
  batch: readonly IncomingMessage[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await handOver(options.subscription, batch);
    return;
  } catch (error) {
    options.log.warn(
      { err: error, group: options.subscription.group, messages: batch.length },
      'a batch failed and is tried key by key',
    );
  }
  const failing: IncomingMessage[][] = [];
  for (const messages of Map.groupBy(batch, keyOf).values()) {
    // What can be handled is handled before anybody waits for what cannot.
    await handOver(options.subscription, messages).catch(() => failing.push(messages));
  }
  await Promise.all(failing.map((messages) => handleKey(options, parked, messages, signal)));
}

async function handleKey(
  options: ConsumerOptions,
  parked: ParkedKeys,
  messages: readonly IncomingMessage[],
  signal: AbortSignal,
): Promise<void> {
  const { subscription, log } = options;
  const delays = options.retryDelaysMs ?? retryDelaysMs;
  let failures = 0;
  // From the last try on the messages go one by one: what comes before the bad one is handled.
  for (let done = 0; done < messages.length;) {
    const isLastTry = failures >= delays.length;
    try {
      const next = isLastTry ? messages.slice(done, done + 1) : messages.slice(done);
      await handOver(subscription, next);
      done += next.length;
    } catch (error) {
      // Stopping: the carrier gives them again to whoever comes next.
      if (signal.aborted) throw error;
      const isAway = isOutage(error);
      if (!isAway && isLastTry) {
        const rest = messages.slice(done);
        log.error(
          { err: error, group: subscription.group, topic: rest[0]?.topic, key: rest[0]?.key, messages: rest.length },
          'parked',
        );
        parked.forget();
        await park(options.database, subscription.group, rest, describe(error));
        parked.forget();
        return;
      }
      await pause(isAway ? outageDelayMs : (delays[failures] ?? 0), signal);
      if (!isAway) failures += 1;
    }
  }
}

async function handOver(subscription: Subscription, batch: readonly IncomingMessage[]): Promise<void> {
  const [first] = batch;
  const name = `process ${first?.topic ?? ''}`;
  const attributes = {
    'messaging.destination.name': first?.topic ?? '',
    'messaging.consumer.group.name': subscription.group,
    'messaging.batch.message_count': batch.length,
  };
  const startedAt = performance.now();
  let outcome = 'ok';
  try {
    // One message is a child of what caused it; a batch links to its causes, and each command continues its own trace.
    const place =
      batch.length === 1
        ? { parent: first?.headers.traceparent ?? '' }
        : { links: batch.slice(0, 20).map((message) => message.headers.traceparent) };
    await inSpan(name, { kind: 'consumer', ...place, attributes }, () => subscription.handle(batch));
    probe('inbox committed');
  } catch (error) {
    outcome = 'error';
    throw error;
  } finally {
    const labels = {
      'messaging.destination.name': first?.topic ?? '',
      'messaging.consumer.group.name': subscription.group,
      outcome,
    };
    handled.add(batch.length, labels);
    duration.record((performance.now() - startedAt) / 1_000, labels);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : 'unknown error';
}
