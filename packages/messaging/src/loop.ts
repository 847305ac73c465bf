/** A loop that turns when woken or when its idle time is over, backs off when it throws, and ends in order. */
import type { Log } from './log.ts';

export interface Loop {
  /** Resolves when the running turn has ended. */
  stop(): Promise<void>;
}

// An outage of a minute is looked at some ten times.
const firstBackoffMs = 200;
const longestBackoffMs = 10_000;

export function startLoop(parts: {
  readonly name: string;
  /** Answers whether there is certainly more to do. */
  readonly turn: () => Promise<boolean>;
  /** How long to rest at most; asked before each rest. */
  readonly idleMs: number | (() => number);
  readonly log: Log;
  readonly onWake?: (listener: () => void) => () => void;
}): Loop {
  const stopping = new AbortController();
  let wakeUp: (() => void) | undefined;
  let isWoken = false;
  const unsubscribe = parts.onWake?.(() => {
    isWoken = true;
    wakeUp?.();
  });

  const rest = (ms: number, canBeWoken: boolean): Promise<void> =>
    new Promise((resolve) => {
      if (stopping.signal.aborted || (canBeWoken && isWoken)) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        wakeUp = undefined;
        stopping.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (canBeWoken) wakeUp = done;
      stopping.signal.addEventListener('abort', done, { once: true });
    });

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      isWoken = false;
      try {
        const hasMore = await parts.turn();
        failures = 0;
        if (!hasMore) await rest(typeof parts.idleMs === 'number' ? parts.idleMs : parts.idleMs(), true);
      } catch (error) {
        failures += 1;
        // The first failure is worth a line, and then one in ten: an outage should not fill the log.
        if (failures % 10 === 1) parts.log.warn({ err: error, loop: parts.name, failures }, 'will be tried again');
        await rest(
          Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2),
          false,
        );
      }
    }
  };
  const ended = run();
  return {
    stop: async () => {
      stopping.abort();
      unsubscribe?.();
      await ended;
    },
  };
}
