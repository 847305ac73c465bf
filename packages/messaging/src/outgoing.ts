import type { OutgoingMessage } from './message.ts';
import type { Topic } from './topics.ts';

/** A message about one event. `source` is the service's name; `value` the proto bytes of the topic's message. */
export function toMessage(
  topic: Topic,
  source: string,
  key: string,
  event: { readonly eventId: string; readonly now: Date; readonly traceparent: string; readonly merchantId: string },
  value: Uint8Array,
): OutgoingMessage {
  return {
    topic: topic.name,
    key,
    value,
    headers: {
      ce_id: event.eventId,
      ce_type: topic.message,
      ce_source: source,
      ce_time: event.now.toISOString(),
      traceparent: event.traceparent,
      merchant_id: event.merchantId,
    },
  };
}
