/** A subscription as the api shows it. */
import { isInTrial } from '../domain/agreement.ts';
import { amountOfTerm } from '../domain/price.ts';
import { canRestore, openChild } from '../domain/subscription.ts';
import type { ShowSubscription } from '../ports.ts';

export const showSubscription: ShowSubscription = ({ id, merchantId, version }, state, now) => {
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
};
