/** A shop: two order services beside the merchant service, a product, and orders of it. */
import { home as merchantHome, merchantApp, type MerchantTables } from '@tillstream/merchant/app';
import { home as orderHome, orderApp, type OrderTables } from '@tillstream/order/app';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService, type Cart } from '@tillstream/proto/order/v1/order_api';
import { Method, PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import type { Client } from '@tillstream/rpc/client';
import { Refused } from '@tillstream/rpc/refusals';
import { standIn } from '@tillstream/testkit/app';
import { implement } from '@tillstream/rpc/server';
import { messageOf } from '@tillstream/testkit/wire';
import type { Instance, Stage } from './stage.ts';

export interface Orders {
  readonly services: readonly [Instance, Instance];
  readonly merchants: readonly [Instance, Instance];
  readonly merchantId: string;
  readonly apiKey: string;
  /** Another product; answers its id. */
  product(): Promise<string>;
}

export interface Placed {
  readonly orderId: bigint;
  readonly token: string;
}

/** What the order service asks of its neighbour for payments. */
type PaymentClient = Client<typeof PaymentApiService>;

interface Neighbours {
  readonly payment?: Partial<PaymentClient>;
}

/** Services that a race has no use for refuse. The methods of payment are there all the same: an order names one. */
export async function openOrders(stage: Stage, neighbours: Neighbours = {}): Promise<Orders> {
  const config = { KEY_PEPPER: 'pepper-for-races-of-thirty-two-letters' };
  const merchants = await stage.two<MerchantTables>(merchantHome, (own) =>
    merchantApp({ ...own, config, travellers: {} }),
  );
  const away = await standIn(implement(PaymentApiService, paymentsAway));
  stage.closing(() => away.stop());
  const clients = {
    merchant: merchants[0].client(MerchantApiService),
    payment: { ...away.client(PaymentApiService), ...neighbours.payment },
    fulfillment: away.client(FulfillmentApiService),
    subscription: away.client(SubscriptionApiService),
  };
  const services = await stage.two<OrderTables>(orderHome, (own) =>
    orderApp({ ...own, clients, config: { CHECKOUT_URL: 'http://127.0.0.1:4001' } }),
  );
  const account = { accountName: 'races', shopName: 'Races', supportEmail: 'help@races.example' };
  const { testMerchantId: merchantId, testApiKey: apiKey } = await clients.merchant.createAccount(account);
  return {
    services,
    merchants,
    merchantId,
    apiKey,
    async product() {
      const { product } = await clients.merchant.createProduct({
        merchantId,
        name: 'Editor',
        familyName: '',
        description: '',
        imageUrl: '',
        vendorCode: '',
        sku: '',
        businessSegment: 'b2c',
        prices: [{ currency: 'EUR', amountMinor: 10_000n }],
        minQuantity: 1,
        published: true,
        delivery: { method: 'pool', oneCodePer: 'unit', sendMail: true, showOnOrderPage: true, lowWaterMark: 0 },
        metadata: {},
        requestId: '',
        subscription: undefined,
      });
      return product?.id ?? '';
    },
  };
}

const customer = {
  country: 'DE',
  type: 'physical',
  email: 'jane@customer.example',
  firstName: 'Jane',
  lastName: 'Doe',
  phone: '',
  vatNumber: '',
  companyName: '',
  companyBillingAddress: '',
  companyDeliveryAddress: '',
};

export async function fillCart({ services }: Orders, productId: string): Promise<Cart> {
  const asked = {
    cartId: '',
    productId,
    quantity: 1,
    currency: 'EUR',
    locale: 'en',
    clear: false,
    externalId: '',
    additionalData: [],
  };
  const { cart } = await services[0].client(OrderApiService).addToCart(asked);
  if (cart === undefined) throw new Error('there is no cart');
  return cart;
}

export async function placeOrder(shop: Orders, productId: string): Promise<Placed> {
  const cart = await fillCart(shop, productId);
  return shop.services[0].client(OrderApiService).placeOrder({
    cartId: cart.id,
    cartVersion: cart.version,
    totalMinor: cart.totalMinor,
    customer,
    paymentMethod: 'CreditCard',
    termsAccepted: true,
    privacyAccepted: true,
    locale: 'en',
    autoRenew: false,
  });
}

const refuse = () => Promise.reject(new Refused('unavailable'));

const paymentsAway = {
  createPayment: refuse,
  getPayments: refuse,
  listPayments: refuse,
  refreshPayment: refuse,
  withdrawPayment: refuse,
  receiveCallback: refuse,
  listMethods: async () => ({
    methods: [messageOf(Method, { code: 'CreditCard', systemName: 'Bank Card', kind: 'card', canRenew: true })],
    catalogue: [],
  }),
};
