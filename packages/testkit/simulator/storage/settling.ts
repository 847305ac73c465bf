/**
 * Which statements are under way on the server. Nothing else happens in a history until each has been answered or waits for a
 * lock.
 */
import type { Client } from 'pg';
import { realClearTimeout, realTimeout } from '../engine/time.ts';

// A statement is answered within a fraction of a millisecond. One that takes longer may wait for a lock: then the server is asked.
const patienceMs = 3;

// pg_locks, not pg_stat_activity: the process that releases a lock grants it to the next itself, so what is granted is known
// before the process that waited has been woken.
const question = 'select distinct pid from pg_locks where not granted and pid = any ($1)';

export class Settling {
  readonly #admin: Pick<Client, 'query'>;
  readonly #busy = new Set<number>();
  #onDone: (() => void) | undefined;

  constructor(admin: Pick<Client, 'query'>) {
    this.#admin = admin;
  }

  isBusy(pid: number): boolean {
    return this.#busy.has(pid);
  }

  begin(pid: number): void {
    this.#busy.add(pid);
  }

  end(pid: number): void {
    this.#busy.delete(pid);
    this.#onDone?.();
  }

  /** Resolves when each statement under way has been answered, or waits for a lock. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) {
      await this.#change();
      if (this.#busy.size === 0) return;
      const pids = [...this.#busy];
      const { rows } = await this.#admin.query<{ pid: number }>({ name: 'waiting', text: question, values: [pids] });
      const waiting = new Set(rows.map((row) => row.pid));
      // What was answered meanwhile is not waited for.
      if (pids.every((pid) => waiting.has(pid) || !this.#busy.has(pid)) && this.#busy.size <= pids.length) return;
    }
  }

  /** An answer, or some milliseconds without one. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        realClearTimeout(timer);
        this.#onDone = undefined;
        resolve();
      };
      const timer = realTimeout(done, patienceMs);
      this.#onDone = done;
    });
  }
}
