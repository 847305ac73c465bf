/** One member of a consumer group on the embedded carrier: membership, its share of the partitions, reading, commits. */
import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { AnyDatabase } from '@tillstream/database/database';
import type { Positions } from './embedded-positions.ts';
import {
  beat,
  leave,
  nameOf,
  nextPerShare,
  readShares,
  takeShare,
  type Member,
  type Share,
} from './embedded-shares.ts';
import type { Tail } from './embedded-tail.ts';
import type { Log } from './log.ts';
import { startLoop } from './loop.ts';
import type { IncomingMessage, RunningSubscription, Subscription } from './message.ts';
import { Pause } from './pause.ts';

const heartbeatMs = 3_000;
// Without a signal a message of another process waits at most this long.
const pollMs = 1_000;
const defaultBatch = 200;
// Under load what arrives within this time is read together. Two groups follow each other between a payment and its
// licence: that is a third of what they may take (150 ms). Who has rested for so long reads at once.
const gatherMs = 25;
export interface GroupMember extends RunningSubscription {
  readonly group: string;
  /** Of all groups, as of the last heartbeat. */
  membersAlive(): number;
  /** Somebody waits until it has read what is there; `isBehind` = there is something now. */
  hurry(isBehind: boolean): void;
}

export async function startGroupMember(parts: {
  database: AnyDatabase;
  /** Emits a topic when it got something; `true` with it when another process may have put it there. */
  arrivals: EventEmitter;
  tail: Tail;
  positions: Positions;
  subscription: Subscription;
  log: Log;
}): Promise<GroupMember> {
  const { database, arrivals, tail, positions, subscription, log } = parts;
  const size = subscription.batchSize ?? defaultBatch;
  const member: Member = { group: subscription.group, id: randomUUID(), topics: [...subscription.topics] };
  let owned: Share[] = [];
  let around = '';
  let perShare = size;
  let [joinedAt, readAt, askedAt] = [0, 0, 0];
  let membersAlive = 0;
  // A read is still to come that finds what is signalled now.
  let willRead = false;
  const gathering = new Pause();
  // There may be messages in the log that this process did not publish.
  let mayHaveMissed = true;

  /** Says that this member lives; when something has changed around it, gives back what is too much and takes what is free. */
  const rebalance = async (): Promise<void> => {
    const now = await beat(database, member);
    ({ membersAlive } = now);
    joinedAt = Date.now();
    if (now.isSettled && now.around === around) return;
    await positions.write();
    const before = new Map(owned.map((each) => [nameOf(each), each]));
    const shares = await takeShare(database, member);
    owned = shares.map((share) => before.get(nameOf(share)) ?? share);
    if (owned.some((share) => !before.has(nameOf(share)))) {
      mayHaveMissed = true;
      subscription.onGained?.();
    }
    // What this changed is not news the next time.
    ({ around, membersAlive } = await beat(database, member));
    joinedAt = Date.now();
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
    await gathering.rest(readAt + gatherMs - performance.now());
    readAt = performance.now();
    willRead = false;
    // Now and then the log is asked in any case.
    const mustAsk = mayHaveMissed || readAt - askedAt >= pollMs;
    const known = mustAsk ? undefined : tail.from(owned, size);
    const rows = known ?? (await readLog());
    if (rows.length > 0) await handle(rows);
    // What was cut off is there.
    return rows.length >= size || mayHaveMissed;
  };

  const readLog = async (): Promise<readonly IncomingMessage[]> => {
    [mayHaveMissed, askedAt] = [false, readAt];
    const rows = await readShares(database, owned, perShare, size);
    const before = perShare;
    perShare = nextPerShare(rows, perShare, size);
    if (rows.length >= size || perShare > before) mayHaveMissed = true;
    return rows;
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
      positions.move({ member, share, lose: () => lose(share) });
    }
  };

  const lose = (share: Share): void => {
    owned = owned.filter((each) => each !== share);
    [around, joinedAt] = ['', 0];
  };

  await rebalance();
  const loop = startLoop({
    name: `group ${member.group}`,
    turn,
    idleMs: pollMs,
    log,
    onWake(listener) {
      const arrive = (isOthers = false) => {
        if (isOthers) mayHaveMissed = true;
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
    membersAlive: () => membersAlive,
    hurry: (isBehind) => (isBehind ? gathering.cut() : gathering.haste()),
    async stop() {
      await loop.stop();
      await positions.write().catch(() => undefined);
      await leave(database, member).catch(() => undefined);
    },
  };
}
