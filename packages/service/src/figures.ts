/** What is measured about a running service, asked at each export (docs/telemetry.md). */
import type { Carrier } from '@tillstream/messaging/message';
import type { RunningMessaging } from '@tillstream/messaging/running';
import { gauge } from '@tillstream/telemetry/metrics';
import type { ServiceApp } from './app.ts';

// Three gauges of one export share one question to the database.
const memoryMs = 5_000;

/** Answers what ends the measuring. */
export function observeFigures(
  app: ServiceApp,
  messaging: RunningMessaging | undefined,
  carrier: Carrier | undefined,
): () => void {
  const whose = { 'tillstream.service': app.name };
  const ends: (() => void)[] = [];
  const measure = (name: string, description: string, ask: () => Promise<number>, more: Record<string, string> = {}) =>
    ends.push(gauge(name, description, ask, { ...whose, ...more }));
  if (messaging !== undefined) {
    const figures = remembered(() => messaging.figures());
    measure(
      'tillstream.outbox.unsent',
      'Messages in the outbox that are not sent',
      async () => (await figures()).outboxUnsent,
    );
    measure(
      'tillstream.outbox.oldest',
      'Age of the oldest of them in seconds',
      async () => (await figures()).outboxOldestMs / 1_000,
    );
    measure('tillstream.parked', 'Messages that wait for a person', async () => (await figures()).parked);
  }
  if (carrier !== undefined) {
    for (const { group, topics } of app.subscriptions) {
      measure(
        'tillstream.consumer.lag',
        'Messages not yet handled',
        async () => Number(await carrier.lag(group, topics)),
        { group },
      );
    }
  }
  const { database } = app;
  if (database !== undefined) {
    measure('tillstream.db.connections.used', 'Connections in use', async () => database.load().used);
    measure(
      'tillstream.db.connections.waiting',
      'Work that waits for a connection',
      async () => database.load().waiting,
    );
  }
  return () => {
    for (const end of ends) end();
  };
}

function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at > memoryMs) last = { at: performance.now(), answer: ask() };
    return last.answer;
  };
}
