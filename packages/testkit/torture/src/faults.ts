/** Makes the planned faults happen, and ends them all when the peace begins. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allTopics } from '@tillstream/messaging/topics';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { FaultKind } from './plan.ts';
import { CrashPoints } from './crash-points.ts';
import { mortals, outsiders, type World } from './world.ts';

export interface Fired {
  readonly kind: FaultKind;
  readonly what: string;
  readonly at: number;
}

const pauseMs = 20_000;
const deadly: ReadonlySet<FaultKind> = new Set([
  'kill',
  'crash point',
  'orderly stop',
  'broker crash',
  'database crash',
]);
// One that is paused or starts at the moment does not count.
const mostDown = 2;
export const poisonMark = 'poison-';

export class Faults {
  readonly fired: Fired[] = [];
  /** Keys that hold a message nobody can read. */
  readonly poisoned: { readonly topic: string; readonly key: string; isSent: boolean }[] = [];
  /** Planned, and not fired before the end. */
  dropped = 0;
  readonly #world: World;
  readonly #random: () => number;
  readonly #kafka: Kafka;
  /** Not killed together with its broker or database by chance twice over: one at a time. */
  #isBrokerDown = false;
  #isOver = false;
  #isSomebodyPaused = false;
  readonly #crashPoints: CrashPoints;
  /** Deaths come one after the other, each when the product stands again; on a fast machine none of them waits. */
  #turn: Promise<void> = Promise.resolve();
  readonly #ending = new Set<() => void>();

  constructor(world: World, random: () => number) {
    this.#world = world;
    this.#random = random;
    this.#crashPoints = new CrashPoints(world.programs, mortals, random, (what) => this.#note('crash point', what));
    this.#kafka = new Kafka({
      brokers: [...world.broker.addresses],
      clientId: 'torture',
      logLevel: logLevel.NOTHING,
      retry: { retries: 3 },
    });
  }

  /** What kills waits until nearly everything is up: a product that never stands is not tried by killing it once more. */
  async fire(kind: FaultKind): Promise<void> {
    if (!deadly.has(kind)) return this.#fire(kind);
    const mine = this.#turn.then(() => this.#untilStanding());
    this.#turn = mine.catch(() => undefined);
    await mine;
    return this.#fire(kind);
  }

  async #untilStanding(): Promise<void> {
    while (!this.#isOver) {
      const ready = await Promise.all(mortals.map((name) => this.#world.programs.isReady(name)));
      if (ready.filter((isReady) => !isReady).length <= mostDown) return;
      await rest(500);
    }
  }

  async #fire(kind: FaultKind): Promise<void> {
    if (this.#isOver) {
      this.dropped += 1;
      return;
    }
    switch (kind) {
      case 'kill':
        return this.#kill();
      case 'crash point':
        return this.#crashPoints.aim();
      case 'pause':
        return this.#pause();
      case 'orderly stop':
        return this.#orderlyStop();
      case 'outsider killed':
        return this.#killOutsider();
      case 'broker crash':
        return this.#crashBroker();
      case 'database crash':
        return this.#crashDatabase();
      case 'lost commits':
        return this.#during(kind, 15_000, (on) => this.#world.proxy.loseCommits(on ? 0.05 : 0));
      case 'silent network':
        return this.#during(kind, 4_000, (on) =>
          this.#world.proxy.blackhole(on ? (this.#random() < 0.5 ? 'to client' : 'to server') : undefined),
        );
      case 'slow network':
        return this.#during(kind, 15_000, (on) => this.#world.proxy.delay(on ? { from: 1, to: 15 } : undefined));
      case 'connections reset':
        this.#world.proxy.reset();
        return this.#note(kind, 'all connections to the database');
      case 'poison':
        return this.#poison();
    }
  }

  /** Whatever is under way ends now; the rest does not begin. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const end of this.#ending) end();
    this.#crashPoints.end();
    const { proxy, programs } = this.#world;
    proxy.loseCommits(0);
    proxy.delay(undefined);
    proxy.blackhole(undefined);
    for (const name of programs.names) programs.resume(name);
    while (this.#isBrokerDown) await rest(200);
  }

  #note(kind: FaultKind, what: string): void {
    this.fired.push({ kind, what, at: Date.now() });
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  #kill(): void {
    const { programs } = this.#world;
    const up = mortals.filter((name) => programs.isUp(name));
    // Now and then two at once, and once in a while all of them.
    const chance = this.#random();
    const victims = chance < 0.03 ? up : [this.#pick(up), ...(chance < 0.2 ? [this.#pick(up)] : [])];
    for (const name of new Set(victims)) if (name !== undefined && programs.kill(name)) this.#note('kill', name);
  }

  /** One at a time: two that stand still are an outage for everybody, and no zombie more. */
  async #pause(): Promise<void> {
    const { programs } = this.#world;
    const name = this.#pick(mortals.filter((each) => programs.isUp(each)));
    if (this.#isSomebodyPaused || name === undefined || !programs.pause(name)) return;
    this.#isSomebodyPaused = true;
    this.#note('pause', name);
    await this.#rest(pauseMs);
    programs.resume(name);
    this.#isSomebodyPaused = false;
  }

  /** SIGTERM; most of those who have not died in the middle of their orderly end yet do so. */
  #orderlyStop(): void {
    const { programs } = this.#world;
    const up = mortals.filter((each) => programs.isUp(each));
    const living = up.filter((name) => (programs.coverage(name).get('stopping')?.kills ?? 0) === 0);
    const dies = living.length > 0 && this.#random() < 0.7;
    const name = this.#pick(dies ? living : up);
    if (name === undefined) return;
    if (dies) programs.tell(name, { moments: ['stopping'], hit: 1 + Math.floor(this.#random() * 3) });
    if (programs.kill(name, 'SIGTERM')) this.#note('orderly stop', dies ? `${name}, and dies in it` : name);
  }

  /** The provider or the mail server: as the product's own, it is not there for a while and then remembers all. */
  #killOutsider(): void {
    const name = this.#pick(outsiders);
    if (name !== undefined && this.#world.programs.kill(name)) this.#note('outsider killed', name);
  }

  async #crashBroker(): Promise<void> {
    while (this.#isBrokerDown && !this.#isOver) await rest(500);
    if (this.#isOver) return;
    this.#isBrokerDown = true;
    try {
      await this.#world.broker.kill();
      this.#note('broker crash', 'kafka');
      await this.#rest(1_000 + this.#random() * 9_000);
      await startAgain(this.#world);
    } finally {
      this.#isBrokerDown = false;
    }
  }

  /** Its keeper starts it again. */
  #crashDatabase(): void {
    const file = join(this.#world.data, 'postgres', 'postmaster.pid');
    try {
      process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), 'SIGKILL');
      this.#note('database crash', 'postgres');
    } catch {
      // It is just being started.
    }
  }

  /** A message that nobody can read, on a key of its own; every second one even without headers. */
  async #poison(): Promise<void> {
    const at = this.poisoned.length;
    const topic = allTopics[at % allTopics.length]?.name ?? '';
    const key = `${poisonMark}${at}`;
    const headers = {
      ce_id: randomUUID(),
      ce_type: 'tillstream.unreadable',
      ce_source: 'torture',
      ce_time: new Date().toISOString(),
      traceparent: '',
      merchant_id: randomUUID(),
    };
    const poison = { topic, key, isSent: false };
    this.poisoned.push(poison);
    while (!this.#isOver && !poison.isSent) {
      const producer = this.#kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      try {
        await producer.connect();
        const value = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x12]);
        await producer.send({ topic, messages: [{ key, value, ...(at % 2 === 0 ? { headers } : {}) }] });
        poison.isSent = true;
        this.#note('poison', `${topic} ${key}`);
      } catch {
        await rest(1_000);
      } finally {
        await producer.disconnect().catch(() => undefined);
      }
    }
  }

  async #during(kind: FaultKind, ms: number, turn: (on: boolean) => void): Promise<void> {
    turn(true);
    this.#note(kind, `for ${ms / 1_000} s`);
    await this.#rest(ms);
    turn(false);
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#ending.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#ending.add(done);
    });
  }
}

// On a machine that is busy with other things a start may take longer than it is waited for.
const mostStarts = 10;

async function startAgain(world: World): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await world.broker.start();
    } catch (error) {
      if (tries === mostStarts) throw error;
    }
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
