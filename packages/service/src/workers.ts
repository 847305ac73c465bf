/** Runs workers until told to stop; one that throws, or ends by itself, is started again with back-off. */
import type { Worker } from './app.ts';
import type { Log } from '@tillstream/messaging/log';

const firstBackoffMs = 200;
const longestBackoffMs = 10_000;
// A worker that ran this long was well; its next failure starts from the first back-off.
const wellAfterMs = 60_000;

export function startWorkers(workers: readonly Worker[], log: Log): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const ended = Promise.all(workers.map((worker) => keepRunning(worker, stopping.signal, log)));
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function keepRunning(worker: Worker, signal: AbortSignal, log: Log): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await worker.run(signal);
      if (signal.aborted) return;
      log.warn({ worker: worker.name }, 'a worker ended by itself and is started again');
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error, worker: worker.name }, 'a worker failed and is started again');
    }
    failures = performance.now() - startedAt > wellAfterMs ? 1 : failures + 1;
    await rest(Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 10)), signal);
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
