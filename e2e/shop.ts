/** A merchant with curl: the public API, nothing else. */
import { randomUUID } from 'node:crypto';
import { request } from 'undici';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly body: T;
}

export interface ProductAnswer {
  readonly id: string;
  readonly checkout_url: string;
}

export interface OrderAnswer {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly fulfilment_status: string;
  readonly items: readonly { readonly id: number; readonly licence_codes: readonly string[] }[];
  readonly payments: readonly { readonly id: string; readonly status: string }[];
  readonly detail_url: string;
}

export interface TimelineAnswer {
  readonly entries: readonly {
    readonly at: string;
    readonly source: string;
    readonly type: string;
    readonly trace_id?: string;
  }[];
  readonly awaited: readonly { readonly source: string; readonly type: string }[];
}

export interface List<T> {
  readonly data: readonly T[];
  readonly has_more: boolean;
}

export interface ClockAnswer {
  readonly now: string;
  readonly status: string;
  readonly advance: {
    readonly id: string;
    readonly from: string;
    readonly to: string;
    readonly at: string;
    readonly status: string;
    readonly fired: readonly {
      readonly at: string;
      readonly source: string;
      readonly kind: string;
      readonly object: string;
    }[];
    readonly waiting_for: readonly { readonly source: string; readonly what: string; readonly count: number }[];
  } | null;
}

export interface SubscriptionAnswer {
  readonly id: string;
  readonly status: string;
  readonly expires_at: string;
  readonly next_charge_at: string | null;
  readonly open_order: number | null;
  readonly last_order: number;
}

export interface EndpointAnswer {
  readonly id: string;
  readonly secrets: { readonly seed: string; readonly standard: string };
}

export class Shop {
  readonly gateway: string;
  readonly key: string;

  constructor(gateway: string, key: string) {
    this.gateway = gateway;
    this.key = key;
  }

  async call<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await request(`${this.gateway}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.body.text();
    const parsed: T = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined;
    return { status: response.statusCode, headers: response.headers, text, body: parsed };
  }

  async must<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const answer = await this.call<T>(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  async createProduct(name: string, more: Record<string, unknown> = {}): Promise<ProductAnswer> {
    return this.must('POST', '/v1/products', {
      name,
      prices: [
        { amount: 10_000, currency: 'EUR' },
        { amount: 11_000, currency: 'USD' },
      ],
      delivery: { method: 'pool', one_code_per: 'unit' },
      ...more,
    });
  }

  async addCodes(productId: string, count: number): Promise<readonly string[]> {
    const codes = Array.from({ length: count }, () => `CODE-${randomUUID().toUpperCase()}`);
    await this.must('POST', `/v1/products/${productId}/licence_codes`, { codes });
    return codes;
  }

  async addEndpoint(url: string, more: Record<string, unknown> = {}): Promise<EndpointAnswer> {
    return this.must('POST', '/v1/webhook_endpoints', { url, ...more });
  }

  /** Moves the merchant's clock and waits until everything that was due has happened. */
  async advance(how: { by: string } | { to: string }): Promise<ClockAnswer> {
    let { body: clock, status, text } = await this.call<ClockAnswer>('POST', '/v1/test_clock/advance', how);
    if (status >= 300) throw new Error(`the clock was not advanced: ${text}`);
    while (clock.status === 'advancing' && status === 202) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      ({ body: clock, status, text } = await this.call<ClockAnswer>('GET', '/v1/test_clock'));
      if (clock.status !== 'advancing') break;
      status = 202;
    }
    return clock;
  }

  async subscription(id: string): Promise<SubscriptionAnswer> {
    return this.must('GET', `/v1/subscriptions/${id}`);
  }

  async order(id: number | string): Promise<OrderAnswer> {
    return this.must('GET', `/v1/orders/${id}`);
  }
}
