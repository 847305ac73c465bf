/** Messages between services, without a carrier: made by hand, or read from an outbox as a relay would. */
import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage, MessageHeaders } from '@tillstream/messaging/message';
import { toMessage } from '@tillstream/messaging/outgoing';
import type { Topic } from '@tillstream/messaging/topics';
import type { Stage } from './stage.ts';

export interface Header {
  readonly eventId: string;
  readonly merchantId: string;
  readonly aggregateVersion: bigint;
  readonly occurredAt: Date;
  readonly schemaVersion: number;
  readonly traceparent: string;
}

/** `encode` gets the event's header. A given id makes it the same message once more. */
export function newsOf(
  topic: Topic,
  about: { readonly merchantId: string; readonly key: bigint; readonly version?: bigint; readonly messageId?: string },
  encode: (header: Header) => Uint8Array,
): IncomingMessage {
  const { merchantId, key, version = 1n, messageId = randomUUIDv7() } = about;
  const now = new Date();
  const header = {
    eventId: messageId,
    merchantId,
    aggregateVersion: version,
    occurredAt: now,
    schemaVersion: 1,
    traceparent: '',
  };
  const event = { eventId: messageId, now, traceparent: '', merchantId };
  return { ...toMessage(topic, 'race', String(key), event, encode(header)), partition: 0, offset: 0n };
}

/** What a service has said under this key, in order. */
export async function saidIn(stage: Stage, schema: string, key: bigint): Promise<readonly IncomingMessage[]> {
  const rows = await stage.rows<{ topic: string; key: string; value: Buffer; headers: MessageHeaders }>(
    `select topic, key, value, headers from "${schema}".outbox where key = $1 order by id`,
    [String(key)],
  );
  return rows.map((row) => ({ ...row, partition: 0, offset: 0n }));
}
