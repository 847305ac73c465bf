/** Everything that moves messages for one service: relay, consumers, timers, sweeper; started and stopped in order. */
import type { AnyDatabase } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { Clock } from './clock.ts';
import { startConsumer } from './consumer.ts';
import type { Log } from './log.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Carrier, RunningSubscription, Subscription, TopicDeclaration } from './message.ts';
import { countParked } from './parked.ts';
import { startRelay } from './relay.ts';
import { startSweeper } from './sweeper.ts';
import { startTimers, type TimerHandler } from './timers.ts';
import { allTopics } from './topics.ts';

// Nothing is left to do then; the loop only waits for its end.
const joinedIdleMs = 3_600_000;
// A group that lost a member to a kill lets nobody in until that member's session is over, ten seconds later. Who calls
// this service need not wait for that.
const joinPatienceMs = 1_000;

export interface MessagingParts {
  readonly name: string;
  readonly database: AnyDatabase;
  readonly carrier: Carrier;
  /** The topics it publishes to. */
  readonly topics: readonly TopicDeclaration[];
  readonly subscriptions: readonly Subscription[];
  readonly timers: readonly TimerHandler[];
  readonly clock: Clock;
  readonly log: Log;
  /** For tests: the pauses before a key is parked. */
  readonly retryDelaysMs?: readonly number[];
}

export interface MessagingFigures {
  readonly outboxUnsent: number;
  readonly outboxOldestMs: number;
  readonly parked: number;
}

export interface RunningMessaging {
  /** Stops taking, finishes what runs, and sends what the outbox still has while the carrier answers. */
  stop(): Promise<void>;
  figures(): Promise<MessagingFigures>;
}

export async function startMessaging(parts: MessagingParts): Promise<RunningMessaging> {
  const { name, database, carrier, log } = parts;
  const groups = parts.subscriptions.map((subscription) => subscription.group);
  // The carriers share out a group's topics among its members, so each must hear all of them.
  if (new Set(groups).size < groups.length)
    throw new Error(`${name}: a group has one subscription; give it all topics`);
  const heard = new Set(parts.subscriptions.flatMap((subscription) => subscription.topics));
  const timers = startTimers({ database, handlers: parts.timers, clock: parts.clock, log });
  const sweeper = startSweeper(database, log);
  // Whoever comes first declares: a consumer may start before the service whose topic it hears.
  const topics = [
    ...parts.topics,
    ...allTopics.filter((topic) => heard.has(topic.name) && !parts.topics.some((own) => own.name === topic.name)),
  ];
  const waiting = [...parts.subscriptions];
  const consumers: RunningSubscription[] = [];
  let relay: Loop | undefined;
  const join = async (): Promise<void> => {
    await carrier.declare(topics);
    if (parts.topics.length > 0) relay ??= startRelay({ name, database, carrier, log });
    const retries = parts.retryDelaysMs === undefined ? {} : { retryDelaysMs: parts.retryDelaysMs };
    for (let [subscription] = waiting; subscription !== undefined; [subscription] = waiting) {
      consumers.push(await startConsumer({ database, carrier, subscription, clock: parts.clock, log, ...retries }));
      waiting.shift();
    }
  };
  // A carrier that is away when a service starts keeps nobody from buying: the outbox waits.
  const joining = join().then(
    () => undefined,
    (error: unknown) => {
      log.error({ err: error, service: name }, 'the carrier is not there; messages wait until it is');
      return joinLater(name, join, log);
    },
  );
  await atMost(joinPatienceMs, joining);
  return {
    stop: async () => {
      await (await joining)?.stop();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      await timers.stop();
      await sweeper.stop();
      await relay?.stop();
    },
    figures: async () => {
      const { rows } = await sql<{ unsent: bigint; oldest_ms: number }>`
        select count(*) as unsent, coalesce(extract(epoch from now() - min(created_at)) * 1000, 0)::float8 as oldest_ms from outbox where sent_at is null`.execute(
        database.unscoped,
      );
      return {
        outboxUnsent: Number(rows[0]?.unsent ?? 0n),
        outboxOldestMs: rows[0]?.oldest_ms ?? 0,
        parked: await countParked(database),
      };
    },
  };
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, patience]).finally(() => clearTimeout(timer));
}

function joinLater(name: string, join: () => Promise<void>, log: Log): Loop {
  let hasJoined = false;
  const turn = async (): Promise<boolean> => {
    if (hasJoined) return false;
    await join();
    hasJoined = true;
    log.info({ service: name }, 'the carrier is there');
    return false;
  };
  return startLoop({ name: `joining of ${name}`, turn, idleMs: joinedIdleMs, log });
}
