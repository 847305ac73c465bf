/** Timers of orders: an unpaid one is deleted after 90 days (R21), and its customer reminded before (R23). */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { DueTimer, TimerHandler } from '@tillstream/messaging/timers';
import type { OrderCommand } from '../domain/order.ts';
import type { CatalogueReader } from '../ports.ts';

export function orderTimers(parts: {
  readonly performer: { performOnce(envelopes: readonly Envelope<OrderCommand>[]): Promise<unknown> };
  readonly catalogue: Pick<CatalogueReader, 'shops'>;
  readonly clock: Clock;
}): TimerHandler {
  return {
    machine: 'order',
    async fire(due) {
      const wanting = await whoWantsReminders(parts.catalogue, due);
      await parts.performer.performOnce(
        due.map((timer) => {
          const now = parts.clock.now(timer.merchantId);
          return {
            id: timer.aggregateId,
            merchantId: timer.merchantId,
            command: commandOf(timer, now, wanting.has(timer.merchantId)),
            now,
            messageId: timer.timerId,
            traceparent: timer.traceparent,
          };
        }),
      );
    },
  };
}

const reminder = /^remind ([1-9])$/;

function commandOf(timer: DueTimer, now: Date, isWanted: boolean): OrderCommand {
  const number = reminder.exec(timer.kind)?.[1];
  return number === undefined
    ? { type: 'delete', reason: 'unpaid_too_long' }
    : { type: 'remind', number: Number(number), dueAt: timer.dueAt, at: now, isWanted };
}

/** The policy is asked again: it may have been switched off since the order was placed. */
async function whoWantsReminders(
  catalogue: Pick<CatalogueReader, 'shops'>,
  due: readonly DueTimer[],
): Promise<ReadonlySet<string>> {
  const reminders = due.filter((timer) => reminder.test(timer.kind));
  if (reminders.length === 0) return new Set();
  const shops = await catalogue.shops(reminders.map((timer) => timer.merchantId));
  return new Set([...shops].flatMap(([id, shop]) => (shop.unpaidOrderReminders.length > 0 ? [id] : [])));
}
