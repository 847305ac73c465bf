/**
 * Who is sent next. What is shared fairly is the time that slots are held, not the number of jobs: a receiver that takes
 * ten seconds pays for ten seconds, so a slow or dead one delays nobody else (R61). Start-time fair queueing over the
 * tenants, round robin over a tenant's endpoints, and a part of the slots that slow and unknown endpoints cannot reach.
 */
import { Lane, type Job, type Report } from './lane.ts';

export interface EndpointJob extends Job {
  readonly tenant: string;
  readonly endpoint: string;
}

export interface Pick<J extends EndpointJob> {
  readonly job: J;
  /** Sent before its time to see whether the receiver is back: not counted against its schedule. */
  readonly isExtra: boolean;
}

interface Tenant<J extends EndpointJob> {
  readonly id: string;
  /** Milliseconds of slots that it has had, by its own count. */
  usedMs: number;
  inFlight: number;
  readonly lanes: Lane<J>[];
  cursor: number;
}

// At least 40 % of the slots stay for endpoints that are known to answer quickly.
const slowShare = 0.6;
const leastPerTenant = 8;

export class Scheduler<J extends EndpointJob> {
  readonly #slots: number;
  readonly #lanes = new Map<string, { lane: Lane<J>; tenant: Tenant<J> }>();
  readonly #tenants = new Map<string, Tenant<J>>();
  /** Endpoints whose picked job was estimated so, and whether it stands in the slow part. */
  readonly #running = new Map<J, { estimateMs: number; isSlow: boolean }>();
  #slow = 0;
  /** As of the last pick: how many would share the slots. */
  #waitingTenants = 1;
  /** Virtual time: what the tenant served last had used. */
  #floorMs = 0;

  constructor(slots: number) {
    this.#slots = slots;
  }

  get inFlight(): number {
    return this.#running.size;
  }

  sizeOf(endpoint: string): number {
    return this.#lanes.get(endpoint)?.lane.size ?? 0;
  }

  isOpen(endpoint: string): boolean {
    return this.#lanes.get(endpoint)?.lane.isOpen ?? false;
  }

  /** Endpoints that need nothing from the database now: enough is here, or they are away and one can probe. */
  saturated(enough: number): readonly string[] {
    return [...this.#lanes].flatMap(([id, { lane }]) =>
      lane.size >= enough || (lane.isOpen && lane.waitingCount > 0) ? [id] : [],
    );
  }

