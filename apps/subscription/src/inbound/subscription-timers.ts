/** What is due: the notice, the charge, the end of the paid time. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { DueTimer, TimerHandler } from '@tillstream/messaging/timers';
import type { SubscriptionCommand } from '../domain/subscription.ts';

export interface TimerParts {
  readonly performer: { performOnce(envelopes: readonly Envelope<SubscriptionCommand>[]): Promise<unknown> };
  /** Of those whose price is not agreed on, by subscription: what a unit costs now. */
  readonly pricesOf: (ids: readonly string[], merchantIds: readonly string[]) => Promise<ReadonlyMap<string, bigint>>;
  readonly clock: Clock;
}

export function fireSubscriptionTimers({ performer, pricesOf, clock }: TimerParts): TimerHandler {
  return {
    machine: 'subscription',
    async fire(due) {
      const notices = due.filter((timer) => timer.kind === 'notice');
      // Asked before the transaction, once for the whole batch: nobody waits for another service with rows locked.
      const prices = await pricesOf(
        notices.map((timer) => timer.aggregateId),
        notices.map((timer) => timer.merchantId),
      );
      await performer.performOnce(
        due.map((timer) => {
          const now = clock.now(timer.merchantId);
          return {
            id: timer.aggregateId,
            merchantId: timer.merchantId,
            command: commandOf(timer, now, prices.get(timer.aggregateId)),
            now,
            messageId: timer.timerId,
            traceparent: timer.traceparent,
          };
        }),
      );
    },
  };
}

function commandOf({ kind }: DueTimer, at: Date, priceMinor: bigint | undefined): SubscriptionCommand {
  switch (kind) {
    case 'notice':
      return { type: 'tellNotice', priceMinor, at };
    case 'charge':
      return { type: 'charge', at };
    case 'expire':
      return { type: 'expire', at };
    default:
      throw new Error(`a timer of a kind that is not known here: ${kind}`);
  }
}
