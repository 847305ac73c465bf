/**
 * Virtual time: Date, timers and performance.now of everything in this process. It moves only when told to, from timer to
 * timer; a timer of an owner that has died is forgotten.
 */
import { syncBuiltinESMExports } from 'node:module';
import promises from 'node:timers/promises';
import { currentOwner, nobody, runAs, type Owner } from './owner.ts';

const real = {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  now: performance.now.bind(performance),
  sleep: promises.setTimeout,
  abortTimeout: AbortSignal.timeout.bind(AbortSignal),
};

export const realNow = real.now;
export const realTimeout = real.setTimeout;
export const realClearTimeout = real.clearTimeout;
export const realImmediate = real.setImmediate;
export const realDate = real.Date;

// Timers of a busy machine are late. This much at most, and who polls every few milliseconds is asked a tenth as often.
const grainMs = 250;

interface Timer {
  atMs: number;
  readonly sequence: number;
  readonly owner: Owner;
  readonly everyMs: number | undefined;
  /** Runs it as whoever set it. */
  readonly fire: () => void;
  isOff: boolean;
}

/** What setTimeout answers; the code under test only hands it back to clearTimeout, or unrefs it. */
class Handle {
  readonly timer: Timer;
  constructor(timer: Timer) {
    this.timer = timer;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return !this.timer.isOff;
  }
  refresh(): this {
    return this;
  }
  [Symbol.toPrimitive](): number {
    return this.timer.sequence;
  }
}

export class VirtualTime {
  #nowMs: number;
  #sequence = 0;
  /** A binary heap by time and order of setting. */
  #heap: Timer[] = [];

  #endsOfTurns = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** How often something was put off to the end of a turn. */
  get endsOfTurns(): number {
    return this.#endsOfTurns;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** A new history begins: nothing of the last one is left. */
  reset(startMs: number): void {
    this.#nowMs = startMs;
    this.#sequence = 0;
    this.#heap = [];
  }

  /** The clock jumps, as after the sleep of a machine; what became due meanwhile fires late. */
  jumpTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** When the next timer of somebody alive is due. */
  nextMs(): number | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (!first.isOff && first.owner.isAlive) return first.atMs;
      this.#pop();
    }
    return undefined;
  }

  /** Goes to the next timer and fires it; false when there is none. */
  step(): boolean {
    const nextMs = this.nextMs();
    if (nextMs === undefined) return false;
    const timer = this.#pop();
    if (timer === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, Math.ceil(nextMs / grainMs) * grainMs);
    if (timer.everyMs === undefined) timer.isOff = true;
    else {
      timer.atMs = this.#nowMs + timer.everyMs;
      this.#push(timer);
    }
    timer.fire();
    return true;
  }

  /** Of the world itself: it happens whoever dies meanwhile. */
  later(ms: number, run: () => void): void {
    runAs(nobody, () => this.after(ms, run));
  }

  after(ms: number, run: () => void, everyMs?: number): Handle {
    // Whose it is, is all that the async context holds here: telemetry is off.
    const owner = currentOwner();
    const timer: Timer = {
      atMs: this.#nowMs + Math.max(0, Number.isFinite(ms) ? ms : 1),
      sequence: (this.#sequence += 1),
      owner,
      everyMs,
      fire: () => runAs(owner, run),
      isOff: false,
    };
    this.#push(timer);
    return new Handle(timer);
  }

  install(): void {
    const nowMs = () => this.#nowMs;
    class VirtualDate extends real.Date {
      constructor(...given: ConstructorParameters<typeof real.Date> | []) {
        if (given.length === 0) super(nowMs());
        else super(...given);
      }
      static override now(): number {
        return Math.floor(nowMs());
      }
      static override [Symbol.hasInstance](value: unknown): boolean {
        return Object.prototype.isPrototypeOf.call(real.Date.prototype, Object(value));
      }
    }
    const set =
      (everyMs: boolean) =>
      (run: (...given: unknown[]) => void, ms = 1, ...given: unknown[]) =>
        this.after(ms, () => run(...given), everyMs ? Math.max(1, ms) : undefined);
    const clear = (handle: unknown) => {
      if (handle instanceof Handle) handle.timer.isOff = true;
    };
    // At the end of a turn: there are none here, but all promises and ticks run before anything is picked.
    const atEndOfTurn = (run: (...given: unknown[]) => void, ...given: unknown[]) => {
      const owner = currentOwner();
      this.#endsOfTurns += 1;
      process.nextTick(() => owner.isAlive && run(...given));
    };
    Object.assign(globalThis, {
      Date: VirtualDate,
      setImmediate: atEndOfTurn,
      setTimeout: set(false),
      setInterval: set(true),
      clearTimeout: clear,
      clearInterval: clear,
    });
    Object.assign(promises, {
      setTimeout: <T>(ms: number, value: T, { signal }: { signal?: AbortSignal } = {}) =>
        new Promise<T>((resolve, reject) => {
          if (signal?.aborted === true) return reject(signal.reason);
          const handle = this.after(ms, () => resolve(value));
          signal?.addEventListener('abort', () => {
            handle.timer.isOff = true;
            reject(signal.reason);
          });
        }),
    });
    syncBuiltinESMExports();
    performance.now = nowMs;
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      this.after(ms, () => controller.abort(new DOMException('The operation timed out', 'TimeoutError')));
      return controller.signal;
    };
  }

  uninstall(): void {
    const { now, abortTimeout, sleep, ...globals } = real;
    Object.assign(globalThis, globals);
    promises.setTimeout = sleep;
    syncBuiltinESMExports();
    performance.now = now;
    AbortSignal.timeout = abortTimeout;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    heap.push(timer);
    for (let at = heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at], heap[parent])) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (isBefore(heap[left], heap[least])) least = left;
      if (isBefore(heap[right], heap[least])) least = right;
      if (least === at) return first;
      swap(heap, at, least);
      at = least;
    }
  }
}

function isBefore(a: Timer | undefined, b: Timer | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

function swap(heap: Timer[], a: number, b: number): void {
  const [one, other] = [heap[a], heap[b]];
  if (one !== undefined && other !== undefined) [heap[a], heap[b]] = [other, one];
}
