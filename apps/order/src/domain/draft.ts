/**
 * What an order is placed from, and the only way to place one. Whatever sells (a cart, a renewal; later a checkout session
 * or a payment link) makes a draft; the draft becomes what was agreed on in one place, with one computation of prices.
 */
import type { Adjustment, Place } from '@tillstream/pricing/quote';
import type { Attached } from './attached.ts';
import type { Customer } from './customer.ts';
import type { DraftItem, Item } from './item.ts';
import type { Consent, Placed } from './placed.ts';
import { quoteItems, sumsOf } from './pricing.ts';
import type { Renewal } from './subscription/renewal.ts';

/** Where a draft comes from. A checkout link fills a cart: its order comes from the cart. */
export type DraftSource =
  | { readonly kind: 'cart'; readonly cartId: string; readonly cartVersion: number }
  | { readonly kind: 'renewal'; readonly renewal: Renewal }
  | { readonly kind: 'session' | 'link' | 'one_time_link' };

export type SourceKind = DraftSource['kind'];

export interface OrderDraft extends Attached {
  readonly source: DraftSource;
  readonly livemode: boolean;
  readonly currency: string;
  readonly locale: string;
  readonly shopName: string;
  readonly supportEmail: string;
  readonly timeZone: string;
  /** The platform's share, for the margin. */
  readonly commissionBp: number;
  readonly customer: Customer;
  readonly items: readonly DraftItem[];
  readonly place: Place;
  readonly adjustments: readonly Adjustment[];
  readonly paymentMethod: string;
  /** What the catalogue of payment methods calls it. */
  readonly paymentSystemName: string;
  /** The customer agreed that what renews by itself is renewed. */
  readonly autoRenew: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly consent: Consent;
  readonly reminders: readonly string[];
}

/** What only the outside can give. */
export interface OrderNumbers {
  readonly orderId: bigint;
  /** One for each item of the draft. */
  readonly itemIds: readonly bigint[];
  readonly token: string;
  readonly createdAt: Date;
}

export function placeDraft(draft: OrderDraft, { orderId, itemIds, token, createdAt }: OrderNumbers): Placed {
  const { source, items: drafted, commissionBp, place, adjustments, ...agreed } = draft;
  const quoted = quoteItems(drafted, { customer: draft.customer, place, adjustments, at: createdAt });
  const items = drafted.map((item, index): Item => {
    const [id, line] = [itemIds[index], quoted.lines[index]];
    if (id === undefined || line === undefined) throw new Error(`item ${index + 1} of order ${orderId} has no number`);
    return { ...item, id, ...sumsOf(line, commissionBp) };
  });
  const cart = source.kind === 'cart' ? source : { cartId: '', cartVersion: 0 };
  return {
    ...agreed,
    orderId,
    token,
    createdAt,
    source: source.kind,
    cartId: cart.cartId,
    cartVersion: cart.cartVersion,
    items,
    totalMinor: quoted.totals.amountMinor,
    renewal: source.kind === 'renewal' ? source.renewal : undefined,
  };
}
