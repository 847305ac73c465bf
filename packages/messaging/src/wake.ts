/**
 * Wakes relay and timer loop of a database in this process after a commit, so that nobody waits for a poll. A commit of
 * another process is found by polling; NOTIFY inside the transaction would end group commit.
 */
import { EventEmitter } from 'node:events';

const signals = new WeakMap<object, EventEmitter>();

/** `hasDue` = false when nothing was set that is due at once: whoever waits for due times need not look. */
export function wake(database: object, hasDue = true): void {
  signals.get(database)?.emit('wake', hasDue);
}

export function onWake(database: object, listener: (hasDue: boolean) => void): () => void {
  const signal = signals.get(database) ?? new EventEmitter().setMaxListeners(100);
  signals.set(database, signal);
  signal.on('wake', listener);
  return () => signal.off('wake', listener);
}
