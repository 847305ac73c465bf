/**
 * A carrier in memory, whose publications, deliveries and commits are operations of the scheduler. Same promises as Kafka:
 * order per key, at least once, consumer groups; and the same bad manners: batches that come again, members that are
 * thought dead and commit late, offsets that go back.
 */
import { createHash } from 'node:crypto';
import type {
  Carrier,
  Heads,
  IncomingMessage,
  OutgoingMessage,
  RunningSubscription,
  Subscription,
} from '@tillstream/messaging/message';
import { currentOwner, runAs, type Owner } from './engine/owner.ts';
import type { FaultKind } from './engine/faults.ts';

/** What decides when an operation takes effect; the simulator's scheduler, or nothing at all. */
export interface Turnstile {
  point<T>(operation: {
    readonly label: string;
    readonly faults?: readonly FaultKind[];
    act(): T | Promise<T>;
    fail?(fault: FaultKind): Error;
  }): Promise<T>;
  /** In [0, below). */
  below(below: number): number;
}

interface Partition {
  readonly topic: string;
  readonly number: number;
  readonly log: IncomingMessage[];
}

interface Member {
  readonly owner: Owner;
  readonly subscription: Subscription;
  /** By partition: the next offset to fetch. */
  readonly positions: Map<Partition, number>;
  isAlive: boolean;
  wake(): void;
}

interface Group {
  /** By partition: the next offset to handle. */
  readonly committed: Map<Partition, number>;
  members: Member[];
}

const publishFaults: readonly FaultKind[] = ['lost before', 'lost after', 'doubled'];
const commitFaults: readonly FaultKind[] = ['rewind', 'lost before'];
const deliveryFaults: readonly FaultKind[] = ['zombie'];
const defaultBatch = 200;
const retryMs = 100;

/** The log and the groups' offsets outlive every process, as a broker does. */
export class Broker {
  readonly topics = new Map<string, readonly Partition[]>();
  readonly groups = new Map<string, Group>();
  readonly turnstile: Turnstile;

  constructor(turnstile: Turnstile) {
    this.turnstile = turnstile;
  }

  partitionsOf(topic: string): readonly Partition[] {
    const found = this.topics.get(topic);
    if (found === undefined) throw new Error(`the topic ${topic} was not declared`);
    return found;
  }

  append(message: OutgoingMessage): void {
    const partitions = this.partitionsOf(message.topic);
    const number = createHash('sha1').update(message.key).digest().readUInt32BE(0) % partitions.length;
    const partition = partitions[number];
    if (partition === undefined) throw new Error('no partition');
    partition.log.push({ ...message, partition: number, offset: BigInt(partition.log.length) });
  }

  wakeAll(topics: ReadonlySet<string>): void {
    for (const group of this.groups.values())
      for (const member of group.members)
        if (member.subscription.topics.some((topic) => topics.has(topic))) member.wake();
  }

  groupOf(name: string): Group {
    const known = this.groups.get(name) ?? { committed: new Map(), members: [] };
    this.groups.set(name, known);
    return known;
  }

  /** Deals the partitions out among the living members; who gets one begins at its committed offset. */
  deal(group: Group): void {
    group.members = group.members.filter((member) => member.isAlive && member.owner.isAlive);
    if (group.members.length === 0) return;
    const topics = [...new Set(group.members.flatMap((member) => member.subscription.topics))].toSorted();
    const all = topics.flatMap((topic) => this.topics.get(topic) ?? []);
    const before = new Map(group.members.map((member) => [member, new Map(member.positions)]));
    for (const member of group.members) member.positions.clear();
    all.forEach((partition, at) => {
      const able = group.members.filter((member) => member.subscription.topics.includes(partition.topic));
      const taker = able[at % able.length];
      if (taker === undefined) return;
      const known = before.get(taker)?.get(partition);
      taker.positions.set(partition, known ?? group.committed.get(partition) ?? 0);
    });
    for (const member of group.members) member.wake();
  }

