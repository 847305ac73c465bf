/** One member of a consumer group on the embedded carrier: membership, its share of the partitions, reading, commits. */
import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyDatabase } from '@tillstream/database/database';
import { probe } from '@tillstream/telemetry/probe';
import {
  beat,
  commitOffsets,
  leave,
  nextPerShare,
  readShares,
  takeShare,
  type Member,
  type Share,
} from './embedded-shares.ts';
import type { Log } from './log.ts';
import { startLoop } from './loop.ts';
import type { IncomingMessage, RunningSubscription, Subscription } from './message.ts';

const heartbeatMs = 3_000;
// Without a signal a message of another process waits at most this long.
const pollMs = 1_000;
const defaultBatch = 200;
// Under load what arrives within this time is read together. Two groups follow each other between a payment and its
// licence: that is a third of what they may take (150 ms). Who has rested for so long reads at once.
const gatherMs = 25;
// Offsets are written so long after the first message that they do not tell of, and when somebody asks whether all was
// heard. A crash gives the messages since then again, and the inbox knows them.
const commitMs = 200;

export interface GroupMember extends RunningSubscription {
  readonly group: string;
  /** Writes how far it is. */
  write(): Promise<void>;
  /** Of all groups, as of the last heartbeat. */
  membersAlive(): number;
}

export async function startGroupMember(parts: {
  database: AnyDatabase;
  arrivals: EventEmitter;
  subscription: Subscription;
  log: Log;
}): Promise<GroupMember> {
  const { database, arrivals, subscription, log } = parts;
  const size = subscription.batchSize ?? defaultBatch;
  const member: Member = { group: subscription.group, id: randomUUID(), topics: [...subscription.topics] };
  let owned: Share[] = [];
  let around = '';
  let perShare = size;
  let [joinedAt, readAt] = [0, 0];
  let membersAlive = 0;
  let writing: Promise<void> = Promise.resolve();
  let writeLater: NodeJS.Timeout | undefined;
  // A read is still to come that finds what is signalled now.
  let [willRead, isStopped] = [false, false];
  const unwritten = new Map<string, Share>();

  /** Says that this member lives; when something has changed around it, gives back what is too much and takes what is free. */
  const rebalance = async (): Promise<void> => {
    const now = await beat(database, member);
    ({ membersAlive } = now);
    joinedAt = Date.now();
    if (now.around === around) return;
    await write();
    const before = new Map(owned.map((each) => [nameOf(each), each]));
    const shares = await takeShare(database, member);
    owned = shares.map((share) => before.get(nameOf(share)) ?? share);
    if (owned.some((share) => !before.has(nameOf(share)))) subscription.onGained?.();
    // What this changed is not news the next time.
    ({ around, membersAlive } = await beat(database, member));
    joinedAt = Date.now();
  };

  /** A crash before this gives what was handled again: at least once. */
  const write = (): Promise<void> => {
    clearTimeout(writeLater);
    writeLater = undefined;
    writing = writing.catch(() => undefined).then(writeNow);
    return writing;
  };

  const writeNow = async (): Promise<void> => {
    const moved = [...unwritten.values()].map((share) => ({ ...share }));
    if (moved.length === 0) return;
    const kept = await commitOffsets(database, member, moved);
    probe('offset committed');
    for (const share of moved) {
      const name = nameOf(share);
      if (unwritten.get(name)?.nextOffset === share.nextOffset) unwritten.delete(name);
      if (kept.has(`${share.topic} ${share.partition}`)) continue;
      // Another owner has taken over: it reads from the last commit.
      unwritten.delete(name);
      owned = owned.filter((each) => nameOf(each) !== name);
      [around, joinedAt] = ['', 0];
    }
  };

  const turn = async (): Promise<boolean> => {
    willRead = true;
    try {
      return await readOn();
    } finally {
      willRead = false;
    }
  };

  const readOn = async (): Promise<boolean> => {
    if (Date.now() - joinedAt >= heartbeatMs) await rebalance();
    if (owned.length === 0) return false;
    const soonMs = readAt + gatherMs - performance.now();
    if (soonMs > 0) await sleep(soonMs);
    readAt = performance.now();
    willRead = false;
    const rows = await readShares(database, owned, perShare, size);
    const before = perShare;
    perShare = nextPerShare(rows, perShare, size);
    if (rows.length > 0) await handle(rows);
    // What was cut off is there.
    return rows.length >= size || perShare > before;
  };

  const handle = async (batch: readonly IncomingMessage[]): Promise<void> => {
    const mine = new Map(owned.map((share) => [`${share.topic} ${share.partition}`, share]));
    // A long handler must not lose its partitions while it works.
    const keepAlive = setInterval(() => void beat(database, member).catch(() => undefined), heartbeatMs);
    try {
      await subscription.handle(batch);
    } finally {
      clearInterval(keepAlive);
    }
    for (const message of batch) {
      const share = mine.get(`${message.topic} ${message.partition}`);
      if (share === undefined) continue;
      share.nextOffset = message.offset + 1n;
      unwritten.set(nameOf(share), share);
    }
    writeSoon();
  };

  /** One that fails is tried again. */
  const writeSoon = (): void => {
    writeLater ??= setTimeout(() => void write().catch(() => isStopped || writeSoon()), commitMs);
  };

  await rebalance();
  const loop = startLoop({
    name: `group ${member.group}`,
    turn,
    idleMs: pollMs,
    log,
    onWake(listener) {
      const arrive = () => {
        if (!willRead) listener();
      };
      for (const topic of member.topics) arrivals.on(topic, arrive);
      return () => {
        for (const topic of member.topics) arrivals.off(topic, arrive);
      };
    },
  });
  return {
    group: member.group,
    write,
    membersAlive: () => membersAlive,
    async stop() {
      await loop.stop();
      isStopped = true;
      await write().catch(() => undefined);
      await leave(database, member).catch(() => undefined);
    },
  };
}

/** A partition that was lost and won again is another share. */
function nameOf(share: Share): string {
  return `${share.topic} ${share.partition} ${share.epoch}`;
}
