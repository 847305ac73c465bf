/**
 * Sends what waits, for the shards that this process holds. Rows are the truth and memory is only the schedule: of each
 * chain the head, nothing else. One loop does everything that reads or writes the schedule's rows, one after the other,
 * so that a head read before a result was stored can never be sent after it.
 *
 *   fan-out ─nudge─▶ loop: lease · store results · load the next heads · pick ─▶ POST (many at once) ─result─▶ loop
 *
 * A kill -9 costs at most the attempts in flight and those of a few milliseconds that were not stored: they are sent
 * again by whoever takes the shards over. Nothing is lost.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Log } from '@tillstream/messaging/log';
import type { Worker } from '@tillstream/service/app';
import { isAway, judge, retryAfterMs, retryDelayMs } from '../domain/retry.ts';
import { Scheduler, type EndpointJob } from '../domain/scheduler/scheduler.ts';
import { loadHeads, loadShipments, scanHeads, type Chain, type Head, type Shipment } from '../outbound/rows/heads.ts';
import { releaseLeases, renewLeases } from '../outbound/rows/leases.ts';
import { storeResults, sweepDeliveries, type Result } from '../outbound/rows/results.ts';
import { Alarm } from './alarm.ts';
import type { Sent, Shipper } from './shipper.ts';

export interface DispatcherOptions {
  readonly database: Database<object>;
  readonly shipper: Shipper;
  readonly log: Log;
  readonly delaysMs: readonly number[];
  /** POSTs at once. */
  readonly slots: number;
  /** How long a shard stays ours without a renewal; renewed three times in that. */
  readonly leaseMs: number;
}

interface Job extends EndpointJob {
  readonly deliveryId: string;
  readonly orderId: bigint;
  readonly shard: number;
  readonly epoch: bigint;
}

interface Outcome {
  readonly job: Job;
  readonly result: Result;
  readonly recovered: boolean;
}

