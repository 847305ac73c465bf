/**
 * Wakes relay and timer loop of a database in this process after a commit, so that nobody waits for a poll. A commit of
 * another process is found by polling; NOTIFY inside the transaction would end group commit.
 */
import { EventEmitter } from 'node:events';

const signals = new WeakMap<object, EventEmitter>();

type Signal = 'wake' | 'hurry';

/** `hasDue` = false when nothing was set that is due at once: whoever waits for due times need not look. */
export function wake(database: object, hasDue = true): void {
  signals.get(database)?.emit('wake', hasDue);
}

export function onWake(database: object, listener: (hasDue: boolean) => void): () => void {
  return on(database, 'wake', listener);
}

/** Somebody waits until everything that is said is sent: whoever gathers more of it stops. `hasUnsent` = there is something now. */
export function hurry(database: object, hasUnsent: boolean): void {
  signals.get(database)?.emit('hurry', hasUnsent);
}

export function onHurry(database: object, listener: (hasUnsent: boolean) => void): () => void {
  return on(database, 'hurry', listener);
}

function on(database: object, what: Signal, listener: (has: boolean) => void): () => void {
  const signal = signals.get(database) ?? new EventEmitter().setMaxListeners(100);
  signals.set(database, signal);
  signal.on(what, listener);
  return () => signal.off(what, listener);
}