  /** Everything that was ever published, as it came within each partition. */
  all(): readonly IncomingMessage[] {
    return [...this.topics.values()].flatMap((partitions) => partitions.flatMap((partition) => partition.log));
  }

  /** Who has not handled what, in words; '' = everybody has heard everything. */
  behind(): string {
    for (const [name, { committed, members }] of this.groups)
      for (const member of members)
        for (const [partition] of member.positions)
          if ((committed.get(partition) ?? 0) < partition.log.length)
            return `${name} has not heard all of ${partition.topic}`;
    return '';
  }

  lag(name: string, topics: readonly string[]): bigint {
    const group = this.groupOf(name);
    let lag = 0;
    for (const topic of topics)
      for (const partition of this.partitionsOf(topic))
        lag += partition.log.length - (group.committed.get(partition) ?? 0);
    return BigInt(lag);
  }
}

/** A connection of one process to the broker. */
export function carrierOf(broker: Broker): Carrier {
  const { turnstile } = broker;
  const mine = new Set<RunningSubscription>();
  return {
    declare: (topics) =>
      turnstile.point({
        label: 'declare topics',
        act: () => {
          for (const { name, partitions } of topics)
            if (!broker.topics.has(name))
              broker.topics.set(
                name,
                Array.from({ length: partitions }, (_, number) => ({ topic: name, number, log: [] })),
              );
          for (const group of broker.groups.values()) broker.deal(group);
        },
      }),
    async publish(batch) {
      if (batch.length === 0) return;
      await turnstile.point({
        label: `publish ${batch.length} to ${[...new Set(batch.map((each) => each.topic.split('.')[1]))].join('+')}`,
        faults: publishFaults,
        act: () => {
          for (const { topic } of batch) broker.partitionsOf(topic);
          for (const message of batch) broker.append(message);
          broker.wakeAll(new Set(batch.map((message) => message.topic)));
        },
        fail: () => new Error('the broker did not answer'),
      });
    },
    async subscribe(subscription) {
      const running = await turnstile.point({
        label: `join ${subscription.group}`,
        act: () => join(broker, subscription),
      });
      mine.add(running);
      return running;
    },
    lag: async (group, topics) => broker.lag(group, topics),
    heads: async (topics): Promise<Heads> =>
      topics.flatMap((topic) =>
        broker
          .partitionsOf(topic)
          .map((partition) => ({ topic, partition: partition.number, next: BigInt(partition.log.length) })),
      ),
    hasHeard: async (name, heads) => {
      const group = broker.groupOf(name);
      return heads.every(({ topic, partition, next }) => {
        const found = broker.partitionsOf(topic)[partition];
        return found === undefined || BigInt(group.committed.get(found) ?? 0) >= next;
      });
    },
    check: async () => undefined,
    async close() {
      await Promise.all([...mine].map((running) => running.stop()));
    },
  };
}

function join(broker: Broker, subscription: Subscription): RunningSubscription {
  const group = broker.groupOf(subscription.group);
  let wakeUp: (() => void) | undefined;
  let isWoken = false;
  const member: Member = {
    owner: currentOwner(),
    subscription,
    positions: new Map(),
    isAlive: true,
    wake: () => {
      isWoken = true;
      wakeUp?.();
    },
  };
  group.members.push(member);
  broker.deal(group);
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      isWoken = false;
      const hasMore = await turn(broker, group, member);
      if (!hasMore && !isWoken && !stopping.signal.aborted)
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
      wakeUp = undefined;
    }
  };
  const ended = runAs(member.owner, loop);
  return {
    stop: async () => {
      stopping.abort();
      member.wake();
      await ended;
      member.isAlive = false;
      broker.deal(group);
    },
  };
}

