/**
 * Sends what waits, for the shards that this process holds. Rows are the truth and memory is only the schedule: of each
 * chain the head, nothing else. One loop does everything that reads or writes the schedule's rows, one after the other,
 * so that a head read before a result was stored can never be sent after it.
 *
 *   fan-out ─nudge─▶ loop: lease · store results · load the next heads · pick ─▶ POST (many at once) ─result─▶ loop
 *
 * Due is what the merchant's clock says (D15). One that stands lets nothing become due by waiting: when it is set, what its
 * merchant has is looked at anew, and in between neither pauses nor probes, which go by the wall's, hold it up.
 *
 * A kill -9 costs at most the attempts in flight and those of a few milliseconds that were not stored: they are sent
 * again by whoever takes the shards over. Nothing is lost.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import { onWake } from '@tillstream/messaging/wake';
import type { Worker } from '@tillstream/service/app';
import { probe } from '@tillstream/telemetry/probe';
import { furthestRetryMs, judgeAttempt } from '../domain/retry.ts';
import { Scheduler } from '../domain/scheduler/scheduler.ts';
import { loadHeads, loadShipments, scanHeads, type Head, type Shipment } from '../outbound/rows/heads.ts';
import { releaseLeases, renewLeases, shardCount } from '../outbound/rows/leases.ts';
import { storeResults, sweepDeliveries, type Result } from '../outbound/rows/results.ts';
import type { Chain, NewChain } from '../ports.ts';
import { Alarm } from './alarm.ts';
import { chainOf, toJob, type Job, type Outcome, type Picked } from './job.ts';
import { hearNeighbours, tellNeighbours, type Hints } from './neighbours.ts';
import type { Sent, Shipper } from './shipper.ts';
import { Travellers } from './travellers.ts';

export interface DispatcherOptions {
  readonly database: Database<object>;
  readonly shipper: Shipper;
  readonly clock: Clock;
  readonly log: Log;
  readonly delaysMs: readonly number[];
  /** POSTs at once. */
  readonly slots: number;
  /** How long a shard stays ours without a renewal; renewed three times in that. */
  readonly leaseMs: number;
}

const [perEndpoint, mostHeld, lowWater, farHeadsKept] = [200, 400, 50, 20];
// Heads that are due later than this are read again in their time.
const farMs = 60_000;
const [resultsAtOnce, gatherMs] = [500, 3];
const sweepEveryMs = 600_000;
// Of the fifteen seconds that a service has to stop.
const drainMs = 8_000;

export class Dispatcher implements Worker {
  readonly name = 'webhook dispatcher';
  readonly #parts: DispatcherOptions;
  readonly #alarm = new Alarm();
  readonly #travellers: Travellers;
  #me = randomUUID();
  #schedule: Scheduler<Job>;
  #held = new Map<number, bigint>();
  #heldUntilMs = 0;
  #surplus: readonly number[] = [];
  #chains = new Map<string, Chain>();
  #outcomes: Outcome[] = [];
  #isScanDue = true;
  #isClockSet = false;
  /** Endpoints of which the last look found more than was taken. */
  readonly #hasMore = new Set<string>();
  readonly #refill = new Set<string>();
  #isStopping = false;
  /** Picked and without an outcome yet. */
  #sending = 0;
  #isReading = false;

  constructor(parts: DispatcherOptions) {
    this.#parts = parts;
    this.#schedule = new Scheduler(parts.slots);
    this.#travellers = new Travellers({ ...parts, furthestRetryMs: furthestRetryMs(parts.delaysMs) });
  }

