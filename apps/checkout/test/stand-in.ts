/** Stands in for the order service behind real rpc: keeps carts and orders simply, and refuses what a test tells it to. */
import {
  OrderApiService,
  type Cart,
  type CartLine,
  type OpenOrderResponse,
  type Order,
  type PaymentSummary,
} from '@tillstream/proto/order/v1/order_api';
import { makeClient, openChannel } from '@tillstream/rpc/client';
import { Refused } from '@tillstream/rpc/refusals';
import { implement, startRpcServer, type Handlers } from '@tillstream/rpc/server';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { request } from 'undici';
import { checkoutApp } from '../src/app.ts';
import type { Config } from '../src/config.ts';

export const cartId = 'c'.repeat(32);
export const token = '0123456789abcdef0123456789abcdef';
export const orderId = 1_000_001n;
export const provider = 'http://provider.test:4004';

export const line: CartLine = {
  productId: '100001',
  name: 'Quill Editor',
  familyName: 'Quill',
  description: 'A writing tool.',
  imageUrl: '',
  quantity: 1,
  minQuantity: 1,
  maxQuantity: 10,
  priceMinor: 10_000n,
  amountMinor: 10_000n,
};

export const cart: Cart = {
  id: cartId,
  merchantId: '',
  livemode: false,
  shopName: 'Quill & Sons',
  supportEmail: 'help@quill.example',
  supportUrl: '',
  termsUrl: 'https://quill.example/terms',
  privacyUrl: 'https://quill.example/privacy',
  currency: 'EUR',
  locale: 'en',
  lines: [line],
  totalMinor: 10_000n,
  version: 1,
  orderId: 0n,
  orderToken: '',
  currencies: ['EUR', 'USD'],
};

const order: Order = {
  orderId,
  orderName: 'A0001000001',
  merchantId: '',
  livemode: false,
  status: 'not paid',
  fulfilmentStatus: 'not delivered',
  externalId: '',
  createdAt: new Date('2026-11-21T09:14:00Z'),
  paidAt: undefined,
  currency: 'EUR',
  locale: 'en',
  token,
  detailUrl: '',
  items: [],
  totalMinor: 10_000n,
  additionalData: [],
  metadata: {},
  payment: undefined,
  version: 1n,
  timeZone: 'Europe/Berlin',
  paymentMethod: 'CreditCard',
  refundDuePaymentIds: [],
  customer: {
    country: 'DE',
    type: 'physical',
    email: 'zoe@example.com',
    firstName: 'Zoë',
    lastName: 'Müller',
    phone: '',
    vatNumber: '',
    companyName: '',
    companyBillingAddress: '',
    companyDeliveryAddress: '',
  },
};

const item = {
  id: 7n,
  productId: '100001',
  name: 'Quill Editor',
  familyName: 'Quill',
  vendorCode: '',
  sku: '',
  businessSegment: 'b2c',
  priceMinor: 10_000n,
  quantity: 1,
  discountMinor: 0n,
  vatMinor: 0n,
  amountMinor: 10_000n,
  marginMinor: 0n,
  deliveryMethod: 'pool',
  oneCodePer: 'unit',
  sendMail: true,
  showOnOrderPage: true,
  deliveredAt: undefined,
};

export function payment(status: string, more: Partial<PaymentSummary> = {}): PaymentSummary {
  return {
    paymentId: 'pay_1',
    status,
    method: 'CreditCard',
    systemName: 'Bank Card',
    cardType: '',
    cardLast4: '',
    cardExpiration: '',
    errorCode: '',
    errorDescription: '',
    reason: '',
    moneyMoved: 'no',
    ...more,
  };
}

type Method = keyof typeof OrderApiService;

async function never(): Promise<never> {
  throw new Error('no page asks this');
}

export class OrderStandIn {
  cart: Cart = cart;
  order: Order = { ...order, items: [item] };
  codes: OpenOrderResponse['codes'] = [];
  redirectUrl = `${provider}/pay/1`;
  /** The next call of a method is refused with this. */
  readonly refuse = new Map<Method, Error>();
  readonly calls: { readonly method: Method; readonly request: Readonly<Record<string, unknown>> }[] = [];

