/**
 * The delivery of one order item, by the method of its product.
 *
 *   absent ──requestDelivery──▶ delivered              the method had what it takes
 *      └─────requestDelivery──▶ waiting ──offerCodes──▶ delivered
 *
 * Delivered is the end: nothing takes a code back or gives a second one. The payment is not looked at here:
 * delivery is requested when the order is paid, and never before (R28). A renewal is delivered like every other item, with codes
 * of its own; it only remembers whose licences came before, for those who renew a licence instead of giving a new one (R32).
 */
import { accept, ignore, unreachable, type Machine } from '@tillstream/machine/machine';
import type { DeliveryItem, Offer, Outcome } from './method.ts';
import { methods } from './methods.ts';

export type Delivery =
  | { readonly status: 'absent' }
  | { readonly status: 'waiting'; readonly item: DeliveryItem }
  | { readonly status: 'delivered'; readonly item: DeliveryItem; readonly codeCount: number };

/** What is asked for; the repository's `prepare` adds the offer. */
export type DeliveryRequest =
  | { readonly type: 'requestDelivery'; readonly item: DeliveryItem }
  /** The pool was filled. */
  | { readonly type: 'offerCodes' };

export type DeliveryCommand = DeliveryRequest & { readonly offer: Offer };

export type DeliveryEvent =
  | { readonly type: 'deliveryWaits'; readonly item: DeliveryItem }
  /** The codes by unit, the first one's first. */
  | { readonly type: 'itemDelivered'; readonly item: DeliveryItem; readonly codeIds: readonly bigint[] };

export const delivery: Machine<Delivery, DeliveryCommand, DeliveryEvent, never> = {
  absent: { status: 'absent' },

  decide(state, command) {
    switch (command.type) {
      case 'requestDelivery': {
        if (state.status !== 'absent') return ignore('delivery was requested before');
        const { item } = command;
        const decided = decideBy(item, command.offer);
        return accept(
          decided.outcome === 'issue'
            ? { type: 'itemDelivered', item, codeIds: decided.codeIds }
            : { type: 'deliveryWaits', item },
        );
      }
      case 'offerCodes': {
        if (state.status === 'absent') return ignore('there is no such delivery');
        if (state.status === 'delivered') return ignore('it is delivered');
        const { item } = state;
        const decided = decideBy(item, command.offer);
        return decided.outcome === 'issue'
          ? accept({ type: 'itemDelivered', item, codeIds: decided.codeIds })
          : ignore(decided.because);
      }
      default:
        return unreachable(command);
    }
  },

  evolve(_state, event) {
    switch (event.type) {
      case 'deliveryWaits':
        return { status: 'waiting', item: event.item };
      case 'itemDelivered':
        return { status: 'delivered', item: event.item, codeCount: event.codeIds.length };
      default:
        return unreachable(event);
    }
  },
};

function decideBy(item: DeliveryItem, offer: Offer): Outcome {
  return methods[item.method].decide(item, offer);
}
