/** The whole product in this process on a database of its own, with one purchase made over its rpc. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceHome } from '@tillstream/database/migrate';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService, type Cart, type Customer } from '@tillstream/proto/order/v1/order_api';
import { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { makeClient } from '@tillstream/rpc/client';
import { makeLog } from '@tillstream/service/log';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { claimPorts } from '@tillstream/testkit/ports';
import type { HostileReceiver } from '@tillstream/testkit/receiver';
import { request } from 'undici';
import { environmentOf, placesOf, type Places } from '../src/environment.ts';
import { portsFrom } from '../src/ports.ts';
import { homes, startProduct, type RunningProduct } from '../src/product.ts';
import { loadSecrets } from '../src/secrets.ts';

export interface Running {
  readonly product: RunningProduct;
  readonly database: TestDatabase;
  readonly places: Places;
  /** Its folder. */
  readonly data: string;
  readLog(): string;
  stop(): Promise<void>;
}

export async function startRunning(environment: Record<string, string> = {}): Promise<Running> {
  const data = mkdtempSync(join(tmpdir(), 'tillstream-rpc-'));
  const [first, ...more] = homes as readonly [ServiceHome, ...ServiceHome[]];
  const database = await testDatabase(first, ...more);
  const ports = portsFrom(await claimPorts());
  const places = placesOf(ports, '127.0.0.1');
  const secrets = loadSecrets(join(data, 'secrets.json'));
  const logFile = join(data, 'log');
  const log = makeLog({ level: 'debug', file: logFile });
  const product = await startProduct({
    adminUrl: database.adminUrl,
    urlOf: (role) => database.urlOf(homes.find((home) => home.role === role) ?? first),
    rolePassword: '',
    ports,
    host: '127.0.0.1',
    merchantRpcPort: undefined,
    environment: { ...environmentOf(ports, places, secrets, data), ...environment },
    log,
    startPage: () => ({ gateway: places.gateway, mail: places.mail, apiKey: '', products: [] }),
  });
  return {
    product,
    database,
    places,
    data,
    readLog: () => {
      log.flush();
      return readFileSync(logFile, 'utf8');
    },
    stop: async () => {
      await product.stop();
      await database.drop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export const customer: Customer = {
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

export interface OpenedShop {
  readonly merchantId: string;
  readonly productId: string;
  readonly endpointId: string;
  readonly apiKey: string;
}

export interface Bought extends OpenedShop {
  readonly code: string;
  readonly orderId: bigint;
  readonly token: string;
  /** Of a cart that is not ordered. */
  readonly cartId: string;
}

/** A shop with a product that renews, its codes, and an endpoint. */
export async function openShop(
  product: RunningProduct,
  name: string,
  receiver: HostileReceiver,
  { codes, seedSecret = '' }: { codes: string[]; seedSecret?: string },
): Promise<OpenedShop> {
  const merchants = makeClient(MerchantApiService, product.channel('merchant'));
  const account = await merchants.createAccount({ accountName: name, shopName: name, supportEmail: '' });
  const merchantId = account.testMerchantId;
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
  const { endpoint } = await makeClient(WebhookApiService, product.channel('webhook-dispatcher')).createEndpoint({
    merchantId,
    livemode: false,
    url: receiver.url,
    events: [],
    description: '',
    signSeed: true,
    signStandard: true,
    seedSecret,
    payloadProfile: '',
    metadata: {},
    requestId: '',
  });
  const fulfillment = makeClient(FulfillmentApiService, product.channel('fulfillment'));
  await fulfillment.addLicenceCodes({ merchantId, productId, codes, lowWaterMark: 0, requestId: '' });
  return { merchantId, productId, endpointId: endpoint?.id ?? '', apiKey: account.testApiKey };
}

export async function fillCart(product: RunningProduct, { productId }: OpenedShop): Promise<Cart> {
  const orders = makeClient(OrderApiService, product.channel('order'));
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
  const { cart } = await orders.addToCart(asked);
  if (cart === undefined) throw new Error('no cart');
  return cart;
}

export async function placeOrder(
  product: RunningProduct,
  shop: OpenedShop,
  who: Customer = customer,
): Promise<{ orderId: bigint; token: string }> {
  const orders = makeClient(OrderApiService, product.channel('order'));
  const cart = await fillCart(product, shop);
  return orders.placeOrder({
    cartId: cart.id,
    cartVersion: cart.version,
    customer: who,
    paymentMethod: 'CreditCard',
    termsAccepted: true,
    privacyAccepted: true,
    locale: 'en',
    totalMinor: cart.totalMinor,
    autoRenew: true,
  });
}

/** By card, on the provider's page. */
export async function pay(
  product: RunningProduct,
  { orderId, token }: { orderId: bigint; token: string },
  card = '4242 4242 4242 4242',
): Promise<void> {
  const orders = makeClient(OrderApiService, product.channel('order'));
  const page = await eventually(async () => {
    const { redirectUrl } = await orders.beginPayment({ orderId, token, paymentMethod: 'CreditCard' });
    return redirectUrl === '' ? undefined : redirectUrl;
  });
  await (await request(page)).body.dump();
  const paid = await request(page, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(page).origin },
    body: new URLSearchParams({ number: card, expiry: '12/34', cvc: '123', action: 'pay' }).toString(),
  });
  await paid.body.dump();
}

/** Opens a shop and buys there; resolves when all webhooks were received. */
export async function openShopAndBuy(
  product: RunningProduct,
  name: string,
  receiver: HostileReceiver,
): Promise<Bought> {
  const code = `CODE-OF-${name}`;
  const shop = await openShop(product, name, receiver, { codes: [code] });
  const sale = await placeOrder(product, shop);
  await pay(product, sale);
  await eventually(
    () => receiver.requests.filter(({ body }) => body.includes(`"order_id":${sale.orderId}`)).length >= 3,
    60_000,
  );
  return { ...shop, ...sale, code, cartId: (await fillCart(product, shop)).id };
}
