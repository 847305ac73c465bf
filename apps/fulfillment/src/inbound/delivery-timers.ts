/** A refill set them: waiting deliveries look into the pool again. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { TimerHandler } from '@tillstream/messaging/timers';
import type { DeliveryRequest } from '../domain/delivery/delivery.ts';

export function fireDeliveryTimers(parts: {
  readonly performOnce: (envelopes: readonly Envelope<DeliveryRequest>[]) => Promise<unknown>;
  readonly clock: Clock;
}): TimerHandler {
  return {
    machine: 'delivery',
    async fire(due) {
      await parts.performOnce(
        due.map((timer) => ({
          id: timer.aggregateId,
          merchantId: timer.merchantId,
          command: { type: 'offerCodes' },
          now: parts.clock.now(timer.merchantId),
          messageId: timer.timerId,
          traceparent: timer.traceparent,
        })),
      );
    },
  };
}
