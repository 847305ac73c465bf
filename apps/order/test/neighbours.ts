/** The services that the order service asks, played on real ports: what they know can be changed, and they can be away. */
import { messageOf } from '@tillstream/testkit/wire';
import { randomUUIDv7 } from 'node:crypto';
import { publicId } from '@tillstream/database/public-id';
import { FulfillmentApiService, type Licence } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { Delivery, Merchant, MerchantApiService, Policies, Product } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Order } from '@tillstream/proto/order/v1/order_api';
import {
  Payment,
  PaymentApiService,
  type CreatePaymentRequest,
  type Method,
} from '@tillstream/proto/payment/v1/payment_api';
import { Subscription, SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { Refused } from '@tillstream/rpc/refusals';
import { implement, type Handlers, type RpcBinding } from '@tillstream/rpc/server';

export const creditCard: Method = {
  code: 'CreditCard',
  systemName: 'Bank Card',
  kind: 'card',
  isOffline: false,
  canRenew: true,
  textKey: 'card',
};
export const bankTransfer: Method = {
  code: 'BankTransfer',
  systemName: 'Bank Transfer',
  kind: 'transfer',
  isOffline: true,
  canRenew: false,
  textKey: 'transfer',
};

type Name = 'merchant' | 'payment' | 'fulfillment' | 'subscription';

export class Neighbours {
  readonly merchants = new Map<string, Merchant>();
  readonly products = new Map<string, Product>();
  readonly payments = new Map<string, Payment>();
  readonly licences: Licence[] = [];
  readonly subscriptions = new Map<string, Subscription>();
  methods: Method[] = [creditCard, bankTransfer];
  /** Those that do not answer now. */
  readonly away = new Set<Name>();
  /** Every question, in order. */
  readonly asked: { readonly what: string; readonly request: unknown }[] = [];
  #nextProduct = 100_000;

  addMerchant(more: Partial<Merchant> = {}): Merchant {
    const base = messageOf(Merchant, {
      id: randomUUIDv7(),
      shopName: 'Quill & Söhne',
      timeZone: 'Europe/Berlin',
      locale: 'de',
      currencies: ['EUR', 'USD'],
      supportEmail: 'help@quill.example',
      termsUrl: 'https://quill.example/terms',
      policies: messageOf(Policies, { commissionBp: 1_000, renewalConsent: 'switch' }),
    });
    const merchant = { ...base, ...more };
    this.merchants.set(merchant.id, merchant);
    return merchant;
  }

  addProduct(merchant: Merchant, more: Partial<Product> = {}): Product {
    this.#nextProduct += 1;
    const base = messageOf(Product, {
      id: String(this.#nextProduct),
      merchantId: merchant.id,
      livemode: merchant.livemode,
      name: `Product ${this.#nextProduct}`,
      familyName: 'Family',
      vendorCode: 'VC',
      sku: 'SKU',
      businessSegment: 'b2c',
      prices: [{ currency: 'EUR', amountMinor: 10_000n }],
      minQuantity: 1,
      published: true,
      delivery: messageOf(Delivery, { method: 'pool', oneCodePer: 'unit', sendMail: true, showOnOrderPage: true }),
    });
    const product = { ...base, ...more };
    this.products.set(product.id, product);
    return product;
  }

  /** The catalogue after an edit. */
  changeProduct(id: string, change: Partial<Product>): void {
    const before = this.products.get(id);
    if (before !== undefined) this.products.set(id, { ...before, ...change });
  }

  addPayment(
    asked: Pick<CreatePaymentRequest, 'merchantId' | 'orderId' | 'amountMinor' | 'currency'>,
    more: Partial<Payment> = {},
  ): Payment {
    const id = publicId('pay', randomUUIDv7());
    const payment: Payment = {
      ...messageOf(Payment, {
        id,
        merchantId: asked.merchantId,
        orderId: asked.orderId,
        status: 'created',
        amountMinor: asked.amountMinor,
        currency: asked.currency,
        method: 'CreditCard',
        systemName: 'Bank Card',
        provider: 'sandbox',
        redirectUrl: `https://provider.example/pay/${id}`,
        moneyMoved: 'no',
      }),
      ...more,
    };
    this.payments.set(id, payment);
    return payment;
  }

  /** A payment of the whole order. */
  pay(order: Order, more: Partial<Payment> = {}): Payment {
    return this.addPayment({ ...order, amountMinor: order.totalMinor }, { status: 'booked', ...more });
  }

  changePayment(id: string, change: Partial<Payment>): void {
    const before = this.payments.get(id);
    if (before !== undefined) this.payments.set(id, { ...before, ...change });
  }

  bindings(): RpcBinding[] {
    const hear = (name: Name, what: string, request: unknown) => {
      this.asked.push({ what, request });
      if (this.away.has(name)) throw new Refused('unavailable');
    };
    const newestOf = (orderId: bigint) =>
      [...this.payments.values()].filter((payment) => payment.orderId === orderId).at(-1);
    return [
      implement(
        MerchantApiService,
        only<typeof MerchantApiService>({
          findProduct: async (request) => {
            hear('merchant', 'findProduct', request);
            const product = this.products.get(request.productId);
            if (product === undefined) throw new Refused('product_not_found');
            return { product };
          },
          getProducts: async (request) => {
            hear('merchant', 'getProducts', request);
            return {
              products: request.productIds
                .flatMap((id) => this.products.get(id) ?? [])
                .filter((product) => product.merchantId === request.merchantId),
            };
          },
          getMerchants: async (request) => {
            hear('merchant', 'getMerchants', request);
            return { merchants: request.merchantIds.flatMap((id) => this.merchants.get(id) ?? []) };
          },
        }),
      ),
      implement(
        PaymentApiService,
        only<typeof PaymentApiService>({
          createPayment: async (request) => {
            hear('payment', 'createPayment', request);
            const live = newestOf(request.orderId);
            if (live?.status === 'booked') throw new Refused('order_already_paid');
            if (live !== undefined && ['created', 'seen', 'processing'].includes(live.status)) return { payment: live };
            return { payment: this.addPayment(request) };
          },
          getPayments: async (request) => {
            hear('payment', 'getPayments', request);
            return {
              payments: request.keys.flatMap((key) => {
                const payment = this.payments.get(key.paymentId) ?? this.payments.get(publicId('pay', key.paymentId));
                return payment?.merchantId === key.merchantId ? [payment] : [];
              }),
            };
          },
          listPayments: async (request) => {
            hear('payment', 'listPayments', request);
            return {
              payments: [...this.payments.values()]
                .filter((payment) => payment.orderId === request.orderId)
                .toReversed(),
              hasMore: false,
            };
          },
          listMethods: async (request) => {
            hear('payment', 'listMethods', request);
            return { methods: this.methods, catalogue: [creditCard, bankTransfer] };
          },
          refreshPayment: async (request) => {
            hear('payment', 'refreshPayment', request);
            return { payment: newestOf(request.orderId) };
          },
        }),
      ),
      implement(
        SubscriptionApiService,
        only<typeof SubscriptionApiService>({
          listSubscriptions: async (request) => {
            hear('subscription', 'listSubscriptions', request);
            const subscriptions = [...this.subscriptions.values()].filter(
              (each) => each.merchantId === request.merchantId && each.parentOrderId === request.orderId,
            );
            return { subscriptions, hasMore: false };
          },
          cancelSubscription: async (request) => {
            hear('subscription', 'cancelSubscription', request);
            return { subscription: this.subscriptions.get(request.subscriptionId), isChanged: true };
          },
          restoreSubscription: async (request) => {
            hear('subscription', 'restoreSubscription', request);
            const subscription = this.subscriptions.get(request.subscriptionId);
            if (subscription?.type === 'PMR') throw new Refused('restore_not_supported');
            return { subscription, isChanged: true };
          },
        }),
      ),
      implement(
        FulfillmentApiService,
        only<typeof FulfillmentApiService>({
          getLicences: async (request) => {
            hear('fulfillment', 'getLicences', request);
            return {
              licences: this.licences.filter((licence) =>
                request.orders.some((order) => order.orderId === licence.orderId),
              ),
            };
          },
        }),
      ),
    ];
  }
}

/** What is not played is refused. */
function only<S extends object>(played: Partial<Handlers<S>>): Handlers<S> {
  return new Proxy(played, {
    get: (target, name) => Reflect.get(target, name) ?? (() => Promise.reject(new Refused('route_not_found'))),
  }) as Handlers<S>;
}
