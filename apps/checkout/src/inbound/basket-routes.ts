/** The checkout link: puts a product in the visitor's cart and shows the cart (R1–R5). */
import { refusals, Refused } from '@tillstream/rpc/refusals';
import { readQuantity } from '../domain/entries.ts';
import { readAttached } from '../domain/link.ts';
import { messagePage } from '../pages/message-page.ts';
import type { Words } from '../words/en.ts';
import { goTo, show, type Answer } from './answer.ts';
import { isSecure, type RouteParts } from './clients.ts';
import { cartCookieOf, type Visit } from './visit.ts';

type LinkRefusal = keyof Words['linkRefused'];

export async function addToBasket(visit: Visit, { order, config }: RouteParts): Promise<Answer> {
  // A cart is filled by people. A browser that is told no here asks again when its user really follows the link.
  if (visit.isAhead) return { type: 'text', status: 503, body: 'not ahead of time' };
  const { query } = visit;
  const productId = visit.params['product'] ?? '';
  if (!/^\d{1,19}$/.test(productId)) return refuse(visit, 'product_not_found');
  const quantity = (query['quantity'] ?? '') === '' ? 0 : readQuantity(query['quantity'] ?? '');
  // 0 means the product's minimum to the service; a link that says 0 means nothing that is sold.
  if (Number.isNaN(quantity) || (quantity === 0 && (query['quantity'] ?? '') !== ''))
    return refuse(visit, 'quantity_out_of_range');
  const currency = (query['currency'] ?? '').toUpperCase();
  if (!/^([A-Z]{3})?$/.test(currency)) return refuse(visit, 'currency_not_supported');
  try {
    const { cart } = await order.addToCart({
      cartId: visit.cartId,
      productId,
      quantity,
      currency,
      locale: (visit.askedLocale ?? visit.browserLocale)?.tag ?? '',
      clear: query['clear'] === 'Y',
      ...readAttached(query),
    });
    if (cart === undefined) throw new Refused('internal');
    // Codes come with promotions; until then none is valid, and that is said instead of kept silent (R4).
    const notice = (query['code'] ?? '') === '' ? '' : '?notice=code';
    return goTo(`/checkout/${cart.id}${notice}`, [cartCookieOf(cart.id, isSecure(config))]);
  } catch (error) {
    if (error instanceof Refused && isLinkRefusal(error.code, visit)) return refuse(visit, error.code);
    throw error;
  }
}

function isLinkRefusal(code: string, visit: Visit): code is LinkRefusal {
  return Object.hasOwn(visit.localeFor().words.linkRefused, code);
}

/** The cart and its cookie stay as they are. */
function refuse(visit: Visit, code: LinkRefusal): Answer {
  const frame = visit.frame();
  const { words } = frame.locale;
  const page = messagePage(frame, {
    told: words.linkRefused[code],
    tone: 'plain',
    icon: 'basket',
    ...(visit.cartId === '' ? {} : { link: { href: `/checkout/${visit.cartId}`, text: words.backToCart } }),
  });
  return show(page, refusals[code].http);
}
