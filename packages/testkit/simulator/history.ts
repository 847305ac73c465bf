/** One history, from its story to the verdict. */
import { NotKnown } from '@tillstream/memory-postgres/errors';
import { Customer, pause } from './actors/customer.ts';
import { Operator } from './actors/operator.ts';
import { Program } from './actors/program.ts';
import { FaultPlan } from './engine/faults.ts';
import { SeededIds } from './engine/ids.ts';
import { runAs } from './engine/owner.ts';
import { EndlessHistory, Scheduler } from './engine/scheduler.ts';
import { VirtualTime } from './engine/time.ts';
import { watchAll, type Continuous } from './invariants/continuous/all.ts';
import { readFacts, type Facts } from './invariants/facts.ts';
import { judge, type Violation } from './invariants/judge.ts';
import { unrest } from './invariants/liveness.ts';
import { clientsOf, openShops, type Shops } from './shop.ts';
import type { Ground } from './storage/storage.ts';
import type { Order, Story } from './story.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly violations: readonly Violation[];
  /** Of everything that happened; the same story has the same. */
  readonly trace: string;
  readonly operations: number;
  readonly kills: number;
  readonly struck: number;
  /** The statement that the storage in memory does not know: the history was not told to its end, and is not judged. */
  readonly notKnown?: string;
}

const startMs = Date.UTC(2026, 10, 2, 9, 30);
const codesEach = 12;
const operatorSteps = new Set([
  'withdraw payment',
  'resend licences',
  'delete order',
  'add codes',
  'merchant cancels',
  'merchant restores',
  'cancel against restore',
  'advance',
]);
// After the faults everything is at rest within this time, or waits for somebody outside (I16). Each step of a test clock has it anew:
// an advance may be long.
const restWithinMs = 120_000;

export class Simulator {
  readonly time: VirtualTime;
  readonly scheduler: Scheduler;
  readonly #ids = new SeededIds();
  readonly #ground: Ground;
  #shops: Shops | undefined;

  private constructor(scheduler: Scheduler, ground: Ground) {
    this.time = scheduler.time;
    this.scheduler = scheduler;
    this.#ground = ground;
  }

