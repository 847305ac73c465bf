/** The services behind the gateway, played by small fixtures on their real protocols. */
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import {
  MerchantApiService,
  type CreateProductRequest,
  type Product,
} from '@tillstream/proto/merchant/v1/merchant_api';
import { Order, OrderApiService, OrderItem, type ListOrdersRequest } from '@tillstream/proto/order/v1/order_api';
import { Payment, PaymentApiService, type ReceiveCallbackRequest } from '@tillstream/proto/payment/v1/payment_api';
import { TimelineApiService, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import { Endpoint, WebhookApiService, type CreateEndpointRequest } from '@tillstream/proto/webhook/v1/webhook_api';
import { Refused, type RefusalCode } from '@tillstream/rpc/refusals';
import { implement, type Handlers } from '@tillstream/rpc/server';
import { standIn } from '@tillstream/testkit/app';
import { clientsOver, type Clients } from '../src/app.ts';

export const merchants = {
  first: '018f0000-0000-7000-8000-00000000000a',
  second: '018f0000-0000-7000-8000-00000000000b',
} as const;

/** What the fixtures saw and what they should do; a test may change it. */
export interface Scene {
  readonly products: Map<string, Product>;
  readonly made: { readonly request: CreateProductRequest; readonly traceparent: string }[];
  readonly endpoints: CreateEndpointRequest[];
  readonly callbacks: ReceiveCallbackRequest[];
  readonly asked: ListOrdersRequest[];
  readonly authenticated: string[];
  readonly revoked: Set<string>;
  /** Awaited before a product is made. */
  beforeMaking: () => Promise<void>;
  refuseMakingWith: RefusalCode | undefined;
}

export async function startBehind(): Promise<{ scene: Scene; clients: Clients; stop(): Promise<void> }> {
  const scene: Scene = {
    products: new Map(),
    made: [],
    endpoints: [],
    callbacks: [],
    asked: [],
    authenticated: [],
    revoked: new Set(),
    beforeMaking: async () => undefined,
    refuseMakingWith: undefined,
  };
  const server = await standIn(
    implement(MerchantApiService, merchantFixture(scene)),
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
    async getMerchants() {
      return { merchants: [] };
    },
    createAccount: unused,
    updateMerchant: unused,
    listApiKeys: unused,
    revokeApiKey: unused,
    updateProduct: unused,
    findProduct: unused,
  };
}

export const orderId = 1_000_001n;

function orderFixture(scene: Scene): Handlers<typeof OrderApiService> {
  const order = Order.fromPartial({
    orderId,
    orderName: 'A0001000001',
    merchantId: merchants.first,
    status: 'paid',
    fulfilmentStatus: 'delivered',
    currency: 'EUR',
    totalMinor: 20_000n,
    createdAt: new Date('2026-01-01T10:00:00Z'),
    paidAt: new Date('2026-01-01T10:00:02Z'),
    customer: {
      email: 'marcel.laporte@example.com',
      firstName: 'Marcel',
      lastName: 'Laporte',
      country: 'FR',
      type: 'physical',
    },
    items: [
      OrderItem.fromPartial({
        id: 7n,
        productId: '100001',
        name: 'Demo',
        quantity: 2,
        priceMinor: 10_000n,
        amountMinor: 20_000n,
      }),
    ],
    payment: {
      paymentId: 'pay_1',
      status: 'booked',
      method: 'CreditCard',
      cardLast4: '4242',
      cardType: 'Visa',
      cardExpiration: '12/2034',
    },
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
    getOrderDocuments: unused,
  };
}

function paymentFixture(scene: Scene): Handlers<typeof PaymentApiService> {
  return {
    async listPayments() {
      return {
        payments: [
          Payment.fromPartial({
            id: 'pay_1',
            orderId,
            status: 'booked',
            amountMinor: 20_000n,
            currency: 'EUR',
            cardLast4: '4242',
          }),
        ],
        hasMore: false,
      };
    },
    getPayments: async () => ({ payments: [] }),
    async receiveCallback(request) {
      if (request.provider !== 'sandbox') throw new Refused('provider_not_found');
      if (request.headers['sandbox-signature'] !== 'good') throw new Refused('callback_not_authentic');
      scene.callbacks.push(request);
      return { isNew: true };
    },
    createPayment: unused,
    refreshPayment: unused,
    withdrawPayment: unused,
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
          ...Endpoint.create(),
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
      const endpoint = { ...Endpoint.create(), id: request.endpointId, status: 'active' };
      return { endpoint, secrets: { seed: request.seedSecret || 'a made secret', standard: 'whsec_c2VjcmV0' } };
    },
    async enableEndpoint(request) {
      return { endpoint: { ...Endpoint.create(), id: request.endpointId, status: 'active' } };
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
  return TimelineEntry.fromPartial({
    at: new Date(at),
    source: 'order',
    type,
    summary: type,
    traceId: '',
    objectId: '',
  });
}