  /** These chains have something new; whoever holds their shards hears of it. */
  nudge(chains: readonly NewChain[]): void {
    const foreign = chains.filter((chain) => !this.#held.has(chain.shard));
    this.#hear(
      chains.filter((chain) => this.#held.has(chain.shard)),
      [],
    );
    if (foreign.length > 0)
      this.#tell({
        chains: foreign.map((chain) => [chain.endpointId, chain.subjectKind, chain.subjectId]),
        changed: [],
      });
  }

  /** An endpoint was enabled or changed: look at once. */
  rescan(endpointId: string): void {
    this.#hear([], [endpointId]);
    if (this.#held.size < shardCount) this.#tell({ chains: [], changed: [endpointId] });
  }

  #hear(chains: readonly Chain[], changed: readonly string[]): void {
    for (const chain of chains) this.#chains.set(`${chain.endpointId} ${chain.subjectKind} ${chain.subjectId}`, chain);
    for (const endpointId of changed) {
      this.#schedule.forgetWaiting(endpointId);
      this.#schedule.pardon(endpointId);
      this.#refill.add(endpointId);
    }
    this.#alarm.ring();
  }

  #hearClock(): void {
    this.#isClockSet = true;
    this.#alarm.ring();
  }

  #tell(hints: Hints): void {
    // Lost hints cost seconds, nothing else.
    tellNeighbours(this.#parts.database, hints).catch(() => undefined);
  }

  async run(signal: AbortSignal): Promise<void> {
    // Each run is somebody new: what an earlier one left in flight is fenced.
    this.#me = randomUUID();
    this.#schedule = new Scheduler(this.#parts.slots);
    this.#held = new Map();
    this.#outcomes = [];
    this.#isStopping = false;
    const onAbort = () => this.#alarm.ring();
    signal.addEventListener('abort', onAbort, { once: true });
    const listening = new AbortController();
    const hear = (hints: Hints) => {
      const chains = hints.chains.map(([endpointId, subjectKind, subjectId]) => ({
        endpointId,
        subjectKind,
        subjectId,
      }));
      this.#hear(chains, hints.changed);
      if (hints.isClockSet === true) this.#hearClock();
    };
    const forgetClocks = onWake(this.#parts.database, () => {
      this.#hearClock();
      if (this.#held.size < shardCount) this.#tell({ chains: [], changed: [], isClockSet: true });
    });
    const heard = hearNeighbours(this.#parts.database, hear, listening.signal, this.#parts.log);
    try {
      let [renewAtMs, sweepAtMs, lookedAtMs, failures] = [0, performance.now() + sweepEveryMs, 0, 0];
      while (!signal.aborted) {
        try {
          if (performance.now() >= renewAtMs) {
            await this.#renew();
            renewAtMs = performance.now() + this.#parts.leaseMs / 3;
            this.#isScanDue = true;
          }
          await this.#settle();
          await this.#load();
          if (performance.now() >= sweepAtMs && this.#held.has(0)) {
            sweepAtMs = performance.now() + sweepEveryMs;
            await sweepDeliveries(this.#parts.database);
          }
          lookedAtMs = performance.now();
          this.#pump();
          failures = 0;
        } catch (error) {
          // The database is away. What has ended is kept and stored when it is back.
          if (failures % 20 === 0) this.#parts.log.warn({ err: error }, 'webhooks wait for the database');
          failures += 1;
          await new Promise((resolve) => setTimeout(resolve, Math.min(1_000, 100 * failures)));
          continue;
        }
        await this.#alarm.wait(this.#wakeAtMs(renewAtMs, lookedAtMs) - performance.now());
        // A few milliseconds gather what ends together into one commit; where nothing else is to end, nobody waits.
        if (this.#sending > 0 && this.#outcomes.length > 0 && this.#outcomes.length < resultsAtOnce)
          await new Promise((resolve) => setTimeout(resolve, gatherMs));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      forgetClocks();
      await this.#drain();
      listening.abort();
      await heard;
    }
  }

  /** What was ready when we looked and was not picked waits for a slot: the end of an attempt rings. */
  #wakeAtMs(renewAtMs: number, lookedAtMs: number): number {
    const readyAtMs = this.#schedule.readyAtMs();
    return readyAtMs > lookedAtMs ? Math.min(renewAtMs, readyAtMs) : renewAtMs;
  }

  async #renew(): Promise<void> {
    const { database, leaseMs } = this.#parts;
    const askedAtMs = performance.now();
    const { held, share } = await renewLeases(database, this.#me, leaseMs, this.#surplus);
    // A margin for clocks that tick differently: we stop before others may start.
    this.#heldUntilMs = askedAtMs + leaseMs * 0.9;
    const before = this.#held;
    this.#held = new Map(held.map((lease) => [lease.shard, lease.epoch]));
    for (const [shard, epoch] of before) {
      if (this.#held.get(shard) !== epoch) this.#forget((job) => job.shard === shard);
    }
    // Given back at the next renewal; until then what is in flight can end, and nothing new begins.
    this.#surplus = held.map((lease) => lease.shard).slice(share);
    for (const shard of this.#surplus) this.#held.delete(shard);
  }

  /** Stores what has ended. Only after the commit may the next of a chain be loaded. */
  async #settle(): Promise<void> {
    while (this.#outcomes.length > 0) {
      const batch = this.#outcomes.slice(0, resultsAtOnce);
      const recovered = [...new Set(batch.filter((each) => each.recovered).map((each) => each.job.endpoint))];
      const stored = await storeResults(
        this.#parts.database,
        this.#me,
        batch.map((each) => each.result),
        recovered,
      );
      this.#outcomes = this.#outcomes.slice(batch.length);
      for (const { job, result } of batch) {
        this.#schedule.drop(job);
        if (this.#hasMore.has(job.endpoint) && this.#schedule.sizeOf(job.endpoint) < lowWater)
          this.#refill.add(job.endpoint);
        if (stored.get(job.deliveryId) !== false) this.#chains.set(`${job.endpoint} ${job.chain}`, chainOf(job));
        if (result.outcome === 'exhausted' || result.isGone) this.#say(job, result);
        if (!stored.has(job.deliveryId))
          this.#parts.log.info(
            { delivery: job.deliveryId, shard: job.shard },
            'a result came after the shard had gone to somebody else',
          );
      }
      for (const endpoint of recovered) {
        this.#parts.log.info({ endpoint }, 'a webhook endpoint answers again');
        this.#schedule.forgetWaiting(endpoint);
        this.#refill.add(endpoint);
      }
    }
  }

  async #load(): Promise<void> {
    const { database } = this.#parts;
    if (this.#held.size === 0) return;
    const isLookDue = this.#isScanDue || this.#isClockSet;
    this.#isClockSet = false;
    const merchants = isLookDue ? await this.#travellers.look() : [];
    for (const merchant of merchants) this.#schedule.restart(merchant);
    if (this.#chains.size > 0) {
      const chains = [...this.#chains.values()];
      this.#chains.clear();
      this.#offer(await loadHeads(database, chains));
    }
    if (!this.#isScanDue && this.#refill.size === 0 && merchants.length === 0) return;
    const only = this.#isScanDue ? undefined : { endpoints: [...this.#refill], merchants };
    this.#isScanDue = false;
    this.#refill.clear();
    const [known, without] = [this.#schedule.endpoints(), this.#schedule.saturated(lowWater)];
    const heads = await scanHeads(database, { shards: [...this.#held.keys()], only, known, without, perEndpoint });
    for (const [endpoint, found] of Map.groupBy(heads, (head) => head.endpointId)) {
      if (found.length >= perEndpoint) this.#hasMore.add(endpoint);
      else this.#hasMore.delete(endpoint);
    }
    this.#offer(heads);
  }

  #offer(heads: readonly Head[]): void {
    const nowMs = performance.now();
    for (const head of heads) {
      const epoch = this.#held.get(head.shard);
      if (epoch === undefined) continue;
      // A receiver that is away must not fill the memory: the rows are not lost, they are read again in their time.
      if (this.#schedule.sizeOf(head.endpointId) >= mostHeld) {
        this.#hasMore.add(head.endpointId);
        continue;
      }
      if (head.dueInMs > farMs && this.#schedule.sizeOf(head.endpointId) >= farHeadsKept) continue;
      const isFailing = head.isFailing && !this.#travellers.isStanding(head.merchantId);
      this.#schedule.offer(toJob(head, epoch, nowMs), { isFailing, nowMs });
    }
  }

  /**
   * Fills the free slots. Touches memory only; the sending goes on by itself. One read at a time: what becomes free
   * meanwhile is picked and read together.
   */
  #pump(): void {
    const nowMs = performance.now();
    if (this.#isReading || this.#isStopping || nowMs > this.#heldUntilMs) return;
    const picks: Picked[] = [];
    for (let pick = this.#schedule.pick(nowMs); pick !== undefined; pick = this.#schedule.pick(nowMs)) picks.push(pick);
    if (picks.length === 0) return;
    this.#isReading = true;
    this.#sending += picks.length;
    this.#sendAll(picks)
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'webhooks could not be read and are tried again'))
      .finally(() => {
        this.#isReading = false;
        this.#pump();
        this.#alarm.ring();
      });
  }

  /** Resolves when all are on their way. */
  async #sendAll(picks: readonly Picked[]): Promise<void> {
    let shipments: readonly Shipment[] = [];
    try {
      const ids = picks.map((pick) => pick.job.deliveryId);
      shipments = await loadShipments(this.#parts.database, ids);
    } finally {
      // Paused, deleted, delivered by hand, or not readable now: a later scan finds what still waits.
      const found = new Set(shipments.map((shipment) => shipment.deliveryId));
      for (const { job } of picks) {
        if (found.has(job.deliveryId)) continue;
        this.#schedule.abandon(job);
        this.#sending -= 1;
      }
    }
    if (shipments.length > 0) probe('job leased');
    const byId = new Map(picks.map((pick) => [pick.job.deliveryId, pick]));
    for (const shipment of shipments) {
      const pick = byId.get(shipment.deliveryId);
      if (pick !== undefined) void this.#sendOne(pick.job, shipment, pick.isExtra);
    }
  }

  async #sendOne(job: Job, shipment: Shipment, isExtra: boolean): Promise<void> {
    let sent: Sent;
    probe('webhook not sent');
    try {
      sent = await this.#parts.shipper.ship(shipment);
      probe('webhook answered');
    } catch (error) {
      // Ours, not the receiver's: a secret that does not open. The row waits for a person; others go on.
      this.#parts.log.error({ err: error, delivery: job.deliveryId }, 'a webhook could not be made');
      sent = {
        httpStatus: 0,
        error: 'bad_response',
        tookMs: 0,
        retryAfter: undefined,
        responseStart: '',
        at: this.#parts.clock.now(job.tenant),
        traceId: '',
      };
    }
    const isStanding = this.#travellers.isStanding(job.tenant);
    const outcome = judgeAttempt(sent, {
      step: shipment.step,
      isExtra,
      delaysMs: this.#parts.delaysMs,
      nowMs: Date.now(),
      // Nobody is run over where time goes by steps; what failed together comes back in one step.
      chance: isStanding ? 0.5 : Math.random(),
    });
    const report = { ...outcome, isDelivered: outcome.outcome === 'delivered', tookMs: sent.tookMs, isStanding };
    const recovered = this.#schedule.finish(job, report, performance.now(), Math.random()) === 'recovered';
    const result: Result = {
      ...outcome,
      deliveryId: job.deliveryId,
      merchantId: job.tenant,
      shard: job.shard,
      epoch: job.epoch,
      at: sent.at,
      httpStatus: sent.httpStatus,
      error: sent.error,
      durationMs: sent.tookMs,
      responseStart: sent.responseStart,
      traceId: sent.traceId,
    };
    this.#outcomes.push({ job, result, recovered });
    this.#sending -= 1;
    this.#pump();
    this.#alarm.ring();
  }

  #forget(isMine: (job: Job) => boolean): void {
    for (const endpoint of this.#schedule.endpoints()) this.#schedule.forgetWaiting(endpoint, isMine);
  }

  #say(job: Job, result: Result): void {
    const text = result.isGone ? 'a webhook endpoint said that it is gone and was disabled' : 'a webhook was given up';
    this.#parts.log.warn(
      { endpoint: job.endpoint, delivery: job.deliveryId, http_status: result.httpStatus, error: result.error },
      text,
    );
  }

  /** Nothing new begins; what is in flight may end; the shards go to others at once. */
  async #drain(): Promise<void> {
    this.#isStopping = true;
    const endAtMs = performance.now() + drainMs;
    while (this.#sending > 0 && performance.now() < endAtMs)
      await this.#alarm.wait(Math.min(100, endAtMs - performance.now()));
    try {
      await this.#settle();
      await releaseLeases(this.#parts.database, this.#me);
    } catch (error) {
      // The leases end by themselves.
      this.#parts.log.warn({ err: error }, 'the shards could not be given back');
    }
  }
}
