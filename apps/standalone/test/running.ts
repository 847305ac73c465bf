/** The whole product in this process on a database of its own, with one purchase made over its rpc. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceHome } from '@tillstream/database/migrate';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService, type Customer } from '@tillstream/proto/order/v1/order_api';
import { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { makeClient } from '@tillstream/rpc/client';
import { makeLog } from '@tillstream/service/log';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import type { HostileReceiver } from '@tillstream/testkit/receiver';
import { request } from 'undici';
import { environmentOf, placesOf } from '../src/environment.ts';
import { portsFrom } from '../src/ports.ts';
import { homes, startProduct, type RunningProduct } from '../src/product.ts';
import { loadSecrets } from '../src/secrets.ts';

export interface Running {
  readonly product: RunningProduct;
  readonly database: TestDatabase;
  stop(): Promise<void>;
}

export async function startRunning(): Promise<Running> {
  const data = mkdtempSync(join(tmpdir(), 'tillstream-rpc-'));
  const [first, ...more] = homes as readonly [ServiceHome, ...ServiceHome[]];
  const database = await testDatabase(first, ...more);
  const ports = portsFrom(await freeBase());
  const places = placesOf(ports, '127.0.0.1');
  const secrets = loadSecrets(join(data, 'secrets.json'));
  const log = makeLog({ level: 'warn', file: join(data, 'log') });
  const product = await startProduct({
    adminUrl: database.adminUrl,
    urlOf: (role) => database.urlOf(homes.find((home) => home.role === role) ?? first),
    rolePassword: '',
    ports,
    host: '127.0.0.1',
    environment: environmentOf(ports, places, secrets, data),
    log,
    startPage: () => ({ gateway: places.gateway, mail: places.mail, apiKey: '', products: [] }),
  });
  return {
    product,
    database,
    stop: async () => {
      await product.stop();
      await database.drop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

const customer: Customer = {
  country: 'FR',
  type: 'physical',
  email: 'marcel.laporte@example.com',
  firstName: 'Marcel',
  lastName: 'Laporte',
  phone: '',
  vatNumber: '',
  companyName: '',
  companyBillingAddress: '',
  companyDeliveryAddress: '',
};

export interface Bought {
  readonly merchantId: string;
  readonly productId: string;
  readonly code: string;
  readonly orderId: bigint;
  readonly token: string;
  /** Of a cart that is not ordered. */
  readonly cartId: string;
  readonly endpointId: string;
}

/** Opens a shop with a product that renews, and buys it; resolves when all webhooks were received. */
export async function openShopAndBuy(
  product: RunningProduct,
  name: string,
  receiver: HostileReceiver,
): Promise<Bought> {
  const merchants = makeClient(MerchantApiService, product.channel('merchant'));
  const orders = makeClient(OrderApiService, product.channel('order'));
  const fulfillment = makeClient(FulfillmentApiService, product.channel('fulfillment'));
  const { testMerchantId: merchantId } = await merchants.createAccount({
    accountName: name,
    shopName: name,
    supportEmail: '',
  });
  const made = await merchants.createProduct({
    merchantId,
    name: `Quill of ${name}`,
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
    subscription: { type: 'AR', period: 'P1Y', trialPeriod: '', renewalPrice: 'snapshot' },
  });
  const productId = made.product?.id ?? '';
  const { endpoint } = await makeClient(WebhookApiService, product.channel('webhook')).createEndpoint({
    merchantId,
    livemode: false,
    url: receiver.url,
    events: [],
    description: '',
    signSeed: true,
    signStandard: true,
    seedSecret: '',
    metadata: {},
    requestId: '',
  });
  const code = `CODE-OF-${name}`;
  await fulfillment.addLicenceCodes({ merchantId, productId, codes: [code], lowWaterMark: 0 });
  const add = () =>
    orders.addToCart({ cartId: '', productId, quantity: 1, currency: 'EUR', locale: 'en', clear: false });
  const { cart } = await add();
  const { orderId, token } = await orders.placeOrder({
    cartId: cart?.id ?? '',
    cartVersion: cart?.version ?? 0,
    customer,
    paymentMethod: 'CreditCard',
    termsAccepted: true,
    privacyAccepted: true,
    locale: 'en',
    totalMinor: cart?.totalMinor ?? 0n,
    autoRenew: true,
  });
  const page = await eventually(async () => {
    const { redirectUrl } = await orders.beginPayment({ orderId, token, paymentMethod: 'CreditCard' });
    return redirectUrl === '' ? undefined : redirectUrl;
  });
  await (await request(page)).body.dump();
  const paid = await request(page, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(page).origin },
    body: 'number=4242+4242+4242+4242&expiry=12%2F34&cvc=123&action=pay',
  });
  await paid.body.dump();
  await eventually(async () => {
    const { order } = await orders.getOrder({ merchantId, orderId });
    return order?.fulfilmentStatus === 'delivered';
  });
  await eventually(() => receiver.requests.filter(({ body }) => body.includes(`"order_id":${orderId}`)).length >= 3);
  return {
    merchantId,
    productId,
    code,
    orderId,
    token,
    cartId: (await add()).cart?.id ?? '',
    endpointId: endpoint?.id ?? '',
  };
}

/** Twenty ports in a row. */
async function freeBase(): Promise<number> {
  for (let base = 33_000 + (process.pid % 200) * 40; base < 60_000; base += 40) {
    const free = await Promise.all(Array.from({ length: 20 }, (_, at) => isFree(base + at)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no run of free ports');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
