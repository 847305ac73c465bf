/** Who waits for whom, advisory locks, and the search for deadlocks. */
import { postgresError } from './errors.ts';
import { forget, Blocked, type Shared, type Transaction } from './transaction.ts';

/** How long things take is the simulator's to say: by default the wall's clock. */
export interface Timers {
  /** Answers how to take it back. */
  later(milliseconds: number, run: () => void): () => void;
}

export const wallTimers: Timers = {
  later(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

interface Waiter {
  readonly holders: ReadonlySet<Transaction>;
  wake(): void;
}

interface AdvisoryLock {
  readonly holder: Transaction;
  count: number;
}

export class Locks {
  readonly #waiters = new Set<Waiter>();
  readonly #advisory = new Map<string, AdvisoryLock>();
  readonly #timers: Timers;
  /** Statements that have waited and are not through yet. */
  #delayed = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get remembers(): boolean {
    return this.#delayed > 0;
  }

  /** Around a statement that waits for the first time, until it is through. */
  begin(): void {
    this.#delayed += 1;
  }

  end(shared: Shared): void {
    this.#delayed -= 1;
    if (this.#delayed === 0) forget(shared);
  }

  /** Until one of the holders ends. Throws at once when nobody could ever go on. `waiting`: the transaction and its session. */
  async wait(
    blocked: Blocked,
    waiting: readonly Transaction[],
    timeout: number,
    onCancel: (cancel: () => void) => void,
  ): Promise<void> {
    if (blocked.holders.length === 0) return;
    for (const each of waiting) each.waitsFor = blocked.holders;
    try {
      if (isCircle(waiting)) throw postgresError('40P01', 'deadlock detected');
      await new Promise<void>((resolve, reject) => {
        let stop: (() => void) | undefined;
        const leave = () => {
          this.#waiters.delete(waiter);
          stop?.();
        };
        const waiter: Waiter = {
          holders: new Set(blocked.holders),
          wake: () => {
            leave();
            resolve();
          },
        };
        this.#waiters.add(waiter);
        onCancel(() => {
          leave();
          reject(new Error('the connection was dropped'));
        });
        if (timeout > 0) {
          stop = this.#timers.later(timeout, () => {
            leave();
            reject(postgresError('55P03', 'canceling statement due to lock timeout'));
          });
        }
      });
    } finally {
      for (const each of waiting) each.waitsFor = [];
    }
  }

  /** Those who waited longest go first. */
  ended(holder: Transaction): void {
    for (const waiter of this.#waiters) if (waiter.holders.has(holder)) waiter.wake();
  }

  advisory(verb: 'lock' | 'try' | 'unlock', key: string, holder: Transaction, kin: readonly Transaction[]): boolean {
    const found = this.#advisory.get(key);
    if (verb === 'unlock') {
      if (found?.holder !== holder) return false;
      found.count -= 1;
      if (found.count === 0) {
        this.#advisory.delete(key);
        this.ended(holder);
      }
      return true;
    }
    if (found === undefined) {
      this.#advisory.set(key, { holder, count: 1 });
      return true;
    }
    if (found.holder === holder) {
      found.count += 1;
      return true;
    }
    // Another lock of the same session does not stand in its way.
    if (kin.includes(found.holder)) return true;
    if (verb === 'try') return false;
    throw new Blocked([found.holder]);
  }

  holdsAdvisory(holder: Transaction): boolean {
    return [...this.#advisory.values()].some((lock) => lock.holder === holder);
  }

  releaseAll(holder: Transaction): void {
    for (const [key, lock] of this.#advisory) if (lock.holder === holder) this.#advisory.delete(key);
    this.ended(holder);
  }
}

/** Whether one of these waits for itself. */
function isCircle(waiting: readonly Transaction[]): boolean {
  const seen = new Set<Transaction>();
  const reaches = (from: Transaction): boolean =>
    from.waitsFor.some((next) => {
      if (waiting.includes(next)) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next);
    });
  return waiting.some(reaches);
}
