/** From cart to order, from order to payment. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Answer } from '@tillstream/messaging/perform';
import type {
  BeginPaymentRequest,
  BeginPaymentResponse,
  Order as WireOrder,
  PlaceOrderRequest,
} from '@tillstream/proto/order/v1/order_api';
import type { CreatePaymentRequest, CreatePaymentResponse } from '@tillstream/proto/payment/v1/payment_api';
import { untaxed } from '@tillstream/pricing/quote';
import { Refused } from '@tillstream/rpc/refusals';
import { consentFor, draftItemOf, hasTrial, isOnSale, type Goods } from '../domain/cart.ts';
import {
  complainAboutCustomer,
  consentWording,
  noCustomer,
  trimmed,
  type Customer,
  type FieldComplaint,
} from '../domain/customer.ts';
import { placeDraft, type OrderDraft } from '../domain/draft.ts';
import { readLocale } from '../domain/locale.ts';
import type { OrderCommand, OrderEvent, OrderRefusal, OrderState } from '../domain/order.ts';
import { orderName, type Placed } from '../domain/placed.ts';
import { wantsInstrument } from '../domain/subscription/subscription.ts';
import type {
  Cart,
  CartStore,
  CatalogueReader,
  MethodReader,
  NewNumbers,
  OpenedOrder,
  PaymentMethod,
  ShopFacts,
} from '../ports.ts';

export interface OrderDeskParts {
  readonly carts: CartStore;
  readonly catalogue: CatalogueReader;
  readonly methods: MethodReader;
  readonly orders: {
    numbers(itemCount: number): Promise<NewNumbers>;
    open(orderId: bigint, token: string): Promise<OpenedOrder | undefined>;
  };
  readonly performer: {
    perform(
      envelopes: readonly Envelope<OrderCommand>[],
    ): Promise<readonly Answer<OrderState, OrderEvent, OrderRefusal>[]>;
  };
  createPayment(request: CreatePaymentRequest): Promise<CreatePaymentResponse>;
  /** Whether an error says that the cart became an order or was changed in between. */
  isCartTaken(error: unknown): boolean;
  readonly checkoutUrl: string;
  readonly clock: Clock;
}

export class OrderDesk {
  readonly #parts: OrderDeskParts;

  constructor(parts: OrderDeskParts) {
    this.#parts = parts;
  }

  async place(request: PlaceOrderRequest): Promise<{ orderId: bigint; token: string }> {
    const { carts, catalogue, performer } = this.#parts;
    const cart = await carts.find(request.cartId);
    if (cart === undefined) throw new Refused('cart_not_found');
    // A double click, a resubmitted form, a second tab: the order that is there (R8).
    if (cart.orderId !== undefined) return { orderId: cart.orderId, token: cart.orderToken ?? '' };
    const customer = trimmed(request.customer ?? noCustomer);
    const [shop, goods, methods] = await Promise.all([
      catalogue.shop(cart.merchantId),
      catalogue.goods(
        cart.merchantId,
        cart.lines.map((line) => line.productId),
      ),
      this.#parts.methods.list({ ...cart, country: customer.country }),
    ]);
    const consent = consentFor([...goods.values()], shop);
    const isAgreed = consent === 'implicit' || (consent === 'switch' && request.autoRenew);
    refuseFields(request, customer, methods, hasTrial([...goods.values()]) ? { isAgreed } : undefined);
    if (request.cartVersion !== 0 && request.cartVersion !== cart.version) throw new Refused('cart_changed');
    if (cart.lines.length === 0) throw new Refused('cart_empty');
    const left = cart.lines.filter((line) => isOnSale(goods.get(line.productId), cart.currency));
    if (left.length < cart.lines.length) {
      // The page no longer shows what is gone; it is taken out, so that what is left can be bought.
      await carts.change(cart, { ...cart, lines: left });
      throw new Refused('product_not_available');
    }
    const { systemName = '' } = methods.find(({ code }) => code === request.paymentMethod) ?? {};
    const placed = await this.#placed({ cart, shop, goods, customer, isAgreed, systemName, request });
    // Prices are the catalogue's until now: nobody buys at another sum than the one they saw.
    if (request.totalMinor !== 0n && request.totalMinor !== placed.totalMinor) throw new Refused('cart_changed');
    try {
      const now = placed.createdAt;
      const [answer] = await performer.perform([
        { id: String(placed.orderId), merchantId: cart.merchantId, command: { type: 'place', placed }, now },
      ]);
      if (answer?.answer === 'refused') throw new Refused(answer.reason);
      return { orderId: placed.orderId, token: placed.token };
    } catch (error) {
      if (!this.#parts.isCartTaken(error)) throw error;
      const taken = await carts.find(request.cartId);
      if (taken?.orderId === undefined) throw new Refused(taken === undefined ? 'cart_not_found' : 'cart_changed');
      return { orderId: taken.orderId, token: taken.orderToken ?? '' };
    }
  }

  async #placed(from: DraftFrom): Promise<Placed> {
    const { merchantId, lines } = from.cart;
    const numbers = await this.#parts.orders.numbers(lines.length);
    const createdAt = this.#parts.clock.now(merchantId);
    // R27: 128 bits in the seed's place.
    const token = randomBytes(16).toString('hex');
    return placeDraft(draftOf(from, createdAt), { ...numbers, token, createdAt });
  }

