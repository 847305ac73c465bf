/**
 * Runs the jobs of one kind: leases a batch, runs it by destination, writes what came of it in one statement, and looks
 * again when woken. A destination that does not answer delays its own jobs and no others.
 */
import type { Clock } from '@tillstream/messaging/clock';
import { gatherEach } from '@tillstream/messaging/gather';
import type { Log } from '@tillstream/messaging/log';
import { startLoop } from '@tillstream/messaging/loop';
import type { Alongside } from '@tillstream/messaging/perform';
import { onWake } from '@tillstream/messaging/wake';
import { counter } from '@tillstream/telemetry/metrics';
import { probe } from '@tillstream/telemetry/probe';
import type { JobDatabase } from './database.ts';
import { Destinations } from './destinations.ts';
import { onJobs } from './enqueue.ts';
import { observeJobs } from './figures.ts';
import type { JobKind, LeasedJob, Outcome, Written } from './kind.ts';
import { Leases, type Result } from './leases.ts';
import { hasAnswered } from './settlement.ts';

export type JobHandler<Payload, Details = object> =
  /** One call each; `prepare` asks once for a batch what its calls need. A throw of either is a try that failed. */
  | {
      readonly prepare: (jobs: readonly LeasedJob<Payload, Details>[]) => Promise<RunOne<Payload, Details>>;
    }
  | { readonly run: RunOne<Payload, Details> }
  /** All at once, where what is answered is recorded in one commit: the outcomes in the order of the jobs. */
  | { readonly runAll: (jobs: readonly LeasedJob<Payload, Details>[]) => Promise<readonly Outcome[]> };

export type RunOne<Payload, Details = object> = (job: LeasedJob<Payload, Details>) => Promise<Outcome>;

/** As packages/service runs it. */
export interface JobWorker {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface JobsOptions<Payload, Details> {
  readonly database: JobDatabase;
  readonly clock: Clock;
  readonly log: Log;
  readonly kind: JobKind<Payload, Details>;
  /** Called when the worker starts; what it opens it closes when the signal is aborted. */
  readonly handler: JobHandler<Payload, Details>;
  /** After the last run, when the worker ends. */
  readonly close?: () => void;
}

const results = counter('tillstream.jobs', 'Runs of jobs, by kind and outcome');
const idleMs = 1_000;
// A run that outlives so many leases hangs: its jobs are then free for another process.
const maxRenewals = 20;

export class Jobs<Payload, Details = object> {
  readonly #options: JobsOptions<Payload, Details>;
  readonly #leases: Leases<Payload, Details>;
  readonly #destinations: Destinations;
  readonly #takeThese: (batchKey: string, jobId: string) => Promise<LeasedJob<Payload, Details> | undefined>;
  #signal: AbortSignal | undefined;

  constructor(options: JobsOptions<Payload, Details>) {
    this.#options = options;
    const { database, kind } = options;
    this.#leases = new Leases(options, kind);
    this.#destinations = new Destinations(database, kind, options.log);
    this.#takeThese = gatherEach(async (jobIds) => {
      const taken = new Map((await this.#leases.takeThese(jobIds)).map((job) => [job.jobId, job]));
      return jobIds.map((id) => taken.get(id));
    });
  }

  /** In the transaction of the command that a run leads to; the run then answers `settled_beside`. */
  settleBeside(job: LeasedJob<Payload, Details>, outcome: Written): Alongside {
    return this.#leases.settleBeside(job, outcome);
  }

  /** Runs one job now if it is due and free, or was written by this process and held for it. False = it was not. */
  async runNow(jobId: string): Promise<boolean> {
    const job = await this.#takeThese('', jobId);
    if (job === undefined) return false;
    probe('job leased');
    await this.#runBatch([job]);
    return true;
  }

  /** As many as the kind has loops, and the gauges with the first. */
  workers(): readonly JobWorker[] {
    const { kind, loops = 1 } = this.#options.kind;
    return Array.from({ length: loops }, (_, index) => ({
      name: index === 0 ? kind : `${kind} ${index + 1}`,
      run: (signal) => this.#work(signal, index === 0),
    }));
  }

