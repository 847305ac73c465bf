/** What is done for accounts at providers without anybody asking: their health is written, their credentials follow the keys. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@tillstream/messaging/log';
import type { Worker } from '@tillstream/service/app';

// One statement for all accounts; what an operator reads may be so old.
const everyMs = 10_000;

export function writeHealth(health: { write(): Promise<void> }): Worker {
  return {
    name: 'account health',
    async run(signal) {
      while (!signal.aborted) {
        await sleep(everyMs, undefined, { signal }).catch(() => undefined);
        await health.write();
      }
    },
  };
}

/** Once per start: after a start with a new key in front, nothing is sealed with an older one for long. */
export function followKeys(
  reseal: (signal: AbortSignal) => Promise<{ resealed: number; unreadable: number }>,
  log: Log,
): Worker {
  return {
    name: 'reseal credentials',
    async run(signal) {
      const found = await reseal(signal);
      if (found.resealed > 0 || found.unreadable > 0) log.info(found, 'credentials were sealed with the new key');
      if (!signal.aborted) await once(signal, 'abort');
    },
  };
}