  requests(method: Method): readonly Readonly<Record<string, unknown>>[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.request);
  }

  pay(status: string, more: Partial<PaymentSummary> = {}): void {
    this.order = { ...this.order, payment: payment(status, more) };
  }

  handlers(): Handlers<typeof OrderApiService> {
    const on =
      <Request extends object, Response>(method: Method, answer: (asked: Request) => Response) =>
      async (asked: Request) => {
        this.calls.push({ method, request: Object.fromEntries(Object.entries(asked)) });
        const refused = this.refuse.get(method);
        this.refuse.delete(method);
        if (refused !== undefined) throw refused;
        return answer(asked);
      };
    return {
      addToCart: on('addToCart', () => ({ cart: this.cart })),
      getCart: on('getCart', (asked) => ({ cart: this.#cart(asked.cartId) })),
      changeCart: on('changeCart', (asked) => ({ cart: this.#change(asked) })),
      placeOrder: on('placeOrder', () => ({ orderId, token })),
      beginPayment: on('beginPayment', (asked) => {
        this.#order(asked);
        return { paymentId: 'pay_1', status: 'created', redirectUrl: this.redirectUrl };
      }),
      openOrder: on('openOrder', (asked) => ({
        order: this.#order(asked),
        shopName: 'Quill & Sons',
        supportEmail: 'help@quill.example',
        supportUrl: '',
        codes: asked.withCodes ? this.codes : [],
      })),
      getOrder: never,
      listOrders: never,
      deleteOrder: never,
      getOrderDocuments: never,
    };
  }

  #cart(id: string): Cart {
    if (id !== this.cart.id) throw new Refused('cart_not_found');
    return this.cart;
  }

  #order(asked: { readonly orderId: bigint; readonly token: string }): Order {
    if (asked.orderId !== orderId || asked.token !== token) throw new Refused('order_not_found');
    return this.order;
  }

  #change(asked: {
    cartId: string;
    changes: readonly { productId: string; quantity: number }[];
    currency: string;
  }): Cart {
    const before = this.#cart(asked.cartId);
    if (asked.changes.some((each) => each.quantity > 10))
      throw new Refused('quantity_out_of_range', { param: 'changes[0].quantity' });
    const lines = before.lines.flatMap((each) => {
      const quantity = asked.changes.find((change) => change.productId === each.productId)?.quantity ?? each.quantity;
      return quantity === 0 ? [] : [{ ...each, quantity, amountMinor: each.priceMinor * BigInt(quantity) }];
    });
    const totalMinor = lines.reduce((sum, each) => sum + each.amountMinor, 0n);
    this.cart = {
      ...before,
      lines,
      totalMinor,
      version: before.version + 1,
      currency: asked.currency || before.currency,
    };
    return this.cart;
  }
}

export interface Served {
  readonly url: string;
  readonly order: OrderStandIn;
  readonly log: RecordedLog;
  stop(): Promise<void>;
}

export async function serve(more: Partial<Config> = {}): Promise<Served> {
  const log = quietLog();
  const standIn = new OrderStandIn();
  const rpc = await startRpcServer({ port: 0, bindings: [implement(OrderApiService, standIn.handlers())], log });
  const channel = openChannel({ address: `127.0.0.1:${rpc.port}` });
  const config: Config = {
    CHECKOUT_URL: 'http://shop.test',
    PAYMENT_PAGE_ORIGINS: [provider],
    TRUSTED_PROXIES: [],
    POSTS_PER_TEN_SECONDS: 0,
    ...more,
  };
  const app = checkoutApp({ clients: { order: makeClient(OrderApiService, channel) }, config, log });
  const url = String(await app.http?.listen({ port: 0, host: '127.0.0.1' }));
  return {
    url,
    order: standIn,
    log,
    stop: async () => {
      await app.http?.close();
      channel.close();
      await rpc.stop();
    },
  };
}

export interface Got {
  readonly status: number;
  readonly text: string;
  readonly location: string;
  readonly cookies: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export async function get(url: string, headers: Record<string, string> = {}): Promise<Got> {
  return send(url, 'GET', headers);
}

/** As a browser posts a form of our own pages. */
export async function post(
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Got> {
  const own = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', origin: 'null' };
  return send(url, 'POST', { ...own, ...headers }, new URLSearchParams(form).toString());
}

export async function send(
  url: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD',
  headers: Record<string, string>,
  body?: string,
): Promise<Got> {
  const response = await request(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = tidy(await response.body.text());
  return {
    status: response.statusCode,
    text,
    location: String(response.headers['location'] ?? ''),
    cookies: [response.headers['set-cookie'] ?? []].flat(),
    headers: response.headers,
  };
}

/** The page without the line breaks and indents of its templates, which say nothing. */
export function tidy(page: string): string {
  return page
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/ +(\/?>)/g, '$1')
    .replaceAll(/ {2,}/g, ' ')
    .replaceAll(/<(\/?\w+)> /g, '<$1>')
    .replaceAll(/ (<\/)/g, '$1');
}

/** The piece of the page around a field: its label, its control and what is said about it. */
export function fieldOf(page: string, field: string): string {
  const at = page.indexOf(`id="${field}"`);
  return at < 0 ? '' : page.slice(at, page.indexOf('</div>', at));
}