/** One batch: fetched, handled, committed. */
async function turn(broker: Broker, group: Group, member: Member): Promise<boolean> {
  const { subscription } = member;
  const { turnstile } = broker;
  if (!hasNews(member)) return false;
  let isZombie = false;
  const batch = await turnstile
    .point({
      label: `deliver to ${subscription.group}`,
      faults: deliveryFaults,
      act: () => take(member, turnstile),
      // The others think that it is dead, and it does not know.
      fail: () => {
        isZombie = true;
        return new Error('a member is thought dead');
      },
    })
    .catch(() => take(member, turnstile));
  if (batch.length === 0) return true;
  const isMine = ({ topic, partition }: IncomingMessage) =>
    [...member.positions.keys()].some((mine) => mine.topic === topic && mine.number === partition);
  const rewind = () => {
    for (const message of batch) {
      const partition = broker.partitionsOf(message.topic)[message.partition];
      const at = Number(message.offset);
      if (partition !== undefined && member.positions.has(partition))
        member.positions.set(partition, Math.min(member.positions.get(partition) ?? at, at));
    }
  };
  if (isZombie) {
    // Its partitions begin anew at what was committed, for an heir that handles the same at the same time.
    const heir: Member = { ...member, positions: new Map(), wake: () => undefined };
    for (const [partition] of member.positions) heir.positions.set(partition, group.committed.get(partition) ?? 0);
    void handleAll(broker, group, heir);
  }
  try {
    await subscription.handle(batch);
  } catch {
    rewind();
    await new Promise<void>((resolve) => setTimeout(resolve, retryMs));
    return true;
  }
  await turnstile
    .point({
      label: `offsets of ${subscription.group}`,
      faults: commitFaults,
      // A crash here gives the batch again: at least once.
      act: () => {
        commit(broker, group, batch);
        // Somebody else has read further meanwhile: what was moved back comes again.
        if (batch.some((message) => !isMine(message))) beginAtCommitted(group);
      },
      fail: () => new Error('the offsets were not kept'),
    })
    .catch(() => rewind());
  return true;
}

async function handleAll(broker: Broker, group: Group, heir: Member): Promise<void> {
  const batch = take(heir, broker.turnstile);
  if (batch.length === 0) return;
  await heir.subscription.handle(batch).then(
    () => {
      commit(broker, group, batch);
      beginAtCommitted(group);
    },
    () => undefined,
  );
}

/** As when the group is dealt out anew: whoever had read further than what is committed now reads it again. */
function beginAtCommitted(group: Group): void {
  for (const member of group.members) {
    for (const [partition, position] of member.positions)
      member.positions.set(partition, Math.min(position, group.committed.get(partition) ?? 0));
    member.wake();
  }
}

function hasNews(member: Member): boolean {
  for (const [partition, position] of member.positions) if (partition.log.length > position) return true;
  return false;
}

/** Some messages of some partitions, in order within each. */
function take(member: Member, turnstile: Turnstile): readonly IncomingMessage[] {
  const ready = [...member.positions].filter(([partition, position]) => partition.log.length > position);
  const most = member.subscription.batchSize ?? defaultBatch;
  // Often one message alone, so that orders of handling differ from history to history.
  const size = turnstile.below(3) === 0 ? 1 : most;
  const batch: IncomingMessage[] = [];
  const first = ready.length === 0 ? 0 : turnstile.below(ready.length);
  for (let at = 0; at < ready.length && batch.length < size; at += 1) {
    const [partition, position] = ready[(first + at) % ready.length] ?? [];
    if (partition === undefined || position === undefined) continue;
    const taken = partition.log.slice(position, position + size - batch.length);
    member.positions.set(partition, position + taken.length);
    batch.push(...taken);
  }
  return batch;
}

/** Blindly, as some clients do: who comes late moves the offset back. */
function commit(broker: Broker, group: Group, batch: readonly IncomingMessage[]): void {
  for (const message of batch) {
    const partition = broker.partitionsOf(message.topic)[message.partition];
    if (partition !== undefined) group.committed.set(partition, Number(message.offset) + 1);
  }
}
