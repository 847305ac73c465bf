/** The types that inbound and outbound share, each declared once; app.ts joins the two. */
import type { Order as WireOrder } from '@tillstream/proto/order/v1/order_api';
import type { Attached } from './domain/attached.ts';
import type { CartLine, Goods, RenewalPolicy } from './domain/cart.ts';
import type { Order } from './domain/order.ts';
import type { Lineage } from './domain/subscription/child.ts';

/** What a cart holds, and each change of it replaces. */
export interface CartContent extends Attached {
  readonly currency: string;
  readonly locale: string;
  readonly lines: readonly CartLine[];
}

export interface Cart extends CartContent {
  readonly cartId: string;
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly version: number;
  readonly orderId: bigint | undefined;
  readonly orderToken: string | undefined;
}

export interface CartStore {
  find(cartId: string): Promise<Cart | undefined>;
  create(merchantId: string, livemode: boolean, content: CartContent): Promise<Cart>;
  /** Undefined when it was changed or ordered since it was read. */
  change(cart: Cart, content: CartContent): Promise<Cart | undefined>;
}

export interface ShopFacts extends RenewalPolicy {
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly shopName: string;
  readonly timeZone: string;
  readonly locale: string;
  readonly currencies: readonly string[];
  readonly supportEmail: string;
  readonly supportUrl: string;
  readonly termsUrl: string;
  readonly privacyUrl: string;
  readonly commissionBp: number;
  readonly unpaidOrderReminders: readonly string[];
  /** 0 = as the payment service has it. */
  readonly paymentExpiryMinutes: number;
}

export interface CatalogueReader {
  find(productId: string): Promise<{ merchantId: string; livemode: boolean; goods: Goods }>;
  goods(merchantId: string, productIds: readonly string[]): Promise<ReadonlyMap<string, Goods>>;
  shop(merchantId: string, call?: { readonly deadlineMs?: number }): Promise<ShopFacts>;
  /** By merchant id, in at most one question; who does not exist is left out. */
  shops(merchantIds: readonly string[]): Promise<ReadonlyMap<string, ShopFacts>>;
}

export interface PaymentMethod {
  readonly code: string;
  readonly systemName: string;
  readonly kind: string;
  readonly textKey: string;
  readonly canRenew: boolean;
}

/** Whose, and for what. The country is the buyer's, '' while it is not known. */
export interface MethodsWanted {
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly currency: string;
  readonly country: string;
}

export interface MethodReader {
  /** The default first. */
  list(wanted: MethodsWanted): Promise<readonly PaymentMethod[]>;
  /** Also one that is not offered; undefined when it is not known. */
  find(code: string, wanted: MethodsWanted): Promise<PaymentMethod | undefined>;
}

/** Numbers of an order that is to be placed, and of its items. */
export interface NewNumbers {
  readonly orderId: bigint;
  readonly itemIds: readonly bigint[];
}

/** One term of one subscription, and the orders that its child follows. */
export interface TermKey {
  readonly merchantId: string;
  readonly subscriptionId: string;
  readonly term: number;
  readonly parentOrderId: bigint;
  readonly previousOrderId: bigint;
}

export interface PlacedLineage extends Lineage {
  /** The term has a child already. */
  readonly isPlaced: boolean;
}

export interface OpenedOrder {
  readonly merchantId: string;
  readonly wire: WireOrder;
  readonly order: Order;
}
