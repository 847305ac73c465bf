/** The services behind the gateway, played by small fixtures on their real protocols. */
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import {
  Merchant,
  MerchantApiService,
  Policies,
  type CreateProductRequest,
  type Product,
  type UpdateMerchantRequest,
  type UpdateProductRequest,
} from '@tillstream/proto/merchant/v1/merchant_api';
import { TestClockApiService } from '@tillstream/proto/merchant/v1/test_clock_api';
import {
  Customer,
  ItemSubscription,
  Order,
  OrderApiService,
  OrderItem,
  PaymentSummary,
  SubscriptionTerms,
  type ListOrdersRequest,
} from '@tillstream/proto/order/v1/order_api';
import { Payment, PaymentApiService, type ReceiveCallbackRequest } from '@tillstream/proto/payment/v1/payment_api';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { TimelineApiService, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import { Endpoint, WebhookApiService, type CreateEndpointRequest } from '@tillstream/proto/webhook/v1/webhook_api';
import { Refused, type RefusalCode } from '@tillstream/rpc/refusals';
import { implement, type Handlers } from '@tillstream/rpc/server';
import { standIn } from '@tillstream/testkit/app';
import { messageOf } from '@tillstream/testkit/wire';
import { clientsOver, type Clients } from '../src/app.ts';
import { subscriptionFixture, testClockFixture, timeScene, yearly, type TimeScene } from './behind-time.ts';

export const merchants = {
  first: '018f0000-0000-7000-8000-00000000000a',
  second: '018f0000-0000-7000-8000-00000000000b',
} as const;

/** What the fixtures saw and what they should do; a test may change it. */
export interface Scene {
  readonly products: Map<string, Product>;
  readonly made: { readonly request: CreateProductRequest; readonly traceparent: string }[];
  readonly shopChanges: UpdateMerchantRequest[];
  readonly productChanges: UpdateProductRequest[];
  readonly endpoints: CreateEndpointRequest[];
  readonly callbacks: ReceiveCallbackRequest[];
  readonly asked: ListOrdersRequest[];
  readonly authenticated: string[];
  readonly revoked: Set<string>;
  /** Awaited before a product is made. */
  beforeMaking: () => Promise<void>;
  refuseMakingWith: RefusalCode | undefined;
  readonly time: TimeScene;
}

export async function startBehind(): Promise<{ scene: Scene; clients: Clients; stop(): Promise<void> }> {
  const scene: Scene = {
    products: new Map(),
    made: [],
    shopChanges: [],
    productChanges: [],
    endpoints: [],
    callbacks: [],
    asked: [],
    authenticated: [],
    revoked: new Set(),
    beforeMaking: async () => undefined,
    refuseMakingWith: undefined,
    time: timeScene(merchants.first),
  };
  const server = await standIn(
    implement(MerchantApiService, merchantFixture(scene)),
    implement(TestClockApiService, testClockFixture(scene.time)),
    implement(SubscriptionApiService, subscriptionFixture(scene.time)),
    implement(OrderApiService, orderFixture(scene)),
    implement(PaymentApiService, paymentFixture(scene)),
    implement(FulfillmentApiService, fulfillmentFixture()),
    implement(WebhookApiService, webhookFixture(scene)),
    implement(TimelineApiService, {
      readTimeline: async () => ({
        entries: [entry('2026-01-01T10:00:02Z', 'order_paid'), entry('2026-01-01T10:00:00Z', 'order_created')],
        awaited: [{ source: 'order', type: 'payment', summary: 'the customer’s payment', until: undefined }],
      }),
    }),
  );
  const silent = await standIn(
    implement(TimelineApiService, {
      readTimeline: async () => {
        throw new Refused('unavailable');
      },
    }),
  );
  const clients = clientsOver((target) => (target === 'notification' ? silent.channel : server.channel));
  return {
    scene,
    clients,
    stop: async () => {
      await server.stop();
      await silent.stop();
    },
  };
}

const unused = async (): Promise<never> => {
  throw new Error('not played');
};

function merchantFixture(scene: Scene): Handlers<typeof MerchantApiService> {
  return {
    async authenticate({ apiKey }, call) {
      const [, who, scopes] = /^till_test_(first|second)_(r|rw)$/.exec(apiKey) ?? [];
      if (scene.revoked.has(apiKey)) throw new Refused('revoked_api_key');
      if (who !== 'first' && who !== 'second') throw new Refused('invalid_api_key');
      scene.authenticated.push(call.traceparent);
      return {
        merchantId: merchants[who],
        livemode: false,
        apiKeyId: `key_${who}_${scopes}`,
        scopes: scopes === 'r' ? ['read'] : ['read', 'write'],
      };
    },
    async createProduct(request, call) {
      await scene.beforeMaking();
      if (scene.refuseMakingWith !== undefined) throw new Refused(scene.refuseMakingWith, { param: 'name' });
      refusePlan(request.subscription?.period);
      const before = request.requestId === '' ? undefined : scene.products.get(request.requestId);
      if (before !== undefined) return { product: before };
      scene.made.push({ request, traceparent: call.traceparent });
      const product: Product = {
        ...request,
        id: String(100_000 + scene.made.length),
        livemode: false,
        archived: false,
        createdAt: new Date(),
      };
      scene.products.set(request.requestId === '' ? product.id : request.requestId, product);
      return { product };
    },
    async getProducts({ merchantId, productIds }) {
      return {
        products: [...scene.products.values()].filter(
          (product) => product.merchantId === merchantId && productIds.includes(product.id),
        ),
      };
    },
    async listProducts({ merchantId, page }) {
      const mine = [...scene.products.values()].filter((product) => product.merchantId === merchantId).toReversed();
      return { products: mine.slice(0, page?.limit), hasMore: mine.length > (page?.limit ?? 0) };
    },
    async createApiKey({ name, scopes }) {
      return {
        apiKey: {
          id: 'key_1',
          name,
          hint: 'till_test_…',
          scopes,
          livemode: false,
          createdAt: new Date(),
          lastUsedAt: undefined,
          revokedAt: undefined,
        },
        secret: 'till_test_shown_once',
      };
    },
    async getMerchants({ merchantIds }) {
      return { merchants: merchantIds.map((id) => shopOf(id)) };
    },
    async updateMerchant(request) {
      scene.shopChanges.push(request);
      return { merchant: shopOf(request.merchantId) };
    },
    async updateProduct(request) {
      scene.productChanges.push(request);
      refusePlan(request.subscription?.plan?.period);
      const before = [...scene.products.values()].find(({ id }) => id === request.productId);
      if (before === undefined || before.merchantId !== request.merchantId) throw new Refused('product_not_found');
      return { product: { ...before, subscription: request.subscription?.plan } };
    },
    createAccount: unused,
    listApiKeys: unused,
    revokeApiKey: unused,
    findProduct: unused,
  };
}

/** The merchant service says which periods there are; here it knows one that there is not. */
function refusePlan(period: string | undefined): void {
  if (period === 'P5D') throw new Refused('period_not_allowed', { param: 'subscription.period', detail: 'Too short.' });
}

function shopOf(id: string): Merchant {
  return messageOf(Merchant, {
    id,
    shopName: 'Quill',
    currencies: ['EUR'],
    policies: messageOf(Policies, {
      commissionBp: 500,
      renewalConsent: 'implicit',
      unpaidOrderReminders: ['PT12H', 'P3D'],
      paymentExpiryMinutes: 45,
    }),
  });
}

export const orderId = 1_000_001n;

function orderFixture(scene: Scene): Handlers<typeof OrderApiService> {
  const order = messageOf(Order, {
    orderId,
    orderName: 'A0001000001',
    merchantId: merchants.first,
    status: 'paid',
    fulfilmentStatus: 'delivered',
    currency: 'EUR',
    totalMinor: 20_000n,
    createdAt: new Date('2026-01-01T10:00:00Z'),
    paidAt: new Date('2026-01-01T10:00:02Z'),
    customer: messageOf(Customer, {
      email: 'marcel.laporte@example.com',
      firstName: 'Marcel',
      lastName: 'Laporte',
      country: 'FR',
      type: 'physical',
    }),
    items: [
      messageOf(OrderItem, {
        id: 7n,
        productId: '100001',
        name: 'Demo',
        quantity: 2,
        priceMinor: 10_000n,
        amountMinor: 20_000n,
        subscriptionTerms: messageOf(SubscriptionTerms, {
          type: 'AR',
          period: 'P1Y',
          renewalPriceMinor: 9_000n,
          renewalPrice: 'snapshot',
        }),
        subscription: messageOf(ItemSubscription, {
          id: yearly,
          parentOrderId: orderId,
          parentItemId: 7n,
          type: 'AR',
          status: 'active',
          period: 'P1Y',
          term: 1,
          expiresAt: new Date('2027-01-01T22:59:00Z'),
          nextChargeAt: new Date('2026-12-12T22:59:00Z'),
          detailUrl: 'https://shop.example/order/status/1000001/x#autorenewal',
        }),
      }),
    ],
    autoRenew: true,
    payment: messageOf(PaymentSummary, {
      paymentId: 'pay_1',
      status: 'booked',
      method: 'CreditCard',
      cardLast4: '4242',
      cardType: 'Visa',
      cardExpiration: '12/2034',
    }),
  });
  return {
    async getOrder(request) {
      if (request.merchantId !== merchants.first || request.orderId !== orderId) throw new Refused('order_not_found');
      return { order };
    },
    async listOrders(request) {
      scene.asked.push(request);
      return { orders: request.merchantId === merchants.first ? [order] : [], hasMore: false };
    },
    addToCart: unused,
    getCart: unused,
    changeCart: unused,
    placeOrder: unused,
    beginPayment: unused,
    openOrder: unused,
    deleteOrder: unused,
    resendLicences: unused,
    getOrderDocuments: unused,
    changeSubscription: unused,
  };
}

function paymentFixture(scene: Scene): Handlers<typeof PaymentApiService> {
  return {
    async listPayments() {
      return {
        payments: [
          messageOf(Payment, {
            id: 'pay_1',
            orderId,
            status: 'booked',
            amountMinor: 20_000n,
            currency: 'EUR',
            cardLast4: '4242',
            instrumentId: '018f0000-0000-7000-8000-0000000000aa',
            isOffSession: true,
          }),
        ],
        hasMore: false,
      };
    },
    getPayments: async () => ({ payments: [] }),
    async receiveCallback(request) {
      if (!['sandbox', 'pa_01h455vb4pex5vsknk084sn02q'].includes(request.provider))
        throw new Refused('provider_not_found');
      if (request.headers['sandbox-signature'] !== 'good') throw new Refused('callback_not_authentic');
      scene.callbacks.push(request);
      return { isNew: true };
    },
    createPayment: unused,
    refreshPayment: unused,
    withdrawPayment: unused,
    listMethods: unused,
  };
}

function fulfillmentFixture(): Handlers<typeof FulfillmentApiService> {
  return {
    async addLicenceCodes({ codes }) {
      return { added: new Set(codes).size, duplicates: codes.length - new Set(codes).size };
    },
    async getPoolSummaries({ productIds }) {
      return { pools: productIds.map((productId) => ({ productId, available: 3, issued: 1, lowWaterMark: 0 })) };
    },
    async getLicences({ orders }) {
      return {
        licences: orders.flatMap((key) =>
          [1, 2].map((unitNo) => ({
            id: `lic_${unitNo}`,
            orderId: key.orderId,
            itemId: 7n,
            unitNo,
            code: `CODE-${unitNo}`,
            issuedAt: undefined,
            firstItemId: 0n,
            previousItemId: 0n,
          })),
        ),
      };
    },
  };
}

function webhookFixture(scene: Scene): Handlers<typeof WebhookApiService> {
  return {
    async createEndpoint(request) {
      scene.endpoints.push(request);
      return {
        endpoint: {
          ...messageOf(Endpoint),
          url: request.url,
          events: request.events,
          signSeed: request.signSeed,
          signStandard: request.signStandard,
          id: `we_${scene.endpoints.length}`,
          status: 'active',
        },
        secrets: { seed: 'the seed secret', standard: 'whsec_c2VjcmV0' },
      };
    },
    getEndpoint: unused,
    listEndpoints: unused,
    updateEndpoint: unused,
    deleteEndpoint: unused,
    async rotateSecret(request) {
      const endpoint = { ...messageOf(Endpoint), id: request.endpointId, status: 'active' };
      return { endpoint, secrets: { seed: request.seedSecret || 'a made secret', standard: 'whsec_c2VjcmV0' } };
    },
    async enableEndpoint(request) {
      return { endpoint: { ...messageOf(Endpoint), id: request.endpointId, status: 'active' } };
    },
    pingEndpoint: unused,
    getEvent: unused,
    listEvents: unused,
    getDelivery: unused,
    listDeliveries: unused,
    resendDelivery: unused,
  };
}

function entry(at: string, type: string): TimelineEntry {
  return messageOf(TimelineEntry, {
    at: new Date(at),
    source: 'order',
    type,
    summary: type,
    traceId: '',
    objectId: '',
  });
}
