/** Two dispatchers, an honest receiver that remembers the order of things, and events of orders for them. */
import { messageOf } from '@tillstream/testkit/wire';
import { createServer } from 'node:http';
import { Customer, Order, OrderItem, type GetOrderDocumentsRequest } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import { orderEvents } from '@tillstream/messaging/topics';
import { home as webhookHome, webhookApp } from '@tillstream/webhook-dispatcher/app';
import { newsOf } from './news.ts';
import { merchantId, openStage, vaultKeys, type Instance, type Stage } from './stage.ts';

export interface Received {
  /** The endpoint's own path. */
  readonly path: string;
  readonly orderId: number;
  readonly event: string;
}

export interface Webhooks {
  readonly stage: Stage;
  readonly services: readonly [Instance, Instance];
  /** In the order in which they came, whatever was answered. */
  readonly received: Received[];
  /** Lets a dispatcher work. Resolves, after the signal, when it has stopped. */
  dispatch(service: Instance, signal: AbortSignal): Promise<void>;
  /** A new endpoint; answers its id as it is shown. */
  endpoint(path: string): Promise<string>;
  /** The story of an order, told to a service in one batch: created, paid. */
  tell(service: Instance, orderId: bigint): Promise<void>;
  close(): Promise<void>;
}

export async function openWebhooks(leaseMs: number): Promise<Webhooks> {
  const stage = await openStage(webhookHome);
  const received: Received[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const body: { order_id: number; event: string } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      received.push({ path: message.url ?? '', orderId: body.order_id, event: body.event });
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  stage.closing(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const clients = {
    order: { getOrderDocuments: async (asked: GetOrderDocumentsRequest) => documentsOf(asked) },
    payment: {
      getPayments: async () => ({ payments: [] }),
      listPayments: async () => ({ payments: [], hasMore: false }),
    },
    fulfillment: { getLicences: async () => ({ licences: [] }) },
  };
  const config = {
    VAULT_KEYS: vaultKeys,
    ALLOW_LOOPBACK_WEBHOOKS: true,
    RETRY_DELAYS_MS: [20, 40, 80, 160, 320],
    ATTEMPT_TIMEOUT_MS: 5_000,
    DISPATCH_SLOTS: 64,
    SHARD_LEASE_MS: leaseMs,
    SEND_TRACEPARENT: false,
  };
  const services = await stage.two<object>(webhookHome, (own) => webhookApp({ ...own, clients, config }));
  return {
    stage,
    services,
    received,
    dispatch: async ({ app }, signal) => app.workers[0]?.run(signal),
    async endpoint(path) {
      const { endpoint } = await services[0].client(WebhookApiService).createEndpoint({
        merchantId,
        livemode: false,
        url: `http://127.0.0.1:${port}${path}`,
        events: [],
        description: '',
        signSeed: true,
        signStandard: true,
        seedSecret: '',
        payloadProfile: '',
        metadata: {},
        requestId: '',
      });
      return endpoint?.id ?? '';
    },
    tell: (service, orderId) => service.hear(created(orderId), paid(orderId)),
    close: () => stage.close(),
  };
}

function created(orderId: bigint) {
  return newsOf(orderEvents, { merchantId, key: orderId, version: 1n }, (header) =>
    OrderEvent.encode({
      header,
      orderId,
      payload: { $case: 'orderCreated', value: { itemCount: 1, renewal: undefined } },
    }).finish(),
  );
}

function paid(orderId: bigint) {
  const value = { paymentId: '', amountMinor: 1n, currency: 'EUR', renewal: undefined, startsSubscriptions: false };
  return newsOf(orderEvents, { merchantId, key: orderId, version: 2n }, (header) =>
    OrderEvent.encode({ header, orderId, payload: { $case: 'orderPaid', value } }).finish(),
  );
}

function documentsOf({ keys }: GetOrderDocumentsRequest) {
  const documents = keys.map((key) => {
    const { orderId } = key;
    const item = { id: orderId, productId: '100001', name: 'Editor', quantity: 1, deliveryMethod: 'pool' };
    const order = messageOf(Order, {
      orderId,
      merchantId,
      status: key.version > 1n ? 'paid' : 'not paid',
      fulfilmentStatus: 'not delivered',
      currency: 'EUR',
      locale: 'en',
      timeZone: 'UTC',
      createdAt: new Date(),
      customer: messageOf(Customer, {
        country: 'DE',
        type: 'physical',
        email: 'jane@customer.example',
        firstName: 'Jane',
        lastName: 'Doe',
      }),
      items: [messageOf(OrderItem, { ...item, oneCodePer: 'unit', priceMinor: 1n, amountMinor: 1n })],
      totalMinor: 1n,
      version: key.version,
    });
    return { key, order, shopName: 'Races', supportEmail: '', occurredAt: new Date() };
  });
  return { documents };
}
