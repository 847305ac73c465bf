/**
 * The time machine (D15): leads a merchant's clock from due time to due time. At each it lets everything happen, in every
 * service, with all that follows from it; only when nothing is left does time go on.
 *
 *   stop ─▶ settle ─▶ next due time ─▶ settle ─▶ … ─▶ target, and the clock runs on
 *
 * Each step is written before a service hears of it: a crash anywhere is taken up at the step it had reached, and every
 * step may be said again. Settled means: all were asked at once, and everybody had heard everything, had nothing due, and
 * had said nothing since it answered so the last time, which was before any of them was asked now.
 */
import type { Log } from '@tillstream/messaging/log';
import type {
  ReadWorkRequest,
  ReadWorkResponse,
  SetClockRequest,
  SetClockResponse,
} from '@tillstream/proto/clock/v1/clock_api';

interface Setting {
  readonly merchantId: string;
  readonly sequence: bigint;
  readonly at: Date;
}

interface Advance extends Setting {
  readonly id: string;
  readonly to: Date;
  readonly firstSequence: bigint;
}

interface Waited {
  readonly source: string;
  readonly what: string;
  readonly count: number;
}

interface Firing {
  readonly at: Date;
  readonly source: string;
  readonly kind: string;
  readonly objectId: string;
}

/** A service whose clocks are set. */
export interface Traveller {
  readonly name: string;
  setClock(request: SetClockRequest): Promise<SetClockResponse>;
  readWork(request: ReadWorkRequest): Promise<ReadWorkResponse>;
}

export interface TimeMachineParts<A extends Advance> {
  readonly clocks: {
    lease(limit: number): Promise<readonly A[]>;
    step(advance: A, at: Date, due: readonly Firing[]): Promise<A>;
    wait(advance: A, waitingFor: readonly Waited[]): Promise<void>;
    finish(advance: A, at: Date, status: 'done' | 'abandoned', fired: readonly Firing[]): Promise<void>;
    unpushed(): Promise<readonly (Setting & { readonly isWall: boolean })[]>;
    pushed(setting: Setting): Promise<void>;
  };
  readonly travellers: readonly Traveller[];
  readonly log: Log;
}

const mostAtOnce = 8;
// Whoever begins an advance rings; this finds what another process left behind.
const idleMs = 5_000;
// How often what an advance waits for is said anew, which also renews its lease.
const sayAgainMs = 1_000;
// Between two questions while something is on its way, and once it is clear that it takes longer.
const [shortPauseMs, longPauseMs] = [4, 250];
// After this long it is said what the advance waits for.
const patienceMs = 5_000;
// Nobody waits longer for an answer: the clock runs on from where it is.
const abandonAfterMs = 3_600_000;

export class TimeMachine<A extends Advance> {
  readonly name = 'time machine';
  readonly #parts: TimeMachineParts<A>;
  #wake = () => {};

  constructor(parts: TimeMachineParts<A>) {
    this.#parts = parts;
  }

