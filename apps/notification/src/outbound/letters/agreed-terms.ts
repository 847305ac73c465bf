/** In the confirmation of a payment, which the customer keeps: what renews, when, for how much, and how to end it. */
import type { Order, OrderItem } from '@tillstream/proto/order/v1/order_api';
import type { Words } from '../words/words.ts';
import { dayOf, momentOf } from './dates.ts';
import { linkOf } from './letter.ts';
import { agreedSumOf, isPaidByHand, managePageOf, productLineOf, sumOf } from './notice.ts';

export interface AgreedTerms {
  readonly heading: string;
  readonly product: string;
  readonly until: string;
  readonly renewal: string;
  readonly cancel: string;
  readonly manage: string;
  readonly url: string;
}

/** One for each item whose subscription goes on. */
export function agreedTermsOf(order: Order, words: Words): readonly AgreedTerms[] {
  return order.items.flatMap((item): readonly AgreedTerms[] => {
    const { subscription } = item;
    if (subscription === undefined || subscription.status !== 'active') return [];
    const { terms, freeUntil, paidUntil, manage } = words.subscription;
    const day = dayOf(subscription.nextChargeAt, order);
    const agreed = agreedSumOf(item);
    const sum = agreed === undefined ? undefined : sumOf(agreed, order);
    const isTrial = isInTrial(item);
    return [
      {
        heading: terms.heading,
        product: productLineOf(item, order, words),
        until: `${isTrial ? freeUntil : paidUntil}: ${momentOf(subscription.expiresAt, order)}`,
        renewal: (isPaidByHand(item) ? sayByHand : sayRenewal)(terms, { day, sum, isTrial }),
        cancel: terms.cancel,
        manage,
        url: linkOf(managePageOf(item, order)),
      },
    ];
  });
}

interface Next {
  readonly day: string;
  /** Undefined when it is the price of that day. */
  readonly sum: string | undefined;
  readonly isTrial: boolean;
}

function sayByHand(terms: Words['subscription']['terms'], { day, sum }: Next): string {
  return sum === undefined ? terms.byHandAtPresentPrice(day) : terms.byHand(day, sum);
}

function sayRenewal(terms: Words['subscription']['terms'], { day, sum, isTrial }: Next): string {
  if (sum === undefined) return [terms.renewsAtPresentPrice(day), terms.toldBefore, terms.goesOn].join(' ');
  return [isTrial ? terms.renewsAfterTrial(day, sum) : terms.renews(day, sum), terms.goesOn].join(' ');
}

/** Whether the first term runs, and is free. */
export function isInTrial({ subscription, subscriptionTerms }: OrderItem): boolean {
  return subscription?.term === 1 && subscriptionTerms?.type === 'AR_TRIAL';
}
