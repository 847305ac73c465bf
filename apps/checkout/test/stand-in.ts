/** Stands in for the order service behind real rpc: keeps carts and orders simply, and refuses what a test tells it to. */
import {
  OrderApiService,
  type Cart,
  type ItemSubscription,
  type OpenOrderResponse,
  type Order,
  type PaymentSummary,
  type SubscriptionTerms,
} from '@tillstream/proto/order/v1/order_api';
import type { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { makeClient, openChannel } from '@tillstream/rpc/client';
import { Refused } from '@tillstream/rpc/refusals';
import { implement, startRpcServer, type Handlers } from '@tillstream/rpc/server';
import { httpLimitSettings } from '@tillstream/service/http-limits';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { request } from 'undici';
import { checkoutApp } from '../src/app.ts';
import type { Config } from '../src/config.ts';
import { cancelled, cart, item, order, orderId, payment, provider, renewingOrder, token } from './wire.ts';

export { cart, cartId, line, orderId, payment, provider, token } from './wire.ts';

type Method = keyof typeof OrderApiService;

async function never(): Promise<never> {
  throw new Error('no page asks this');
}

export class OrderStandIn {
  cart: Cart = cart;
  order: Order = { ...order, items: [item] };
  codes: OpenOrderResponse['codes'] = [];
  subscriptions: Subscription[] = [];
  redirectUrl = `${provider}/pay/1`;
  /** The next call of a method is refused with this. */
  readonly refuse = new Map<Method, Error>();
  readonly calls: { readonly method: Method; readonly request: Readonly<Record<string, unknown>> }[] = [];

  requests(method: Method): readonly Readonly<Record<string, unknown>>[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.request);
  }

  /** The order's item renews like this, and may already. */
  renews(terms: SubscriptionTerms, subscription?: ItemSubscription, more: Partial<Order> = {}): void {
    this.order = renewingOrder(terms, subscription, more);
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
        subscriptions: this.subscriptions,
      })),
      changeSubscription: on('changeSubscription', (asked) => this.#changeSubscription(asked)),
      getOrder: never,
      listOrders: never,
      deleteOrder: never,
      resendLicences: never,
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

  /** As the order service does it: both may be asked for again, and a foreign subscription is not there. */
  #changeSubscription(asked: { orderId: bigint; token: string; subscriptionId: string; action: string }) {
    this.#order(asked);
    const found = this.subscriptions.find((each) => each.id === asked.subscriptionId);
    if (found === undefined) throw new Refused('subscription_not_found');
    if (asked.action === 'restore' && found.type === 'PMR') throw new Refused('restore_not_supported');
    const change: Partial<Subscription> =
      asked.action === 'cancel'
        ? { ...cancelled, canRestore: found.type !== 'PMR' }
        : { status: 'active', cancelledAt: undefined, cancelledBy: '', canRestore: false };
    this.subscriptions = this.subscriptions.map((each) => (each === found ? { ...each, ...change } : each));
    return {};
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
    ...httpLimitSettings.parse({}),
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
