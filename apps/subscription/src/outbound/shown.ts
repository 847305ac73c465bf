/** A subscription as the api shows it. */
import type { Subscription as WireSubscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { isInTrial } from '../domain/agreement.ts';
import { amountOfTerm } from '../domain/price.ts';
import { canRestore, openChild, type Subscription } from '../domain/subscription.ts';

export function showSubscription(
  { id, merchantId, version }: { readonly id: string; readonly merchantId: string; readonly version: number },
  state: Subscription,
  now: Date,
): WireSubscription {
  const { agreed, term, cancelled } = state;
  return {
    id,
    merchantId,
    livemode: agreed.livemode,
    parentOrderId: agreed.parentOrderId,
    parentItemId: agreed.parentItemId,
    productId: agreed.productId,
    productName: agreed.productName,
    quantity: agreed.quantity,
    type: agreed.type,
    status: state.status,
    period: agreed.period,
    trialPeriod: agreed.trialPeriod,
    term: term.number,
    isInTrial: isInTrial(term),
    startedAt: agreed.startedAt,
    expiresAt: term.expiresAt,
    nextChargeAt: state.chargeAt,
    renewalAmountMinor: amountOfTerm(agreed, state.priceMinor, now),
    currency: agreed.currency,
    renewalPrice: agreed.renewalPrice,
    openOrderId: openChild(state)?.orderId ?? 0n,
    lastOrderId: term.orderId,
    lastItemId: term.itemId,
    cancelledAt: cancelled?.at,
    cancelledBy: cancelled?.by ?? '',
    canRestore: canRestore(state, now),
    version: BigInt(version),
    timeZone: agreed.timeZone,
    createdAt: agreed.startedAt,
  };
}