  /** Opens the shops once: every history begins with it. */
  static async on(makeGround: (scheduler: Scheduler) => Promise<Ground>): Promise<Simulator> {
    const scheduler = new Scheduler(new VirtualTime(startMs));
    const ground = await makeGround(scheduler);
    const simulator = new Simulator(scheduler, ground);
    await simulator.#inSeededWorld(0, async () => {
      const world = new World({
        scheduler,
        storage: ground,
        webhookSecrets: new Map(),
      });
      world.bootAll();
      simulator.#shops = await simulator.#until(openWhenUp(world));
      world.end();
      // The dispatcher of then is gone.
      await ground.look(`update webhook.shard_lease set owner = null, expires_at = '2000-01-01'`);
      await ground.look('delete from webhook.dispatcher');
      await ground.keep();
    });
    return simulator;
  }

  close(): Promise<void> {
    return this.#ground.close();
  }

  /** `tell` hears each operation, and what the services log. */
  async run(story: Story, tell?: (line: string) => void): Promise<Outcome> {
    const { scheduler, time } = this;
    const continuous = watchAll(
      () => `at operation ${scheduler.operations}, ${((time.nowMs - startMs) / 1_000).toFixed(1)} s`,
    );
    await this.#ground.fresh(continuous.watch.hear);
    return this.#inSeededWorld(story.seed, () => this.#live(story, continuous, tell));
  }

  /** What the last history left behind. */
  facts(): Promise<Facts> {
    return readFacts(this.#ground);
  }

  /** Time, ids and chance are the seed's while this runs. */
  async #inSeededWorld<T>(seed: number, run: () => Promise<T>): Promise<T> {
    const { time, scheduler } = this;
    this.#ids.seed(seed);
    time.reset(startMs);
    scheduler.reset(seed);
    this.#ids.install();
    time.install();
    try {
      return await run();
    } finally {
      time.uninstall();
      this.#ids.uninstall();
    }
  }

  async #live(
    story: Story,
    { watch, tenants, taken }: Continuous,
    tell: ((line: string) => void) | undefined,
  ): Promise<Outcome> {
    const { scheduler } = this;
    const shops = this.#shops;
    if (shops === undefined) throw new Error('there is no shop yet');
    const plan = new FaultPlan(story.faults);
    const world = new World({
      scheduler,
      storage: this.#ground,
      webhookSecrets: new Map(Object.values(shops).flatMap((shop) => [...shop.webhookSecrets])),
      ...(tell === undefined ? {} : { log: tell }),
    });
    tenants.begin(shops);
    if (this.#ground.tellsCommits) world.provider.books.onEntry = taken;
    const broken: Violation[] = [];
    const outcome = (): Outcome => ({
      // What was seen while it happened comes first.
      violations: [...watch.violations, ...broken],
      trace: scheduler.trace,
      operations: scheduler.operations,
      kills: world.kills,
      struck: plan.struck,
    });
    try {
      scheduler.tell = tell;
      const hasPrograms = story.orders.some(({ steps }) => steps.some((step) => step.do === 'merchant posts'));
      scheduler.takesTurns = hasPrograms;
      world.bootAll([...(hasPrograms ? (['gateway'] as const) : []), ...(story.twice ?? [])]);
      await this.#until(whenServing(world));
      scheduler.begin(plan);
      const customers = story.orders.map(
        (order, number) =>
          new Customer({
            number,
            person: story.orders.slice(0, number).filter((each) => each.shop === order.shop).length,
            order,
            clients: clientsOf(world),
            world,
            shop: shops[order.shop ?? 'first'],
          }),
      );
      await this.#until(Promise.all(customers.map((customer, at) => act(world, customer, story.orders[at]))));
      plan.end();
      const restless = await this.#rest(world);
      if (restless !== '')
        broken.push({ invariant: 'I16', sentence: 'After the faults everything comes to rest.', rows: [restless] });
      broken.push(...(await judge({ world, shops, customers, story, tenants })));
      return outcome();
    } catch (error) {
      if (error instanceof NotKnown) return { ...outcome(), violations: [], notKnown: error.message };
      if (!(error instanceof EndlessHistory)) throw error;
      broken.push({
        invariant: 'I16',
        sentence: 'After the faults everything comes to rest.',
        rows: [error.message],
      });
      return outcome();
    } finally {
      scheduler.tell = undefined;
      world.end();
    }
  }

  /** Lets the world go on until this is done. */
  async #until<T>(done: Promise<T>): Promise<T> {
    let outcome: { value: T } | { error: unknown } | undefined;
    done.then(
      (value) => (outcome = { value }),
      (error: unknown) => (outcome = { error }),
    );
    await this.scheduler.run(() => outcome !== undefined);
    if (outcome === undefined) throw new Error('nothing is left to happen, and the history is not over');
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /**
   * Without faults, until nothing is left to be done. Answers what still is after the time that it may take. What is due
   * later is gone to: time leaps, as over a night in which nobody bought.
   */
  async #rest(world: World): Promise<string> {
    const { scheduler, time } = this;
    let endMs = time.nowMs + restWithinMs;
    let reached: string | undefined;
    for (let stepMs = 0; ; stepMs = Math.min(5_000, stepMs + 500)) {
      time.jumpTo(time.nowMs + stepMs);
      await scheduler.run(() => scheduler.isIdle() && (time.nextMs() ?? Infinity) > time.nowMs);
      const { busy, nextMs, clocks } = await unrest(world);
      if (busy === '' && nextMs === undefined) return '';
      if (busy === '' || clocks !== reached) {
        if (busy === '' && nextMs !== undefined) time.jumpTo(nextMs);
        endMs = time.nowMs + restWithinMs;
        stepMs = 0;
        reached = clocks;
      } else if (time.nowMs > endMs) return busy;
    }
  }
}

async function whenServing(world: World): Promise<void> {
  while (!world.isServing()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function openWhenUp(world: World): Promise<Shops> {
  await whenServing(world);
  return openShops(world, codesEach);
}

/** A customer with what the merchant's people do about the same order, one step after the other. */
function act(world: World, customer: Customer, order: Order | undefined): Promise<void> {
  // Nobody lives through it: whatever becomes due meanwhile is late, as after a machine has slept.
  const leap = (seconds: number) => world.scheduler.time.jumpTo(world.scheduler.time.nowMs + seconds * 1_000);
  const operator = new Operator(clientsOf(world), customer.shop, customer.number);
  const { shop, number } = customer;
  const program = new Program({ door: world.door, shop, number, heard: world.posted });
  const owner = { name: `customer ${customer.number}`, isAlive: true, merchantId: customer.shop.merchantId };
  world.actors.add(owner);
  return runAs(owner, async () => {
    await customer.place();
    for (const step of order?.steps ?? [])
      if (step.do === 'wait') leap(step.seconds);
      else if (step.do === 'stay') await pause(step.seconds * 1_000);
      else if (step.do === 'merchant posts') await program.take(step, customer.promised?.orderId);
      else if (step.do === 'cancel during advance') {
        const advancing = operator.take({ do: 'advance', by: step.by }, undefined);
        await pause(step.seconds * 1_000);
        await Promise.all([advancing, customer.take({ do: 'cancel' })]);
      } else if (step.do === 'pay renewal during advance') {
        const advancing = operator.take({ do: 'advance', by: step.by }, undefined);
        await pause(step.seconds * 1_000);
        const link = await operator.linkToPay(customer.promised?.orderId);
        await Promise.all([advancing, link === undefined ? undefined : customer.payRenewal(step.card, link)]);
      } else if (operatorSteps.has(step.do)) await operator.take(step, customer.promised?.orderId, order?.good);
      else await customer.take(step);
  });
}