const [perEndpoint, lowWater, farHeadsKept] = [200, 50, 20];
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
  #me = randomUUID();
  #schedule: Scheduler<Job>;
  #held = new Map<number, bigint>();
  #heldUntilMs = 0;
  #surplus: readonly number[] = [];
  #chains = new Map<string, Chain>();
  #outcomes: Outcome[] = [];
  #isScanDue = true;
  /** Endpoints of which the last look found more than was taken. */
  readonly #hasMore = new Set<string>();
  readonly #refill = new Set<string>();
  #isStopping = false;
  #sending = 0;

  constructor(parts: DispatcherOptions) {
    this.#parts = parts;
    this.#schedule = new Scheduler(parts.slots);
  }

  /** These chains have something new. Any process may be told; the one that holds the shard acts. */
  nudge(chains: readonly Chain[]): void {
    for (const chain of chains) this.#chains.set(`${chain.endpointId} ${chain.orderId}`, chain);
    if (chains.length > 0) this.#alarm.ring();
  }

  /** An endpoint was enabled or changed: look at once. */
  rescan(endpointId: string): void {
    this.#schedule.forgetWaiting(endpointId);
    this.#schedule.pardon(endpointId);
    this.#refill.add(endpointId);
    this.#alarm.ring();
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
        // A few milliseconds gather what ends together into one commit.
        if (this.#outcomes.length > 0 && this.#outcomes.length < resultsAtOnce)
          await new Promise((resolve) => setTimeout(resolve, gatherMs));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.#drain();
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
        this.#chains.set(`${job.endpoint} ${job.chain}`, { endpointId: job.endpoint, orderId: job.orderId });
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
    if (this.#chains.size > 0) {
      const chains = [...this.#chains.values()];
      this.#chains.clear();
      this.#offer(await loadHeads(database, chains));
    }
    if (!this.#isScanDue && this.#refill.size === 0) return;
    const only = this.#isScanDue ? undefined : [...this.#refill];
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
      if (head.dueInMs > farMs && this.#schedule.sizeOf(head.endpointId) >= farHeadsKept) continue;
      const job: Job = {
        deliveryId: head.deliveryId,
        endpoint: head.endpointId,
        tenant: head.merchantId,
        chain: String(head.orderId),
        orderId: head.orderId,
        shard: head.shard,
        epoch,
        dueAtMs: nowMs + head.dueInMs,
        triedAtMs: head.triedMsAgo === undefined ? -Infinity : nowMs - head.triedMsAgo,
      };
      this.#schedule.offer(job, { isFailing: head.isFailing, nowMs });
    }
  }

  /** Fills the free slots. Touches memory only; the sending goes on by itself. */
  #pump(): void {
    const nowMs = performance.now();
    if (this.#isStopping || nowMs > this.#heldUntilMs) return;
    const picks: { job: Job; isExtra: boolean }[] = [];
    for (let pick = this.#schedule.pick(nowMs); pick !== undefined; pick = this.#schedule.pick(nowMs)) picks.push(pick);
    if (picks.length === 0) return;
    this.#sending += 1;
    this.#sendAll(picks)
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'webhooks could not be read and are tried again'))
      .finally(() => {
        this.#sending -= 1;
        this.#alarm.ring();
      });
  }

  async #sendAll(picks: readonly { job: Job; isExtra: boolean }[]): Promise<void> {
    let shipments: readonly Shipment[] = [];
    try {
      shipments = await loadShipments(
        this.#parts.database,
        picks.map((pick) => pick.job.deliveryId),
      );
    } finally {
      // Paused, deleted, delivered by hand, or not readable now: a later scan finds what still waits.
      const found = new Set(shipments.map((shipment) => shipment.deliveryId));
      for (const { job } of picks) if (!found.has(job.deliveryId)) this.#schedule.abandon(job);
    }
    const byId = new Map(shipments.map((shipment) => [shipment.deliveryId, shipment]));
    await Promise.all(
      picks.map(async ({ job, isExtra }) => {
        const shipment = byId.get(job.deliveryId);
        if (shipment !== undefined) await this.#sendOne(job, shipment, isExtra);
      }),
    );
  }

  async #sendOne(job: Job, shipment: Shipment, isExtra: boolean): Promise<void> {
    let sent: Sent;
    try {
      sent = await this.#parts.shipper.ship(shipment);
    } catch (error) {
      // Ours, not the receiver's: a secret that does not open. The row waits for a person; others go on.
      this.#parts.log.error({ err: error, delivery: job.deliveryId }, 'a webhook could not be made');
      sent = {
        httpStatus: 0,
        error: 'bad_response',
        tookMs: 0,
        retryAfter: undefined,
        responseStart: '',
        at: new Date(),
        traceId: '',
      };
    }
    const verdict = judge(sent.httpStatus, sent.error);
    const away = isAway(sent.httpStatus, sent.error);
    const patienceMs = retryAfterMs(sent.retryAfter, Date.now());
    const report = {
      isDelivered: verdict === 'delivered',
      isAway: away,
      tookMs: sent.tookMs,
      retryAfterMs: patienceMs,
    };
    const recovered = this.#schedule.finish(job, report, performance.now(), Math.random()) === 'recovered';
    const delayMs = isExtra ? 0 : retryDelayMs(this.#parts.delaysMs, shipment.step, Math.random());
    const outcome = verdict === 'delivered' ? 'delivered' : delayMs === undefined ? 'exhausted' : 'waiting';
    const result: Result = {
      deliveryId: job.deliveryId,
      shard: job.shard,
      epoch: job.epoch,
      outcome,
      isGone: verdict === 'gone',
      isAway: away,
      isCounted: !isExtra,
      retryInMs: Math.max(delayMs ?? 0, patienceMs),
      at: sent.at,
      httpStatus: sent.httpStatus,
      error: sent.error,
      durationMs: sent.tookMs,
      responseStart: sent.responseStart,
      traceId: sent.traceId,
    };
    this.#outcomes.push({ job, result, recovered });
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