  async #work(signal: AbortSignal, isFirst: boolean): Promise<void> {
    const { database, clock, log, kind, close } = this.#options;
    this.#signal = signal;
    const stopObserving = isFirst ? observeJobs(database, kind) : () => undefined;
    const loop = startLoop({
      name: kind.kind,
      turn: () => this.turn(),
      idleMs: kind.idleMs ?? idleMs,
      log,
      onWake: (listener) => {
        const forget = [onJobs(database, kind, listener), onWake(clock, listener)];
        return () => forget.forEach((each) => each());
      },
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await loop.stop();
    stopObserving();
    if (isFirst) close?.();
  }

  /** Runs what is due. Answers whether there is certainly more. */
  async turn(): Promise<boolean> {
    let isRecovered = false;
    for (const destination of await this.#destinations.toProbe()) {
      const jobs = await this.#leases.takeProbe(destination);
      if (jobs.length === 0) await this.#destinations.leave(destination);
      else isRecovered = (await this.#runBatch(jobs)) || isRecovered;
    }
    const jobs = await this.#leases.takeDue();
    if (jobs.length === 0) return isRecovered;
    probe('job leased');
    await this.#runBatch(jobs);
    return jobs.length >= this.#options.kind.batch;
  }

  /** Answers whether a breaker closed. */
  async #runBatch(jobs: readonly LeasedJob<Payload, Details>[]): Promise<boolean> {
    const open = new Map(jobs.map((job) => [job.jobId, job]));
    const renewal = this.#keepLeases(open);
    try {
      const { handler } = this.#options;
      if ('runAll' in handler) return await this.#record(await this.#runAll(jobs, handler.runAll));
      const run = 'run' in handler ? handler.run : await this.#prepare(jobs, handler.prepare);
      let isRecovered = false;
      for (let left = jobs; left.length > 0;) {
        const group = takeSome(left, this.#options.kind.perDestination);
        isRecovered = (await this.#record(await this.#runGroup(group, run))) || isRecovered;
        for (const job of group) open.delete(job.jobId);
        left = await this.#putBackSilent(left.filter((job) => open.has(job.jobId)));
      }
      return isRecovered;
    } finally {
      clearInterval(renewal);
    }
  }

  /** What waits for a destination whose breaker has opened is not tried. Answers the rest. */
  async #putBackSilent(jobs: readonly LeasedJob<Payload, Details>[]): Promise<readonly LeasedJob<Payload, Details>[]> {
    const silent = jobs.flatMap((job): Result<Payload, Details>[] => {
      const because = this.#destinations.whyOpen(job.destination);
      return because === undefined ? [] : [{ job, outcome: { type: 'away', because } }];
    });
    await this.#leases.settle(silent);
    return jobs.filter((job) => !silent.some((each) => each.job === job));
  }

  async #prepare(
    jobs: readonly LeasedJob<Payload, Details>[],
    prepare: (jobs: readonly LeasedJob<Payload, Details>[]) => Promise<RunOne<Payload, Details>>,
  ): Promise<RunOne<Payload, Details>> {
    try {
      return await prepare(jobs);
    } catch (error) {
      return async (job) => this.#failed(job, error);
    }
  }

  #runGroup(
    jobs: readonly LeasedJob<Payload, Details>[],
    run: RunOne<Payload, Details>,
  ): Promise<readonly Ran<Payload, Details>[]> {
    return Promise.all(jobs.map(async (job) => ({ job, outcome: await this.#runOne(job, run) })));
  }

  async #runOne(job: LeasedJob<Payload, Details>, run: RunOne<Payload, Details>): Promise<Outcome> {
    if (this.#signal?.aborted === true) return { type: 'put_back' };
    try {
      return await run(job);
    } catch (error) {
      return this.#failed(job, error);
    }
  }

  async #runAll(
    jobs: readonly LeasedJob<Payload, Details>[],
    runAll: (jobs: readonly LeasedJob<Payload, Details>[]) => Promise<readonly Outcome[]>,
  ): Promise<readonly Ran<Payload, Details>[]> {
    if (this.#signal?.aborted === true) return jobs.map((job) => ({ job, outcome: { type: 'put_back' } }));
    try {
      const outcomes = await runAll(jobs);
      return jobs.map((job, index) => ({ job, outcome: outcomes[index] ?? { type: 'put_back' } }));
    } catch (error) {
      return jobs.map((job) => ({ job, outcome: this.#failed(job, error) }));
    }
  }

  /** A fault of ours: it is tried again with the same key, and in the end dead, never forgotten. */
  #failed(job: LeasedJob<Payload, Details>, error: unknown): Outcome {
    const { kind, log } = this.#options;
    log.error({ err: error, job: job.jobId, kind: kind.kind, tries: job.tries + 1 }, 'a job failed');
    return { type: 'retry', because: 'failed' };
  }

  /** Writes what came of a group. A crash before this runs it once more, with the same keys. */
  async #record(ran: readonly Ran<Payload, Details>[]): Promise<boolean> {
    const { kind, log } = this.#options;
    probe('job run');
    const written = ran.flatMap(({ job, outcome }): Result<Payload, Details>[] =>
      outcome.type === 'settled_beside' ? [] : [{ job, outcome }],
    );
    const refused = await this.#leases.settle(written);
    if (refused > 0) log.warn({ kind: kind.kind, refused }, 'results of jobs were refused: their leases were over');
    for (const { outcome } of ran)
      results.add(1, { kind: kind.kind, outcome: outcome.type === 'settled_beside' ? outcome.as.type : outcome.type });
    let isRecovered = false;
    for (const [destination, its] of Map.groupBy(ran, ({ job }) => job.destination)) {
      const said = its.map(({ outcome }) => hasAnswered(outcome));
      const silent = its.filter((_, index) => said[index] === false);
      const [first] = silent;
      if (said.includes(true)) isRecovered = (await this.#destinations.answered(destination)) || isRecovered;
      else if (first !== undefined)
        await this.#destinations.failed(destination, silent.length, reasonOf(first.outcome));
    }
    return isRecovered;
  }

  /** A lease that is lost all the same costs a call that is made twice, with the same key. */
  #keepLeases(open: ReadonlyMap<string, LeasedJob<Payload, Details>>): NodeJS.Timeout {
    const { kind, log } = this.#options;
    let renewals = 0;
    const timer = setInterval(() => {
      renewals += 1;
      if (renewals >= maxRenewals) clearInterval(timer);
      this.#leases
        .renew([...open.values()])
        .catch((error: unknown) => log.warn({ err: error, kind: kind.kind }, 'the leases of jobs were not renewed'));
    }, kind.leaseMs / 3);
    return timer;
  }
}

interface Ran<Payload, Details> {
  readonly job: LeasedJob<Payload, Details>;
  readonly outcome: Outcome;
}

/** So many of each destination, in order. */
function takeSome<Job extends { readonly destination: string }>(
  jobs: readonly Job[],
  perDestination: number,
): readonly Job[] {
  return [...Map.groupBy(jobs, (job) => job.destination).values()].flatMap((its) => its.slice(0, perDestination));
}

function reasonOf(outcome: Outcome): string {
  const written = outcome.type === 'settled_beside' ? outcome.as : outcome;
  return 'because' in written ? written.because : '';
}
