/** How the time machine sets a service's clock for a merchant, and asks it what is left to do. The same in each. */
import type { AnyDatabase } from '@tillstream/database/database';
import type { Log } from '@tillstream/messaging/log';
import type { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import type { Carrier, Subscription } from '@tillstream/messaging/message';
import { readFired, readProgress } from '@tillstream/messaging/progress';
import type { PendingWork, Work } from '@tillstream/messaging/work';
import { ClockApiService, type Waiting } from '@tillstream/proto/clock/v1/clock_api';
import { implement, type RpcBinding } from '@tillstream/rpc/server';

export interface ClockApiParts {
  readonly name: string;
  readonly database: AnyDatabase;
  readonly clocks: MerchantClocks;
  readonly subscriptions: readonly Subscription[];
  readonly work: readonly Work[];
  readonly carrier: Carrier | undefined;
  readonly log: Log;
}

// What was published before the question is heard within it, or the asker asks again, and means what was published by then. Less
// than the five seconds that the asker has; but on a busy machine and under steady traffic half a second was so short that no
// question was ever answered with "done".
const hearingMs = 3_000;
// Between two looks, at first and once it is clear that it takes longer.
const [shortPauseMs, longPauseMs, shortMs] = [4, 50, 200];
const mostNext = 100;

export function answerClockApi(parts: ClockApiParts): RpcBinding {
  const { name, database, clocks } = parts;
  return implement(ClockApiService, {
    async setClock({ merchantId, sequence, at, isStanding, isWall }) {
      await clocks.set({ merchantId, sequence, at: isWall || at === undefined ? 'the wall' : at, isStanding });
      return {};
    },
    async readWork({ merchantId, sinceSequence }) {
      // First what is to be heard: what hearing makes is then seen below.
      const isHearingDone = await hearAll(parts);
      const now = clocks.now(merchantId);
      const before = await readProgress(database, merchantId, now);
      const pending = await Promise.all(parts.work.map((work) => work.pending(merchantId, now)));
      // Work that was done between the two looks has said something, or a timer that fired has made some: who is quiet is so in
      // both, and said nothing in between.
      const progress = parts.work.length === 0 ? before : await readProgress(database, merchantId, now);
      const isStill = progress.said === before.said && before.outbox + before.timersDue === 0;
      const works = parts.work.map((work, at) => ({ what: work.what, ...(pending[at] ?? nothing) }));
      const next = works.flatMap((work) => work.next);
      const nextDueAt = earliest([...next.map((each) => each.at), ...[progress.nextTimerAt].flatMap((at) => at ?? [])]);
      const fired = sinceSequence === 0n ? [] : await readFired(database, merchantId, sinceSequence);
      return {
        busy: notNone([
          { what: 'outbox', count: progress.outbox || (isStill ? 0 : 1) },
          { what: 'timers', count: progress.timersDue },
          ...works.map((work) => ({ what: work.what, count: work.due })),
        ]),
        stuck: notNone([
          { what: 'parked_messages', count: progress.parked },
          ...works.map((work) => ({ what: work.what, count: work.stuck ?? 0 })),
        ]),
        nextDueAt,
        nextDue: next
          .filter((each) => each.at.getTime() === nextDueAt?.getTime())
          .slice(0, mostNext)
          .map((each) => ({ dueAt: each.at, source: name, kind: each.kind, objectId: each.objectId })),
        fired: fired.map((each) => ({
          dueAt: each.dueAt,
          source: each.machine,
          kind: each.kind,
          objectId: each.aggregateId,
        })),
        said: progress.said,
        isHearingDone,
      };
    },
  });
}

const nothing: PendingWork = { due: 0, next: [] };

/** A carrier that is away may let whoever asks it wait for longer than this question has. */
async function hearAll(parts: ClockApiParts): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, hearingMs + longPauseMs, false)));
  return Promise.race([hear(parts), late]).finally(() => clearTimeout(timer));
}

async function hear({ name, carrier, subscriptions, log }: ClockApiParts): Promise<boolean> {
  const [subscription] = subscriptions;
  if (carrier === undefined || subscription === undefined) return true;
  const beganMs = performance.now();
  try {
    // Mostly nothing is on its way, and one question is enough.
    if ((await carrier.lag(subscription.group, subscription.topics)) === 0n) return true;
    const heads = await carrier.heads(subscription.topics);
    for (;;) {
      if (await carrier.hasHeard(subscription.group, heads)) return true;
      const tookMs = performance.now() - beganMs;
      if (tookMs > hearingMs) return false;
      await new Promise((resolve) => setTimeout(resolve, tookMs < shortMs ? shortPauseMs : longPauseMs));
    }
  } catch (error) {
    // A carrier that is away has not given everything.
    log.info({ err: error, service: name }, 'whether everything is heard cannot be said');
    return false;
  }
}

function notNone(all: readonly Waiting[]): Waiting[] {
  return all.filter((each) => each.count > 0);
}

function earliest(dates: readonly Date[]): Date | undefined {
  return dates.toSorted((a, b) => a.getTime() - b.getTime())[0];
}
