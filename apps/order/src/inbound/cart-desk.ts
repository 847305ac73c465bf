/** Carts: adding, changing, showing. */
import type { AddToCartRequest, Cart as WireCart, ChangeCartRequest } from '@tillstream/proto/order/v1/order_api';
import { Refused } from '@tillstream/rpc/refusals';
import {
  addLine,
  changeLine,
  chooseCurrency,
  consentFor,
  hasTrial,
  highestQuantity,
  isOnSale,
  priceLine,
  sharedCurrencies,
  type CartLine,
  type Goods,
} from '../domain/cart.ts';
import { readLocale } from '../domain/locale.ts';
import type { Cart, CartContent, CartStore, CatalogueReader, MethodReader } from './ports.ts';

export interface CartDeskParts {
  readonly carts: CartStore;
  readonly catalogue: CatalogueReader;
  readonly methods: MethodReader;
}

// Two tabs may change one cart at the same moment; the later one is done on top of the earlier. Of so many at once the
// last still gets its turn, for each round lets one through.
const mostTries = 20;

export class CartDesk {
  readonly #parts: CartDeskParts;

  constructor(parts: CartDeskParts) {
    this.#parts = parts;
  }

  async add(request: AddToCartRequest): Promise<WireCart> {
    const { carts, catalogue } = this.#parts;
    const { merchantId, livemode, goods } = await catalogue.find(request.productId);
    const shop = await catalogue.shop(merchantId);
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      const found = request.cartId === '' ? undefined : await carts.find(request.cartId);
      const before =
        found === undefined || found.merchantId !== merchantId || found.orderId !== undefined ? undefined : found;
      const lines = before === undefined || request.clear ? [] : before.lines;
      const others = await this.#goodsOf(merchantId, lines);
      const added = addLine(lines, goods, request.quantity);
      if (typeof added === 'string')
        throw new Refused(added, added === 'quantity_out_of_range' ? { param: 'quantity' } : {});
      const all = [...others.filter((each) => each.id !== goods.id), goods];
      const currency = chooseCurrency(
        request.currency,
        lines.length === 0 ? '' : (before?.currency ?? ''),
        shop.currencies,
        all,
      );
      if (currency === 'currency_not_supported') throw new Refused(currency, { param: 'currency' });
      const content: CartContent = {
        currency,
        locale: readLocale(request.locale) || before?.locale || shop.locale,
        lines: added,
      };
      const cart =
        before === undefined ? await carts.create(merchantId, livemode, content) : await carts.change(before, content);
      if (cart !== undefined) return this.show(cart, all);
    }
    throw new Refused('conflict_retry');
  }

  async change(request: ChangeCartRequest): Promise<WireCart> {
    const { carts, catalogue } = this.#parts;
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      const cart = await this.find(request.cartId);
      if (cart.orderId !== undefined) throw new Refused('cart_already_ordered');
      const goods = new Map((await this.#goodsOf(cart.merchantId, cart.lines)).map((each) => [each.id, each]));
      let lines: readonly CartLine[] = cart.lines;
      for (const change of request.changes) {
        const changed = changeLine(
          lines,
          change.productId,
          change.quantity,
          goods.get(change.productId)?.minQuantity ?? 1,
        );
        if (typeof changed === 'string') throw new Refused(changed, { param: 'quantity' });
        lines = changed;
      }
      const shop = await catalogue.shop(cart.merchantId);
      const left = lines.flatMap((line) => goods.get(line.productId) ?? []);
      const currency =
        left.length === 0 ? cart.currency : chooseCurrency(request.currency, cart.currency, shop.currencies, left);
      if (currency === 'currency_not_supported') throw new Refused(currency, { param: 'currency' });
      const after = await carts.change(cart, { currency, locale: cart.locale, lines });
      if (after !== undefined) return this.show(after, left);
    }
    throw new Refused('conflict_retry');
  }

  async find(cartId: string): Promise<Cart> {
    const cart = await this.#parts.carts.find(cartId);
    if (cart === undefined) throw new Refused('cart_not_found');
    return cart;
  }

  /**
   * With today's names and prices, unless the request has read them already; what is no longer for sale is not shown and
   * cannot be ordered.
   */
  async show(cart: Cart, justRead?: readonly Goods[]): Promise<WireCart> {
    const [shop, found, methods] = await Promise.all([
      this.#parts.catalogue.shop(cart.merchantId),
      justRead ?? this.#goodsOf(cart.merchantId, cart.lines),
      this.#parts.methods.list({ ...cart, country: '' }),
    ]);
    const byId = new Map(found.map((each) => [each.id, each]));
    const goods = cart.lines.flatMap((line) => byId.get(line.productId) ?? []);
    const lines = cart.lines.flatMap((line) => {
      const each = byId.get(line.productId);
      if (!isOnSale(each, cart.currency)) return [];
      const priced = priceLine(each, line.quantity, cart.currency, shop.commissionBp);
      if (priced === undefined) return [];
      return [
        {
          productId: line.productId,
          name: each.name,
          familyName: each.familyName,
          description: each.description,
          imageUrl: each.imageUrl,
          quantity: line.quantity,
          minQuantity: each.minQuantity,
          maxQuantity: highestQuantity,
          priceMinor: priced.priceMinor,
          amountMinor: priced.amountMinor,
          subscription: priced.terms,
        },
      ];
    });
    const shown = goods.filter((each) => isOnSale(each, cart.currency));
    const { shopName, supportEmail, supportUrl, termsUrl, privacyUrl } = shop;
    return {
      id: cart.cartId,
      merchantId: cart.merchantId,
      livemode: cart.livemode,
      shopName,
      supportEmail,
      supportUrl,
      termsUrl,
      privacyUrl,
      currency: cart.currency,
      locale: cart.locale,
      lines,
      totalMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0n),
      version: cart.version,
      orderId: cart.orderId ?? 0n,
      orderToken: cart.orderToken ?? '',
      currencies: [...sharedCurrencies(goods)],
      renewalConsent: consentFor(shown, shop),
      renewalConsentDefault: shop.renewalConsentDefault,
      // A free first term is for those who can be charged for the next.
      paymentMethods: methods.filter((method) => method.canRenew || !hasTrial(shown)),
    };
  }

  async #goodsOf(merchantId: string, lines: readonly CartLine[]): Promise<readonly Goods[]> {
    const found = await this.#parts.catalogue.goods(
      merchantId,
      lines.map((line) => line.productId),
    );
    return lines.flatMap((line) => found.get(line.productId) ?? []);
  }
}
