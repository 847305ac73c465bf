/** Whether another attempt may be begun for an order, beside those that it has. */
import { isOffline } from './methods.ts';
import { isReached, missingMinor, type PaymentIntent } from './payment-intent.ts';
import type { PaymentStatus } from './payment.ts';

export interface Wanted {
  readonly method: string;
  /** What the order asks for. */
  readonly orderMinor: bigint;
  readonly currency: string;
  readonly savesInstrument: boolean;
}

export interface EarlierAttempt {
  readonly id: string;
  readonly status: PaymentStatus;
  readonly method: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly savesInstrument: boolean;
  /** A renewal that is charged without the customer. */
  readonly isOffSession: boolean;
}

export type Beginning =
  /** `amountMinor`: what is missing of what the order asks for. */
  | { readonly do: 'begin'; readonly amountMinor: bigint }
  /** The same was begun and may still end with money: a second click is served by it. */
  | { readonly do: 'go on'; readonly id: string }
  | { readonly do: 'refuse'; readonly reason: 'order_already_paid' | 'attempt_unresolved' };

const live: ReadonlySet<PaymentStatus> = new Set(['created', 'seen', 'processing', 'confirmed']);

/**
 * At most one online attempt of an order may still end with money, and one of each offline method. An offline attempt may wait for
 * days and keeps no other from being begun; an online one, or a renewal that is charged, has to end before.
 */
export function beginAttempt(
  intent: PaymentIntent | undefined,
  earlier: readonly EarlierAttempt[],
  wanted: Wanted,
): Beginning {
  // Also while the order has not received the event of it.
  if (intent !== undefined && isReached(intent)) return { do: 'refuse', reason: 'order_already_paid' };
  const hasParts = intent !== undefined && intent.receivedMinor > 0n;
  const amountMinor = hasParts ? missingMinor(intent) : wanted.orderMinor;
  const open = earlier.filter(({ status }) => live.has(status));
  const same = open.find(
    (each) =>
      !each.isOffSession &&
      each.method === wanted.method &&
      each.amountMinor === amountMinor &&
      each.currency === wanted.currency &&
      each.savesInstrument === wanted.savesInstrument,
  );
  if (same !== undefined) return { do: 'go on', id: same.id };
  const isInTheWay = open.some(({ method }) => !isOffline(method) || method === wanted.method);
  return isInTheWay ? { do: 'refuse', reason: 'attempt_unresolved' } : { do: 'begin', amountMinor };
}