  /** There is a new advance or setting. */
  ring(): void {
    this.#wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const running = new Map<string, Promise<void>>();
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, idleMs);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
      try {
        const leased = await this.#parts.clocks.lease(mostAtOnce - running.size);
        for (const advance of leased)
          running.set(
            advance.id,
            this.#lead(advance, signal).finally(() => {
              running.delete(advance.id);
              this.ring();
            }),
          );
        await this.#pushAll();
      } catch (error) {
        this.#parts.log.warn({ err: error }, 'the time machine will try again');
      }
      await woken;
    }
    await Promise.all(running.values());
  }

  async #pushAll(): Promise<void> {
    for (const setting of await this.#parts.clocks.unpushed()) {
      const deaf = await this.#set(this.#parts.travellers, setting, false, setting.isWall);
      if (deaf.length === 0) await this.#parts.clocks.pushed(setting);
    }
  }

  /** Ends when the advance has, when it is somebody else's, or when this process ends. */
  async #lead(leased: A, signal: AbortSignal): Promise<void> {
    const { clocks, log } = this.#parts;
    let advance = leased;
    try {
      for (;;) {
        const next = await this.#settle(advance, signal);
        if (next === 'stopped') return;
        if (next === 'abandoned' || next.at === undefined || next.at > advance.to) {
          const isDone = next !== 'abandoned';
          const fired = await this.#fired(advance, isDone);
          await clocks.finish(advance, isDone ? advance.to : advance.at, isDone ? 'done' : 'abandoned', fired);
          await this.#pushAll();
          log.info(
            { advance: advance.id, merchant_id: advance.merchantId, status: isDone ? 'done' : next },
            'advanced',
          );
          return;
        }
        advance = await clocks.step(advance, next.at, next.due);
      }
    } catch (error) {
      // Whoever leases it next goes on from the last step.
      log.warn({ err: error, advance: advance.id }, 'an advance is interrupted');
    }
  }

  /** Sets the clock to the step and waits until everything due by then has happened. */
  async #settle(
    advance: A,
    signal: AbortSignal,
  ): Promise<{ at: Date | undefined; due: readonly Firing[] } | 'stopped' | 'abandoned'> {
    const startedMs = performance.now();
    // Who has heard of a step keeps it, also over a crash: services need not all be there at the same moment to hear it.
    const { travellers } = this.#parts;
    let deaf = travellers;
    // What each had said of the merchant when it was quiet the last time.
    const quiet = new Map<string, bigint>();
    let saidWaiting = 0;
    // While somebody is busy only they are asked; when they are not, everybody is.
    let asked = travellers;
    while (!signal.aborted) {
      deaf = await this.#set(deaf, advance, true, false);
      const isSet = deaf.length === 0;
      const answers = isSet ? await this.#ask(asked, advance, 0n) : [];
      const waiting = isSet ? answers.flatMap(waitingOf) : deaf.map(({ name }) => unreachable(name));
      const moving = answers.filter(({ name, work }) => work === undefined || quiet.get(name) !== work.said);
      for (const { name, work } of answers)
        if (work !== undefined && !waiting.some(({ source }) => source === name)) quiet.set(name, work.said);
        else quiet.delete(name);
      if (waiting.length + moving.length === 0 && asked.length === travellers.length) return nextOf(answers);
      const isAnybodyBusy = waiting.length > 0;
      if (!isAnybodyBusy) asked = travellers;
      else if (isSet) asked = travellers.filter(({ name }) => waiting.some((each) => each.source === name));
      const waitedMs = performance.now() - startedMs;
      if (waitedMs > abandonAfterMs) return 'abandoned';
      const isLong = waitedMs > patienceMs;
      if (isLong && performance.now() - saidWaiting > sayAgainMs) {
        saidWaiting = performance.now();
        const busy = isAnybodyBusy
          ? waiting
          : moving.map(({ name: source }) => ({ source, what: 'messages', count: 1 }));
        await this.#parts.clocks.wait(advance, [...busy, ...answers.flatMap(stuckOf)]);
      }
      // When all were quiet they are asked at once whether they still are; under traffic that never ends not without a rest.
      if (isAnybodyBusy) await pause(isLong ? longPauseMs : shortPauseMs);
      else if (isLong) await pause(shortPauseMs);
    }
    return 'stopped';
  }

  /** Answers those that do not answer; they hear it again. */
  async #set(
    services: readonly Traveller[],
    setting: Setting,
    isStanding: boolean,
    isWall: boolean,
  ): Promise<readonly Traveller[]> {
    const { merchantId, sequence, at } = setting;
    const deaf = await Promise.all(
      services.map((service) =>
        service.setClock({ merchantId, sequence, at, isStanding, isWall }).then(
          () => [],
          () => [service],
        ),
      ),
    );
    return deaf.flat();
  }

  #ask(asked: readonly Traveller[], { merchantId }: A, sinceSequence: bigint): Promise<Answered[]> {
    return Promise.all(
      asked.map(async (service) => ({
        name: service.name,
        work: await service.readWork({ merchantId, sinceSequence }).catch(() => undefined),
      })),
    );
  }

  /** Throws while a service does not answer, where all are wanted: a list with a gap would look whole. */
  async #fired(advance: A, areAllWanted: boolean): Promise<readonly Firing[]> {
    const answers = await this.#ask(this.#parts.travellers, advance, advance.firstSequence);
    const silent = answers.find(({ work }) => work === undefined);
    if (areAllWanted && silent !== undefined) throw new Error(`${silent.name} did not say what fired`);
    return answers
      .flatMap(({ work }) => work?.fired ?? [])
      .map(({ dueAt, source, kind, objectId }) => ({ at: dueAt ?? advance.at, source, kind, objectId }))
      .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Answered {
  readonly name: string;
  readonly work: ReadWorkResponse | undefined;
}

function waitingOf({ name, work }: Answered): Waited[] {
  if (work === undefined) return [unreachable(name)];
  const unheard = work.isHearingDone ? [] : [{ what: 'messages', count: 1 }];
  return [...unheard, ...work.busy].map(({ what, count }) => ({ source: name, what, count }));
}

function unreachable(source: string): Waited {
  return { source, what: 'service_unreachable', count: 1 };
}

function stuckOf({ name, work }: Answered): Waited[] {
  return (work?.stuck ?? []).map(({ what, count }) => ({ source: name, what, count }));
}

/** The earliest that is due later, and what other than timers is due then. */
function nextOf(answers: readonly Answered[]): { at: Date | undefined; due: readonly Firing[] } {
  const at = answers.flatMap(({ work }) => work?.nextDueAt ?? []).toSorted((a, b) => a.getTime() - b.getTime())[0];
  const due = answers
    .flatMap(({ work }) => work?.nextDue ?? [])
    .filter((each) => each.dueAt?.getTime() === at?.getTime())
    .map(({ dueAt, source, kind, objectId }) => ({ at: dueAt ?? new Date(0), source, kind, objectId }));
  return { at, due };
}
