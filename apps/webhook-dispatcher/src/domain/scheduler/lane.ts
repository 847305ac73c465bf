/**
 * One endpoint: the jobs that wait for it, how many it takes at once, and whether it is away. A lane holds at most one
 * job per chain (an order), so what is later in a chain cannot overtake.
 *
 *   closed ──2 away, or 5 failures of 3 orders, in a row──▶ open ──time──▶ one probe ──success──▶ closed, slowly
 *                                                            ▲────────────failure, twice as long────┘
 *
 * While it is open, jobs wait without being tried, so an outage costs them no attempt of their schedule. A probe of a
 * receiver that is away may take a job before its time; that attempt is extra and not counted against the job.
 */
export interface Job {
  readonly chain: string;
  readonly dueAtMs: number;
  /** 0 = never. */
  readonly triedAtMs: number;
}

export interface Report {
  readonly isDelivered: boolean;
  /** No answer, or a proxy's in its place. */
  readonly isAway: boolean;
  readonly tookMs: number;
  /** How long the receiver asked to be left alone. */
  readonly retryAfterMs: number;
  /** Its time goes by steps (D15): pauses and probes, which go by the wall's, would only hold it up. */
  readonly isStanding: boolean;
}

// A receiver with 64 requests open gets more only by answering faster.
const largestLimit = 64;
const firstLimit = 4;
const [awayToOpen, failuresToOpen] = [2, 5];
// One order that a receiver cannot stomach says nothing about the others.
const ordersToOpen = 3;
const [firstProbeMs, longestProbeMs] = [5_000, 900_000];
// Good: known by ten answers, mostly willing, under a second.
const [knownAfter, goodMeanMs, goodFailureShare] = [10, 1_000, 0.1];
// A weight of a fifth forgets an hour's slowness within a dozen answers.
const weight = 0.2;

interface Held<J extends Job> {
  readonly job: J;
  isInFlight: boolean;
}

export class Lane<J extends Job> {
  readonly id: string;
  readonly #held = new Map<string, Held<J>>();
  /** By due time; few hundred at most. */
  #waiting: Held<J>[] = [];
  inFlight = 0;
  meanMs = 200;
  #limit = firstLimit;
  #samples = 0;
  #failureShare = 0;
  #failures = 0;
  /** Who failed since the last success; more than `ordersToOpen` are not told apart. */
  readonly #failed = new Set<string>();
  #away = 0;
  #openings = 0;
  /** Undefined while closed. */
  #probeAtMs: number | undefined;
  #quietUntilMs = 0;

  constructor(id: string) {
    this.id = id;
  }

  get size(): number {
    return this.#held.size;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get isOpen(): boolean {
    return this.#probeAtMs !== undefined;
  }

  get isGood(): boolean {
    return (
      this.#samples >= knownAfter && this.meanMs < goodMeanMs && this.#failureShare < goodFailureShare && !this.isOpen
    );
  }

  /** Answers false when a job of the chain is here already. */
  offer(job: J): boolean {
    if (this.#held.has(job.chain)) return false;
    const held = { job, isInFlight: false };
    this.#held.set(job.chain, held);
    this.#wait(held);
    // Perhaps only that one order is the trouble: another one shows it at once.
    if (this.#probeAtMs !== undefined && this.#failed.size === 1 && !this.#failed.has(job.chain))
      this.#probeAtMs = this.#quietUntilMs;
    return true;
  }

  /** Known to be failing from before this process: the first job is a probe. */
  startOpen(nowMs: number): void {
    if (this.#samples > 0 || this.isOpen) return;
    this.#away = awayToOpen;
    this.#probeAtMs = nowMs;
  }

  /** When something can be sent; Infinity = not before something else happens. */
  readyAtMs(): number {
    const [first] = this.#waiting;
    if (first === undefined) return Infinity;
    if (this.#probeAtMs !== undefined) {
      if (this.inFlight > 0) return Infinity;
      return this.#away >= awayToOpen ? this.#probeAtMs : Math.max(this.#probeAtMs, first.job.dueAtMs);
    }
    return this.inFlight < Math.floor(this.#limit) ? Math.max(first.job.dueAtMs, this.#quietUntilMs) : Infinity;
  }

  /** Only when it is ready. A job that is not due yet is an extra attempt. */
  take(nowMs: number): { job: J; isExtra: boolean } | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    // Whoever was tried least recently probes: one order that always fails must not hold the others back.
    const held = this.isOpen
      ? this.#waiting.reduce((best, each) => (each.job.triedAtMs < best.job.triedAtMs ? each : best), first)
      : first;
    this.#waiting = this.#waiting.filter((each) => each !== held);
    held.isInFlight = true;
    this.inFlight += 1;
    return { job: held.job, isExtra: held.job.dueAtMs > nowMs };
  }

  /** Answers whether the receiver has come back. The job stays until it is dropped or offered again. */
  finish(chain: string, report: Report, nowMs: number, chance: number): 'recovered' | undefined {
    this.inFlight -= 1;
    this.#samples += 1;
    this.meanMs += weight * (report.tookMs - this.meanMs);
    this.#failureShare += weight * ((report.isDelivered ? 0 : 1) - this.#failureShare);
    if (report.isDelivered) {
      const wasOpen = this.isOpen;
      this.#limit = wasOpen ? 1 : Math.min(largestLimit, this.#limit + 1 / this.#limit);
      this.#failures = this.#away = this.#openings = 0;
      this.#failed.clear();
      this.#probeAtMs = undefined;
      return wasOpen ? 'recovered' : undefined;
    }
    this.#limit = Math.max(1, this.#limit / 2);
    if (report.isStanding) return undefined;
    this.#failures += 1;
    if (this.#failed.size < ordersToOpen) this.#failed.add(chain);
    this.#away = report.isAway ? this.#away + 1 : 0;
    this.#quietUntilMs = Math.max(this.#quietUntilMs, nowMs + report.retryAfterMs);
    const isUnwilling = this.#failures >= failuresToOpen && this.#failed.size >= ordersToOpen;
    if (this.#away >= awayToOpen || isUnwilling || this.isOpen) {
      const pauseMs = Math.min(longestProbeMs, firstProbeMs * 2 ** this.#openings) * (0.5 + 0.5 * chance);
      this.#probeAtMs = Math.max(nowMs + pauseMs, this.#quietUntilMs);
      // Those that were in flight when it opened all fail now: one outage is one opening.
      if (this.inFlight === 0) this.#openings += 1;
    }
    return undefined;
  }

  /** Not sent after all; nothing is learned. */
  putBack(): void {
    this.inFlight -= 1;
  }

  /** Closed again, with a slow start. */
  pardon(): void {
    this.#probeAtMs = undefined;
    this.#failures = this.#away = this.#openings = this.#quietUntilMs = 0;
    this.#failed.clear();
    this.#limit = 1;
  }

  /** Its time has changed: what waits is forgotten, to be read anew, and so are the pauses of before. */
  restart(): void {
    this.clear(() => true);
    if (this.isOpen) this.pardon();
    this.#quietUntilMs = 0;
  }

  drop(chain: string): void {
    const held = this.#held.get(chain);
    this.#held.delete(chain);
    if (held !== undefined && !held.isInFlight) this.#waiting = this.#waiting.filter((each) => each !== held);
  }

  clear(isMine: (job: J) => boolean): void {
    for (const [chain, held] of this.#held) if (!held.isInFlight && isMine(held.job)) this.drop(chain);
  }

  #wait(held: Held<J>): void {
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.job.dueAtMs ?? 0) > held.job.dueAtMs) at -= 1;
    this.#waiting.splice(at, 0, held);
  }
}
