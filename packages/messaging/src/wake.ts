/**
 * Wakes relay and timer loop of a database in this process after a commit, so that nobody waits for a poll. A commit of
 * another process is found by polling; NOTIFY inside the transaction would end group commit.
 */
import { EventEmitter } from 'node:events';

const signals = new WeakMap<object, EventEmitter>();

export function wake(database: object): void {
  signals.get(database)?.emit('wake');
}

export function onWake(database: object, listener: () => void): () => void {
  const signal = signals.get(database) ?? new EventEmitter().setMaxListeners(100);
  signals.set(database, signal);
  signal.on('wake', listener);
  return () => signal.off('wake', listener);
}
