/** Timers of orders: an unpaid one is deleted after 90 days (R21). */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { TimerHandler } from '@tillstream/messaging/timers';
import type { OrderCommand } from '../domain/order.ts';

export function orderTimers(parts: {
  readonly performer: { performOnce(envelopes: readonly Envelope<OrderCommand>[]): Promise<unknown> };
  readonly clock: Clock;
}): TimerHandler {
  return {
    machine: 'order',
    async fire(due) {
      await parts.performer.performOnce(
        due.map((timer) => ({
          id: timer.aggregateId,
          merchantId: timer.merchantId,
          command: { type: 'delete', reason: 'unpaid_too_long' },
          now: parts.clock.now(timer.merchantId),
          messageId: timer.timerId,
          traceparent: timer.traceparent,
        })),
      );
    },
  };
}
