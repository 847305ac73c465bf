/** What is due: the notice, the charge, the end of the paid time. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { DueTimer, TimerHandler } from '@tillstream/messaging/timers';
import { probe } from '@tillstream/telemetry/probe';
import type { SubscriptionCommand } from '../domain/subscription.ts';
import type { ReadPrices } from '../ports.ts';

export interface TimerParts {
  readonly performer: { performOnce(envelopes: readonly Envelope<SubscriptionCommand>[]): Promise<unknown> };
  readonly pricesOf: ReadPrices;
  readonly clock: Clock;
}

const noPrices: ReadonlyMap<string, bigint> = new Map();

export function fireSubscriptionTimers({ performer, pricesOf, clock }: TimerParts): TimerHandler {
  const perform = (due: readonly DueTimer[], prices: ReadonlyMap<string, bigint>) =>
    performer.performOnce(
      due.map((timer) => {
        const now = clock.now(timer.merchantId);
        return {
          id: timer.aggregateId,
          merchantId: timer.merchantId,
          command: commandOf(timer, now, prices.get(timer.aggregateId)),
          now,
          messageId: timer.timerId,
          // Not the trace of what set the timer: a year later nobody keeps the purchase's. Each renewal is a trace of its own,
          // from its timer to its webhooks.
        };
      }),
    );
  return {
    machine: 'subscription',
    async fire(due) {
      const { notices = [], others = [] } = Object.groupBy(due, ({ kind }) =>
        kind === 'notice' ? 'notices' : 'others',
      );
      // First what needs nobody: no charge waits for a catalogue that does not answer.
      await perform(others, noPrices);
      if (others.some(({ kind }) => kind === 'charge')) probe('renewal due');
      if (notices.length === 0) return;
      // Asked before the transaction, once for all: nobody waits for another service with rows locked.
      const prices = await pricesOf(
        notices.map((timer) => timer.aggregateId),
        notices.map((timer) => timer.merchantId),
      );
      await perform(notices, prices);
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
