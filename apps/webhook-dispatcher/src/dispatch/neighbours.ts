/**
 * Tells the other processes what is new for their shards, so that a webhook does not wait for their next look at the
 * rows. A hint only: one that is lost is made up for by that look, seconds later.
 */
import type { Database } from '@tillstream/database/database';
import type { Log } from '@tillstream/messaging/log';

export interface Hints {
  readonly chains: readonly (readonly [endpointId: string, subjectKind: string, subjectId: string])[];
  /** Endpoints that were changed. */
  readonly changed: readonly string[];
  /** A merchant's clock was set. */
  readonly isClockSet?: boolean;
}

// Hints of a process that knows only orders are on another channel, and have another form.
const channel = 'tillstream_webhook_chain';
// A notification holds less than 8,000 bytes; a hint some 90: two UUIDs' worth of text and the kind.
const hintsAtOnce = 60;
const reconnectMs = 1_000;

/** Outside of transactions: inside they would end group commit. */
export async function tellNeighbours(database: Database<object>, hints: Hints): Promise<void> {
  for (let from = 0; from === 0 || from < hints.chains.length; from += hintsAtOnce) {
    const part: Hints = {
      chains: hints.chains.slice(from, from + hintsAtOnce),
      changed: from === 0 ? hints.changed : [],
      ...(hints.isClockSet === true ? { isClockSet: true } : {}),
    };
    await database.pool.query('select pg_notify($1, $2)', [channel, JSON.stringify(part)]);
  }
}

/** Listens until the signal is aborted; a lost connection is made again. */
export async function hearNeighbours(
  database: Database<object>,
  hear: (hints: Hints) => void,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const client = await database.pool.connect();
      try {
        const ended = new Promise<void>((resolve) => {
          client.once('error', () => resolve());
          client.once('end', () => resolve());
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        client.on('notification', ({ payload = '' }) => {
          const hints: Hints = JSON.parse(payload);
          hear(hints);
        });
        await client.query(`listen ${channel}`);
        await ended;
      } finally {
        // Thrown away, not put back: the next user must not be listening.
        client.release(true);
      }
    } catch (error) {
      log.info({ err: error }, 'no hints from the other dispatchers for a moment');
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
}
