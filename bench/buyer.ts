/** A customer as cheap as can be: the eight requests of a purchase, and of the pages only what the next one needs. */
import { Agent } from 'undici';

export interface Purchase {
  readonly orderId: number;
  readonly email: string;
  /** When the card was sent to the provider, in ms since 1970. */
  readonly paidAt: number;
  /** From the link to the page of thanks. */
  readonly tookMs: number;
  /** Of each of its requests. */
  readonly requestMs: readonly number[];
}

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

const card = 'number=4242+4242+4242+4242&expiry=12%2F34&cvc=123&action=pay';

export class Buyers {
  // As many connections as customers who buy at once; a browser would open some for itself.
  readonly #agent = new Agent({ connections: 128, pipelining: 1, headersTimeout: 30_000, bodyTimeout: 30_000 });

  /** `choices` are fields of the form besides those that every customer fills in. */
  async buy(link: string, email: string, choices: Record<string, string> = {}): Promise<Purchase> {
    const startedAt = performance.now();
    const requestMs: number[] = [];
    const send = async (...request: Parameters<Buyers['send']>) => {
      const askedAt = performance.now();
      const answer = await this.send(...request);
      requestMs.push(performance.now() - askedAt);
      return answer;
    };
    const cart = (await send('GET', link, undefined, 303)).location;
    const page = await send('GET', cart, undefined, 200);
    const seen = (name: string) => new RegExp(`name="${name}" value="(\\d+)"`).exec(page.text)?.[1] ?? '';
    const form = new URLSearchParams({
      action: 'place',
      cart_version: seen('cart_version'),
      total_minor: seen('total_minor'),
      locale: 'en',
      email,
      first_name: 'Marcel',
      last_name: 'Laporte',
      country: 'FR',
      payment_method: 'CreditCard',
      terms_accepted: 'yes',
      privacy_accepted: 'yes',
      ...choices,
    });
    const pay = (await send('POST', cart, form.toString(), 303)).location;
    await send('GET', pay, undefined, 200);
    const provider = await this.#toProvider(send, pay);
    await send('GET', provider, undefined, 200);
    const paidAt = Date.now();
    const back = (await send('POST', provider, card, 303)).location;
    await send('GET', back, undefined, 200);
    const orderId = Number(/\/pay\/(\d+)\//.exec(pay)?.[1]);
    return { orderId, email, paidAt, tookMs: performance.now() - startedAt, requestMs };
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  /** The provider may not have answered yet; then the page asks again, as its refresh does. */
  async #toProvider(send: Buyers['send'], pay: string): Promise<string> {
    const begun = await send('POST', pay, 'payment_method=CreditCard', 303);
    let at = begun.location;
    for (let tries = 0; at.endsWith('/go') && tries < 100; tries += 1) {
      const answer = await send('GET', at, undefined);
      if (answer.location !== '') at = answer.location;
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return at;
  }

  async send(method: 'GET' | 'POST', url: string, body: string | undefined, wanted?: number): Promise<Answer> {
    const { origin, pathname, search } = new URL(url);
    const answer = await this.#agent.request({
      origin,
      path: `${pathname}${search}`,
      method,
      headers: {
        'accept-language': 'en',
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', origin }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.body.text();
    if (wanted !== undefined && answer.statusCode !== wanted)
      throw new Error(`${method} ${pathname} answered ${answer.statusCode} instead of ${wanted}`);
    const { location } = answer.headers;
    const to = typeof location === 'string' ? new URL(location, url).href : '';
    return { status: answer.statusCode, location: to, text };
  }
}
