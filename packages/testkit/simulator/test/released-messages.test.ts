/**
 * P8: a message of an older version is still understood. One of each kind that simulated histories sent is kept with what was
 * read in it. `UPDATE_RELEASED=1` keeps new kinds beside the old ones; a kept one is never written anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import { SubscriptionEvent } from '@tillstream/proto/subscription/v1/subscription_events';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Broker } from '../carrier.ts';
import { openSimulator } from '../crew.ts';
import { tellStory } from '../story.ts';

interface Kept {
  readonly topic: string;
  readonly kind: string;
  /** base64 */
  readonly bytes: string;
  readonly read: unknown;
}

const file = new URL('../../../../proto/messages.released.json', import.meta.url);
interface Read {
  readonly event: object;
  readonly again: Uint8Array;
}

const both =
  <Event extends object>(shape: { decode(bytes: Uint8Array): Event; encode(event: Event): { finish(): Uint8Array } }) =>
  (bytes: Uint8Array): Read => {
    const event = shape.decode(bytes);
    return { event, again: shape.encode(event).finish() };
  };
const readers = new Map([
  ['tillstream.order.events.v1', both(OrderEvent)],
  ['tillstream.payment.events.v1', both(PaymentEvent)],
  ['tillstream.fulfillment.events.v1', both(FulfillmentEvent)],
  ['tillstream.subscription.events.v1', both(SubscriptionEvent)],
]);
const kept: readonly Kept[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];

function readingOf(topic: string, bytes: Uint8Array): { kind: string; read: unknown; again: Uint8Array } {
  const read = readers.get(topic);
  if (read === undefined) throw new Error(`what is in ${topic}?`);
  const { event, again } = read(bytes);
  const said = Object.values(event).find((value) => typeof value === 'object' && value !== null && '$case' in value);
  return { kind: String(said?.$case), read: JSON.parse(JSON.stringify(event, plainly)), again };
}

const plainly = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);

describe.runIf(process.env['UPDATE_RELEASED'] === '1')('kinds that are new', () => {
  it('are kept beside the old ones', async () => {
    const found = new Map(kept.map((each) => [`${each.topic} ${each.kind}`, each]));
    const append = vi.spyOn(Broker.prototype, 'append');
    const simulator = await openSimulator('memory');
    for (let seed = 1; seed <= 60; seed += 1) await simulator.run(tellStory(seed));
    await simulator.close();
    for (const [{ topic, value }] of append.mock.calls) {
      const { kind, read } = readingOf(topic, value);
      const key = `${topic} ${kind}`;
      if (!found.has(key)) found.set(key, { topic, kind, bytes: Buffer.from(value).toString('base64'), read });
    }
    append.mockRestore();
    writeFileSync(file, `${JSON.stringify([...found.values()], undefined, 1)}\n`);
  }, 120_000);
});

describe('messages of released versions', () => {
  beforeAll(() => expect(kept.length).toBeGreaterThan(12));

  it.each(kept.map((each) => [each.topic.split('.')[1], each.kind, each] as const))(
    '%s %s is read as it was, and nothing in it is lost',
    (_service, _kind, { topic, bytes, read }) => {
      const now = readingOf(topic, Buffer.from(bytes, 'base64'));
      expect(now.read).toMatchObject(read as object);
      expect(Buffer.from(now.again).toString('base64')).toBe(bytes);
    },
  );
});