  /** Answers false when a job of that chain is here already. */
  offer(job: J, hints: { isFailing: boolean; nowMs: number }): boolean {
    const { lane, tenant } = this.#laneOf(job);
    if (hints.isFailing && lane.size === 0) lane.startOpen(hints.nowMs);
    // Who was idle gets no credit for it.
    if (tenant.lanes.every((each) => each.waitingCount === 0) && tenant.inFlight === 0) {
      tenant.usedMs = Math.max(tenant.usedMs, this.#floorMs);
    }
    return lane.offer(job);
  }

  /** Takes a slot for the job it answers; undefined = no slot, or nothing is ready. */
  pick(nowMs: number): Pick<J> | undefined {
    if (this.#running.size >= this.#slots) return undefined;
    const share = Math.max(leastPerTenant, (this.#slots / Math.max(1, this.#waitingTenants)) * 2);
    let [within, beyond]: (Tenant<J> | undefined)[] = [];
    let waiting = 0;
    for (const tenant of this.#tenants.values()) {
      if (!tenant.lanes.some((lane) => lane.waitingCount > 0)) continue;
      waiting += 1;
      // Who has had the least goes first; beyond its share only when nobody else can use the slot.
      const best = tenant.inFlight < share ? within : beyond;
      if (best !== undefined && best.usedMs <= tenant.usedMs) continue;
      if (this.#readyLane(tenant, nowMs) === undefined) continue;
      if (tenant.inFlight < share) within = tenant;
      else beyond = tenant;
    }
    this.#waitingTenants = waiting;
    const tenant = within ?? beyond;
    const at = tenant === undefined ? undefined : this.#readyLane(tenant, nowMs);
    return tenant === undefined || at === undefined ? undefined : this.#start(tenant, at, nowMs);
  }

  finish(job: J, report: Report, nowMs: number, chance: number): 'recovered' | undefined {
    const found = this.#lanes.get(job.endpoint);
    const estimateMs = this.#free(job);
    if (found === undefined) return undefined;
    found.tenant.inFlight -= 1;
    found.tenant.usedMs += report.tookMs - estimateMs;
    return found.lane.finish(job.chain, report, nowMs, chance);
  }

  /** The job was picked but not sent: its slot is free again, and it is forgotten. */
  abandon(job: J): void {
    const found = this.#lanes.get(job.endpoint);
    const estimateMs = this.#free(job);
    if (found === undefined) return;
    found.tenant.inFlight -= 1;
    found.tenant.usedMs -= estimateMs;
    found.lane.putBack();
    this.drop(job);
  }

  /** Its outcome is stored: the next of the chain may be offered. */
  drop(job: J): void {
    const found = this.#lanes.get(job.endpoint);
    found?.lane.drop(job.chain);
    if (found !== undefined && found.lane.size === 0 && found.lane.inFlight === 0 && this.#lanes.size > 5_000)
      this.#forget(job.endpoint);
  }

  /** What waits there is forgotten; what is in flight is reported still. */
  forgetWaiting(endpoint: string, isMine: (job: J) => boolean = () => true): void {
    this.#lanes.get(endpoint)?.lane.clear(isMine);
  }

  /** Whatever it did before is forgotten: its address or its owner has changed. */
  pardon(endpoint: string): void {
    this.#lanes.get(endpoint)?.lane.pardon();
  }

  /** The tenant's clock was set. */
  restart(tenant: string): void {
    for (const lane of this.#tenants.get(tenant)?.lanes ?? []) lane.restart();
  }

  endpoints(): readonly string[] {
    return [...this.#lanes.keys()];
  }

  /** When `pick` may find something that it does not find now; Infinity = after something else happens. */
  readyAtMs(): number {
    let first = Infinity;
    for (const { lane } of this.#lanes.values()) first = Math.min(first, lane.readyAtMs());
    return first;
  }

  #laneOf(job: J): { lane: Lane<J>; tenant: Tenant<J> } {
    const known = this.#lanes.get(job.endpoint);
    if (known !== undefined) return known;
    const tenant = this.#tenants.get(job.tenant) ?? {
      id: job.tenant,
      usedMs: this.#floorMs,
      inFlight: 0,
      lanes: [],
      cursor: 0,
    };
    this.#tenants.set(job.tenant, tenant);
    const made = { lane: new Lane<J>(job.endpoint), tenant };
    tenant.lanes.push(made.lane);
    this.#lanes.set(job.endpoint, made);
    return made;
  }

  /** The place of the tenant's next endpoint that can be sent to. */
  #readyLane(tenant: Tenant<J>, nowMs: number): number | undefined {
    for (let step = 0; step < tenant.lanes.length; step += 1) {
      const at = (tenant.cursor + step) % tenant.lanes.length;
      const lane = tenant.lanes[at];
      if (lane === undefined || lane.readyAtMs() > nowMs) continue;
      if (lane.isGood || this.#slow < this.#slots * slowShare) return at;
    }
    return undefined;
  }

  #start(tenant: Tenant<J>, at: number, nowMs: number): Pick<J> | undefined {
    const lane = tenant.lanes[at];
    const isSlow = lane?.isGood !== true;
    const taken = lane?.take(nowMs);
    if (lane === undefined || taken === undefined) return undefined;
    tenant.cursor = at + 1;
    this.#floorMs = Math.max(this.#floorMs, tenant.usedMs);
    tenant.usedMs += lane.meanMs;
    tenant.inFlight += 1;
    if (isSlow) this.#slow += 1;
    this.#running.set(taken.job, { estimateMs: lane.meanMs, isSlow });
    return taken;
  }

  #free(job: J): number {
    const running = this.#running.get(job);
    this.#running.delete(job);
    if (running?.isSlow === true) this.#slow -= 1;
    return running?.estimateMs ?? 0;
  }

  #forget(endpoint: string): void {
    const found = this.#lanes.get(endpoint);
    if (found === undefined) return;
    this.#lanes.delete(endpoint);
    found.tenant.lanes.splice(found.tenant.lanes.indexOf(found.lane), 1);
    if (found.tenant.lanes.length === 0) this.#tenants.delete(found.tenant.id);
  }
}
