/**
 * Decides what happens next. Every operation at a port (a statement, a call, a publication, a request) waits here until
 * the seed picks it; between two of them nothing but the code under test runs. Time goes on only when nothing waits.
 */
import { currentOwner, runAs, type Owner } from './owner.ts';
import { FaultPlan, type FaultKind } from './faults.ts';
import { Random } from './random.ts';
import { realImmediate, type VirtualTime } from './time.ts';

export interface Operation<T> {
  /** For the story: what it is, in a few words without ids. */
  readonly label: string;
  /** Besides crashes, which every service can have. */
  readonly faults?: readonly FaultKind[];
  /** Takes effect when it is called. A promise may wait for other operations. */
  act(): T | Promise<T>;
  /** What the asker hears when it failed. */
  fail?(fault: FaultKind): Error;
}

interface Waiting {
  readonly owner: Owner;
  readonly operation: Operation<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** A fault that is not to strike again. */
  isDelayed: boolean;
}

/** Somebody who can be killed. */
export interface Mortal extends Owner {
  kill(): void;
}

const crashes: readonly FaultKind[] = ['crash before', 'crash after', 'delay'];
const delayOnly: readonly FaultKind[] = ['delay'];
const nothing: readonly FaultKind[] = [];
const delayMs = 2_500;
// Now and then signals and other processes are heard.
const drainsPerTurn = 256;
// A history has some thousand; one that has this many does not come to rest.
const mostOperations = 60_000;

export class EndlessHistory extends Error {
  override readonly name = 'EndlessHistory';
}

export class Scheduler {
  readonly time: VirtualTime;
  #random = new Random(0);
  #plan = new FaultPlan([]);
  #waiting: Waiting[] = [];
  /** Of what is under way outside of this process: nothing is picked before it has come back or is known to wait. */
  #held: Promise<unknown>[] = [];
  #number = 0;
  #hash = 0;
  #drains = 0;
  #failure: Error | undefined;
  /** Something in this history reads and writes in turns of the event loop: an HTTP server. */
  takesTurns = false;
  /** Whether those who came in the same moment stand by their words: what a storage answers later changes nothing then. */
  isOrderly = false;
  /** Where the story of each operation goes, when it is wanted. */
  tell: ((line: string) => void) | undefined;
  /** After each operation that took effect. */
  afterEach: ((label: string) => void) | undefined;

  constructor(time: VirtualTime) {
    this.time = time;
  }

  reset(seed: number): void {
    this.#random = new Random(seed, 1);
    this.#plan = new FaultPlan([]);
    this.#waiting = [];
    this.#held = [];
    this.#number = 0;
    this.#hash = 0;
    this.#drains = 0;
    this.#failure = undefined;
  }

  /** The history cannot go on: what is around the services cannot be played. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** From here on faults strike; operations are counted from here. */
  begin(plan: FaultPlan): void {
    this.#plan = plan;
    this.#number = 0;
  }

