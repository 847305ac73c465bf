/** For operators: handles again, key by key and in order, what was parked (docs/runbooks/parked-messages.md). */
import type { Log } from '@tillstream/messaging/log';
import { listParked, replayParked, type ParkedMessage } from '@tillstream/messaging/parked';
import type { ServiceApp } from './app.ts';

/** Answers how many keys are still parked. A key that fails again keeps its messages and holds up no other. */
export async function replayAll(app: ServiceApp, log: Log): Promise<number> {
  const { database } = app;
  if (database === undefined) return 0;
  const keys = new Map<string, ParkedMessage>();
  for (let page = await listParked(database); page.length > 0; page = await listParked(database, page.at(-1)?.id)) {
    for (const each of page) keys.set(JSON.stringify([each.consumer, each.topic, each.key]), each);
  }
  let remaining = 0;
  for (const { consumer, topic, key } of keys.values()) {
    const subscription = app.subscriptions.find((each) => each.group === consumer && each.topics.includes(topic));
    try {
      if (subscription === undefined) throw new Error(`${app.name} no longer hears ${topic} as ${consumer}`);
      const messages = await replayParked(database, subscription, topic, key);
      log.info({ group: consumer, topic, key, messages }, 'replayed');
    } catch (error) {
      remaining += 1;
      log.error({ err: error, group: consumer, topic, key }, 'still parked');
    }
  }
  log.info({ keys: keys.size, remaining }, 'the parked messages were replayed');
  return remaining;
}
