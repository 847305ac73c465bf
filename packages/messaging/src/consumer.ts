/**
 * Carrier → handler. A batch that throws is tried again key by key; a key that keeps throwing is parked with everything
 * that follows it, so that its order is kept and the others flow. When a part of the product is away nothing is parked:
 * it is waited for.
 */
import { codeOf, type AnyDatabase } from '@tillstream/database/database';
import { inSpan } from '@tillstream/telemetry/trace';
import type { Log } from './log.ts';
import type { Carrier, IncomingMessage, RunningSubscription, Subscription } from './message.ts';
import { keysParked, park } from './parked.ts';

export interface ConsumerOptions {
  readonly database: AnyDatabase;
  readonly carrier: Carrier;
  readonly subscription: Subscription;
  readonly log: Log;
  /** Pauses between the tries of a key that throws; after the last it is parked. Default 200 ms, 1 s, 5 s. */
  readonly retryDelaysMs?: readonly number[];
}

// Under one and a half times the carrier's patience with a member that does not answer.
const retryDelaysMs = [200, 1_000, 5_000];
const outageDelayMs = 1_000;

export function startConsumer(options: ConsumerOptions): Promise<RunningSubscription> {
  const { database, carrier, subscription } = options;
  const stopping = new AbortController();
  const handle = async (batch: readonly IncomingMessage[]): Promise<void> => {
    const parkedKeys = await keysParked(database, subscription.group, batch);
    const behind = batch.filter((message) => parkedKeys.has(keyOf(message)));
    const flowing = batch.filter((message) => !parkedKeys.has(keyOf(message)));
    if (behind.length > 0) await park(database, subscription.group, behind, 'an earlier message of this key is parked');
    if (flowing.length > 0) await handleAll(options, flowing, stopping.signal);
  };
  return carrier.subscribe({ ...subscription, handle }).then((running) => ({
    stop: async () => {
      stopping.abort();
      await running.stop();
    },
  }));
}

async function handleAll(options: ConsumerOptions, batch: readonly IncomingMessage[], signal: AbortSignal): Promise<void> {
  try {
    await process(options.subscription, batch);
    return;
  } catch (error) {
    options.log.warn({ err: error, group: options.subscription.group, messages: batch.length }, 'a batch failed and is tried key by key');
  }
  for (const [key, messages] of Map.groupBy(batch, keyOf)) await handleKey(options, key, messages, signal);
}

async function handleKey(options: ConsumerOptions, key: string, messages: readonly IncomingMessage[], signal: AbortSignal): Promise<void> {
  const { subscription, log } = options;
  const delays = options.retryDelaysMs ?? retryDelaysMs;
  let failures = 0;
  for (;;) {
    try {
      await process(subscription, messages);
      return;
    } catch (error) {
      // Stopping: the carrier gives them again to whoever comes next.
      if (signal.aborted) throw error;
      const isAway = isOutage(error);
      if (!isAway && failures >= delays.length) {
        log.error({ err: error, group: subscription.group, key, messages: messages.length }, 'parked');
        await park(options.database, subscription.group, messages, describe(error));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, isAway ? outageDelayMs : delays[failures]));
      if (!isAway) failures += 1;
    }
  }
}

function process(subscription: Subscription, batch: readonly IncomingMessage[]): Promise<void> {
  const [first] = batch;
  const name = `process ${first?.topic ?? ''}`;
  const attributes = { 'messaging.consumer.group.name': subscription.group, 'messaging.batch.message_count': batch.length };
  // One message is a child of what caused it; a batch links to its causes, and each command continues its own trace.
  return batch.length === 1
    ? inSpan(name, { kind: 'consumer', parent: first?.headers.traceparent ?? '', attributes }, () => subscription.handle(batch))
    : inSpan(name, { kind: 'consumer', links: batch.slice(0, 20).map((message) => message.headers.traceparent), attributes }, () => subscription.handle(batch));
}

function keyOf(message: IncomingMessage): string {
  return `${message.topic} ${message.key}`;
}

/** The message is not to blame: the database or another service does not answer. */
function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  // Postgres: connection failures, shutdown, too many connections, read-only after a failover, lock or statement timeout.
  if (/^(08|57P0|53|25006|55P03|57014)/.test(code)) return true;
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'unavailable', 'rate_limited'].includes(code)) return true;
  return error instanceof Error && /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(error.message);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : 'unknown error';
}