  /** Of everything that happened, in order: two runs of one history have the same. */
  get trace(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  get operations(): number {
    return this.#number;
  }

  get random(): Random {
    return this.#random;
  }

  point<T>(operation: Operation<T>): Promise<T> {
    const owner = currentOwner();
    return new Promise<T>((resolve, reject) => {
      // Nothing comes of what a dead process still asks for.
      if (!owner.isAlive) return;
      this.#waiting.push({
        owner,
        operation,
        resolve: resolve as (value: unknown) => void,
        reject,
        isDelayed: false,
      });
    });
  }

  hold(outside: Promise<unknown>): void {
    this.#held.push(outside);
  }

  /** Goes on until told that it is enough, or until nothing is left to happen. */
  async run(isEnough: () => boolean): Promise<void> {
    for (;;) {
      await this.#drain();
      if (this.#failure !== undefined) throw this.#failure;
      if (isEnough()) return;
      const next = this.#pick();
      if (next !== undefined) this.#perform(next);
      else if (!this.time.step()) return;
    }
  }

  /** Whether nothing but time could make anything happen. */
  isIdle(): boolean {
    return !this.#waiting.some((each) => each.owner.isAlive);
  }

  async #drain(): Promise<void> {
    this.#drains += 1;
    if (this.takesTurns || this.#drains % drainsPerTurn === 0) await nextTurn();
    else await this.#quiet();
    while (this.#held.length > 0) {
      await Promise.all(this.#held.splice(0));
      await nextTurn();
    }
  }

  /** What is put off to the end of a turn runs after what is not, and may put off more. */
  async #quiet(): Promise<void> {
    for (let before = -1; before !== this.time.endsOfTurns;) {
      before = this.time.endsOfTurns;
      await quiet();
    }
  }

  #pick(): Waiting | undefined {
    if (this.isOrderly) this.#waiting.sort((a, b) => (wordsOf(a) < wordsOf(b) ? -1 : wordsOf(a) > wordsOf(b) ? 1 : 0));
    while (this.#waiting.length > 0) {
      const at = this.#waiting.length === 1 ? 0 : this.#random.below(this.#waiting.length);
      const [picked] = this.#waiting.splice(at, 1);
      if (picked !== undefined && picked.owner.isAlive) return picked;
    }
    return undefined;
  }

  #perform(waiting: Waiting): void {
    const { owner, operation } = waiting;
    this.#number += 1;
    if (this.#number > mostOperations) throw new EndlessHistory(`no rest after ${mostOperations} operations`);
    const possible = possibleOf(operation.faults ?? nothing, isMortal(owner));
    const struck = waiting.isDelayed
      ? undefined
      : this.#plan.strike(this.#number, possible, operation.label, owner.name);
    const fault = struck?.kind;
    this.#note(`${owner.name} ${operation.label}${fault === undefined ? '' : ` ✗ ${fault}`}`);
    switch (fault) {
      case 'delay':
        waiting.isDelayed = true;
        runAs(owner, () => this.time.after(struck?.ms ?? delayMs, () => this.#waiting.push(waiting)));
        return;
      case 'crash before':
        kill(owner);
        return;
      case 'lost before':
      case 'refused':
      case 'rewind':
      case 'zombie':
        waiting.reject(operation.fail?.(fault) ?? new Error(fault));
        return;
      case 'doubled':
        void this.#take(waiting, undefined).then(() => this.point(operation).catch(() => undefined));
        return;
      default:
        void this.#take(waiting, fault);
    }
  }

  async #take({ owner, operation, resolve, reject }: Waiting, fault: FaultKind | undefined): Promise<void> {
    let answer: unknown;
    try {
      const taken = runAs(owner, () => operation.act());
      answer = taken instanceof Promise ? await taken : taken;
    } catch (error) {
      this.afterEach?.(operation.label);
      if (owner.isAlive) reject(error);
      return;
    }
    this.afterEach?.(operation.label);
    if (fault === 'crash after') kill(owner);
    else if (fault === 'lost after') reject(operation.fail?.(fault) ?? new Error(fault));
    if (fault === undefined && owner.isAlive) resolve(answer);
  }

  #note(line: string): void {
    let hash = this.#hash;
    for (let at = 0; at < line.length; at += 1) hash = Math.imul(hash ^ line.charCodeAt(at), 0x01_00_01_93);
    this.#hash = Math.imul(hash ^ Math.floor(this.time.nowMs), 0x01_00_01_93);
    this.tell?.(`${String(this.#number).padStart(5)} ${(this.time.nowMs / 1_000).toFixed(3)} ${line}`);
  }
}

/**
 * When all promises and ticks have run. A turn of the event loop would do as well, and asks the system each time; but for an
 * HTTP server nothing ever comes from there. Ticks run before the promises that they resolve, so this goes round twice.
 */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(() => queueMicrotask(() => process.nextTick(resolve)));
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve));
}

// By the list that an operation names, which is the same each time.
const mortals = new WeakMap<readonly FaultKind[], readonly FaultKind[]>();
const others = new WeakMap<readonly FaultKind[], readonly FaultKind[]>([[nothing, nothing]]);

function possibleOf(own: readonly FaultKind[], canDie: boolean): readonly FaultKind[] {
  const known = (canDie ? mortals : others).get(own);
  if (known !== undefined) return known;
  const all = [...own, ...(canDie ? crashes : delayOnly)];
  (canDie ? mortals : others).set(own, all);
  return all;
}

function isMortal(owner: Owner): owner is Mortal {
  return 'kill' in owner;
}

function kill(owner: Owner): void {
  if (isMortal(owner)) owner.kill();
}

function wordsOf({ owner, operation }: Waiting): string {
  return `${owner.name} ${operation.label}`;
}
