/** Bugs of orders and of handing out licences. */
import { patch, type Mutant } from '../mutant.ts';

const news = 'apps/fulfillment/src/inbound/order-events.ts';

export const deliveries: readonly Mutant[] = [
  {
    id: 'resend-forgets-its-request',
    sentence: 'Licences are sent again for a request that is repeated because its answer was never stored.',
    museum: '',
    caughtBy: 'one key does one thing',
    hint: 'programs',
    patches: [
      patch(
        'apps/order/src/domain/order.ts',
        "if (requestId !== '' && state.resends.includes(requestId))",
        "if (requestId === '' && state.resends.includes(requestId))",
      ),
    ],
  },
  {
    id: 'upload-counts-anew',
    sentence: 'An upload that is repeated because its answer was never stored is told that nothing was new.',
    museum: '',
    caughtBy: 'one key has one answer',
    hint: 'programs',
    patches: [
      patch(
        'apps/fulfillment/src/outbound/codes.ts',
        'if (known !== undefined) return known;',
        'if (known !== undefined && known < 0) return known;',
      ),
    ],
  },
  {
    id: 'pool-skips-locked',
    sentence: 'A pool that somebody takes from at the same moment looks empty: a buyer waits while there are codes.',
    museum: 'MUS-5',
    caughtBy: 'nobody waits while there are codes',
    hint: 'scarce',
    patches: [
      patch(
        'apps/fulfillment/src/outbound/pool.ts',
        'order by merchant_id, product_id for no key update`',
        'order by merchant_id, product_id for no key update skip locked`',
      ),
    ],
  },
  {
    id: 'partial-delivery',
    sentence: 'An item is delivered with as many codes as there are, though it was paid for more.',
    museum: 'polar #13681',
    caughtBy: 'paid units and licences are one to one',
    hint: 'scarce',
    patches: [
      patch(
        'apps/fulfillment/src/domain/delivery/pool.ts',
        'return codeIds.length < count',
        'return codeIds.length === 0',
      ),
      patch(
        'apps/fulfillment/src/outbound/pool.ts',
        'return [want.id, left.length < want.count ? [] : left.splice(0, want.count)];',
        'return [want.id, left.splice(0, want.count)];',
      ),
    ],
  },
  {
    id: 'delivered-before-paid',
    sentence: 'A delivery begins with the order and not with its payment.',
    museum: 'R28',
    caughtBy: 'no licence without settled money',
    patches: [
      patch(
        news,
        "payload?.$case !== 'orderPaid'",
        "payload?.$case !== 'orderPaid' && payload?.$case !== 'orderCreated'",
      ),
    ],
  },
  {
    id: 'cart-becomes-two-orders',
    sentence: 'Two submissions of one cart at the same moment make two orders.',
    museum: 'MUS-3 (medusa #13301)',
    caughtBy: 'a cart becomes one order',
    patches: [
      patch(
        'apps/order/src/outbound/order-keeper.ts',
        'where cart.cart_id = t.cart_id and cart.order_id is null and cart.version = t.version`',
        'where cart.cart_id = t.cart_id`',
      ),
    ],
  },
];
