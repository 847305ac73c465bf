/**
 * The delivery of one order item from the product's pool of licence codes.
 *
 *   absent ──requestDelivery──▶ delivered              there were codes enough
 *      └─────requestDelivery──▶ waiting ──offerCodes──▶ delivered
 *
 * All or nothing: an item gets all of its codes at once or waits; a customer with two of three licences would only ask
 * where the third is. Delivered is the end: nothing takes a code back or gives a second one. Who pays is not asked here:
 * delivery is requested when the order is paid, and never before (R28). A renewal is delivered like every other item, with codes
 * of its own; it only remembers whose licences came before, for those who renew a licence instead of giving a new one (R32).
 */
import { accept, ignore, unreachable, type Machine } from '@tillstream/machine/machine';

export interface DeliveryItem {
  readonly orderId: bigint;
  readonly itemId: bigint;
  readonly productId: string;
  readonly quantity: number;
  /** A code for each unit, or one for all of them (R34). */
  readonly oneCodePer: 'unit' | 'product';
  /** Of a renewal: the item of the parent order; else 0, as the next. */
  readonly firstItemId: bigint;
  /** Of a renewal: the item of the term before, which is the parent's in the second term. */
  readonly previousItemId: bigint;
}

/**
 * `onOffer` are the pool codes that the keeper has set aside for this delivery, for the length of the transaction. What
 * is not taken stays in the pool.
 */
export type Delivery =
  | { readonly status: 'absent'; readonly onOffer: readonly bigint[] }
  | { readonly status: 'waiting'; readonly item: DeliveryItem; readonly onOffer: readonly bigint[] }
  | { readonly status: 'delivered'; readonly item: DeliveryItem; readonly codeCount: number };

export type DeliveryCommand =
  | { readonly type: 'requestDelivery'; readonly item: DeliveryItem }
  /** The pool was filled. */
  | { readonly type: 'offerCodes' };

export type DeliveryEvent =
  | { readonly type: 'deliveryWaits'; readonly item: DeliveryItem }
  /** The codes by unit, the first one's first. */
  | { readonly type: 'itemDelivered'; readonly item: DeliveryItem; readonly codeIds: readonly bigint[] };

/** How many codes the item needs. */
export function codeCountOf(item: Pick<DeliveryItem, 'quantity' | 'oneCodePer'>): number {
  return item.oneCodePer === 'unit' ? item.quantity : 1;
}

export const delivery: Machine<Delivery, DeliveryCommand, DeliveryEvent, never> = {
  absent: { status: 'absent', onOffer: [] },

  decide(state, command) {
    switch (command.type) {
      case 'requestDelivery': {
        if (state.status !== 'absent') return ignore('delivery was requested before');
        const { item } = command;
        const codeIds = take(item, state.onOffer);
        return accept(
          codeIds === undefined ? { type: 'deliveryWaits', item } : { type: 'itemDelivered', item, codeIds },
        );
      }
      case 'offerCodes': {
        if (state.status === 'absent') return ignore('there is no such delivery');
        if (state.status === 'delivered') return ignore('it is delivered');
        const codeIds = take(state.item, state.onOffer);
        return codeIds === undefined
          ? ignore('there are still too few codes')
          : accept({ type: 'itemDelivered', item: state.item, codeIds });
      }
      default:
        return unreachable(command);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'deliveryWaits':
        return { status: 'waiting', item: event.item, onOffer: state.status === 'delivered' ? [] : state.onOffer };
      case 'itemDelivered':
        return { status: 'delivered', item: event.item, codeCount: event.codeIds.length };
      default:
        return unreachable(event);
    }
  },
};

function take(item: DeliveryItem, onOffer: readonly bigint[]): readonly bigint[] | undefined {
  const count = codeCountOf(item);
  return onOffer.length < count ? undefined : onOffer.slice(0, count);
}