  async beginPayment(request: BeginPaymentRequest): Promise<BeginPaymentResponse> {
    const { merchantId, order } = await this.open(request.orderId, request.token);
    if (order.status === 'paid') throw new Refused('order_already_paid');
    if (order.status === 'deleted') throw new Refused('order_deleted');
    const { placed } = order;
    const code = request.paymentMethod === '' ? placed.paymentMethod : request.paymentMethod;
    const [methods, { paymentExpiryMinutes }] = await Promise.all([
      this.methodsFor(merchantId, placed),
      this.#parts.catalogue.shop(merchantId),
    ]);
    const method = methods.find((each) => each.code === code);
    if (method === undefined) throw new Refused('payment_method_not_supported', { param: 'payment_method' });
    // Refused as well when it is paid and the news is on its way here.
    const { payment } = await this.#parts.createPayment({
      merchantId,
      orderId: placed.orderId,
      amountMinor: placed.totalMinor,
      currency: placed.currency,
      method: code,
      returnUrl: `${this.#parts.checkoutUrl}/thanks/${placed.orderId}/${placed.token}`,
      locale: placed.locale,
      description: `${placed.shopName} ${orderName(placed.orderId)}`.slice(0, 200),
      livemode: placed.livemode,
      country: placed.customer.country,
      saveInstrument: method.canRenew && wantsInstrument(placed),
      expiryMinutes: paymentExpiryMinutes,
    });
    return { paymentId: payment?.id ?? '', status: payment?.status ?? '', redirectUrl: payment?.redirectUrl ?? '' };
  }

  /** What an unpaid order may be paid with: a free first term only by what can be charged for the next. */
  async methodsFor(merchantId: string, placed: Placed): Promise<readonly PaymentMethod[]> {
    const isTrial = placed.renewal === undefined && placed.items.some((item) => item.terms?.type === 'AR_TRIAL');
    const { livemode, currency, customer } = placed;
    const methods = await this.#parts.methods.list({ merchantId, livemode, currency, country: customer.country });
    return methods.filter((method) => method.canRenew || !isTrial);
  }

  /** What it is paid by, else what was chosen; of a method that is not known, what the order says of it. */
  async shownMethod(order: WireOrder): Promise<PaymentMethod> {
    const { merchantId, livemode, currency, customer, payment } = order;
    const code = payment?.method || order.paymentMethod;
    const wanted = { merchantId, livemode, currency, country: customer?.country ?? '' };
    const found = await this.#parts.methods.find(code, wanted);
    if (found !== undefined) return found;
    const chosen = code === order.paymentMethod ? order.paymentSystemName : '';
    return { code, systemName: payment?.systemName || chosen, kind: '', textKey: '', canRenew: false };
  }

  /** Refused with order_not_found, for a wrong token too. */
  async open(orderId: bigint, token: string): Promise<OpenedOrder> {
    const opened = await this.#parts.orders.open(orderId, token);
    if (opened === undefined) throw new Refused('order_not_found');
    return opened;
  }
}

interface DraftFrom {
  readonly cart: Cart;
  readonly shop: ShopFacts;
  readonly goods: ReadonlyMap<string, Goods>;
  readonly customer: Customer;
  readonly isAgreed: boolean;
  readonly systemName: string;
  readonly request: PlaceOrderRequest;
}

function draftOf({ cart, shop, goods, customer, isAgreed, systemName, request }: DraftFrom, at: Date): OrderDraft {
  const { livemode, currency, externalId, additionalData } = cart;
  const { shopName, supportEmail, timeZone, commissionBp, termsUrl, privacyUrl } = shop;
  return {
    source: {
      kind: 'cart',
      cartId: cart.cartId,
      cartVersion: cart.version,
    },
    livemode,
    currency,
    externalId,
    additionalData,
    shopName,
    supportEmail,
    timeZone,
    commissionBp,
    customer,
    locale: readLocale(request.locale) || cart.locale,
    items: cart.lines.map((line) => {
      const item = draftItemOf(goods.get(line.productId), line.quantity, currency);
      if (item === undefined) throw new Refused('product_not_available');
      return item;
    }),
    place: untaxed(customer.country),
    adjustments: [],
    paymentMethod: request.paymentMethod,
    paymentSystemName: systemName,
    autoRenew: isAgreed,
    metadata: {},
    consent: {
      wording: consentWording,
      termsUrl,
      privacyUrl,
      at,
    },
    reminders: shop.unpaidOrderReminders,
  };
}

/** All that is wrong, at once. Of a trial there must be consent and a method that can be charged for the next term. */
function refuseFields(
  request: PlaceOrderRequest,
  customer: Customer,
  methods: readonly PaymentMethod[],
  trial: { readonly isAgreed: boolean } | undefined,
): void {
  const fields: FieldComplaint[] = [...complainAboutCustomer(customer)];
  const method = methods.find((each) => each.code === request.paymentMethod);
  if (method === undefined)
    fields.push({
      param: 'payment_method',
      code: request.paymentMethod === '' ? 'required' : 'payment_method_not_supported',
      detail: 'Choose a payment method.',
    });
  else if (trial !== undefined && !method.canRenew)
    fields.push({
      param: 'payment_method',
      code: 'payment_method_not_supported',
      detail: 'A free first term needs a payment method that can renew.',
    });
  if (trial !== undefined && !trial.isAgreed)
    fields.push({
      param: 'auto_renew',
      code: 'required',
      detail: 'A free first term needs the consent to its renewal.',
    });
  if (!request.termsAccepted)
    fields.push({ param: 'terms_accepted', code: 'terms_not_accepted', detail: 'The terms of sale must be accepted.' });
  if (!request.privacyAccepted)
    fields.push({
      param: 'privacy_accepted',
      code: 'privacy_not_accepted',
      detail: 'The processing of personal data must be accepted.',
    });
  const [first] = fields;
  if (first !== undefined) throw new Refused('invalid_field', { param: first.param, detail: first.detail, fields });
}
