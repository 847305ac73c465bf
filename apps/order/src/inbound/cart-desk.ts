/** Carts: adding, changing, showing. */
import type { Clock } from '@tillstream/messaging/clock';
import type { AddToCartRequest, Cart as WireCart, ChangeCartRequest } from '@tillstream/proto/order/v1/order_api';
import { untaxed } from '@tillstream/pricing/quote';
import { Refused } from '@tillstream/rpc/refusals';
import { attach, complainAboutAttached, nothingAttached, type Attached } from '../domain/attached.ts';
import {
  addLine,
  changeLine,
  chooseCurrency,
  consentFor,
  draftItemOf,
  hasTrial,
  highestQuantity,
  isOnSale,
  sharedCurrencies,
  type CartLine,
  type Goods,
} from '../domain/cart.ts';
import { readLocale } from '../domain/locale.ts';
import { quoteItems, renewalAmountOf } from '../domain/pricing.ts';
import type { Cart, CartContent, CartStore, CatalogueReader, MethodReader } from '../ports.ts';

export interface CartDeskParts {
  readonly carts: CartStore;
  readonly catalogue: CatalogueReader;
  readonly methods: MethodReader;
  readonly clock: Clock;
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
        ...attachedTo(request.clear ? undefined : before, request),
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
      const after = await carts.change(cart, { ...cart, currency, lines });
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
    const bought = cart.lines.flatMap((line) => {
      const each = byId.get(line.productId);
      const item = draftItemOf(each, line.quantity, cart.currency);
      return each === undefined || item === undefined ? [] : [{ each, item }];
    });
    // Neither customer nor country is known before the form is sent.
    const conditions = { customer: undefined, place: untaxed(''), at: this.#parts.clock.now(cart.merchantId) };
    const items = bought.map(({ item }) => item);
    const quoted = quoteItems(items, { ...conditions, adjustments: [] });
    const lines = bought.map(({ each, item }, index) => ({
      productId: item.productId,
      name: item.name,
      familyName: item.familyName,
      description: each.description,
      imageUrl: each.imageUrl,
      quantity: item.quantity,
      minQuantity: each.minQuantity,
      maxQuantity: highestQuantity,
      priceMinor: item.priceMinor,
      amountMinor: quoted.lines[index]?.amountMinor ?? 0n,
      subscription: item.terms && {
        ...item.terms,
        renewalAmountMinor: renewalAmountOf(item, item.terms, conditions),
      },
    }));
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
      totalMinor: quoted.totals.amountMinor,
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

/** What the cart had attached and what the link adds; refused when that is not allowed, and then nothing is changed. */
function attachedTo(before: Attached | undefined, request: AddToCartRequest): Attached {
  // What the link says is looked at before it is joined: a name that is there twice would be hidden.
  const { externalId, additionalData } = request;
  refuseAttached({ externalId, additionalData });
  const joined = attach(before ?? nothingAttached, { externalId, additionalData });
  refuseAttached(joined);
  return joined;
}

function refuseAttached(attached: Attached): void {
  const fields = complainAboutAttached(attached);
  const [first] = fields;
  if (first === undefined) return;
  const code = first.code === 'card_number_refused' ? first.code : 'invalid_field';
  throw new Refused(code, { param: first.param, detail: first.detail, fields: [...fields] });
}
