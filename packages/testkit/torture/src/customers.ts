/** Customers on the pages, without a browser: each requests what the next page needs, insists or leaves, and remembers what it was told. */
import { Agent } from 'undici';
import { Trouble, troubleOf, type History } from './history.ts';
import type { Merchant } from './shop.ts';

export type Habit =
  | 'pays'
  | 'declined, then pays'
  | 'declined, then leaves'
  | 'leaves'
  | 'hears nothing'
  | 'withdrawn'
  | 'renews'
  | 'cancels';

export interface Customer {
  readonly number: number;
  readonly email: string;
  readonly habit: Habit;
  readonly units: number;
  /** Goes on after trouble; the others leave at the first. */
  readonly insists: boolean;
  orderId: number | undefined;
  /** Of the order's pages. */
  path: string | undefined;
  /** The card was given to the provider and the provider led back to the shop. */
  hasPaid: boolean;
  /** Came to the end of what they wanted. */
  isThrough: boolean;
}

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

const cards = { pays: '4242+4242+4242+4242', declined: '4000+0000+0000+0002', silent: '4000+0000+0000+7775' };
const requestMs = 25_000;
// Under fire whoever insists does so for as long as it takes; in peace this long.
const patienceMs = 120_000;

const habits: readonly (readonly [Habit, number])[] = [
  ['pays', 0.6],
  ['declined, then pays', 0.08],
  ['declined, then leaves', 0.04],
  ['leaves', 0.05],
  ['hears nothing', 0.04],
  ['withdrawn', 0.05],
  ['renews', 0.1],
  ['cancels', 0.04],
];

export class Customers {
  readonly all: Customer[] = [];
  /** How many are on their way. */
  busy = 0;
  #patientUntil = Infinity;
  readonly #agent = new Agent({ connections: 256, headersTimeout: requestMs, bodyTimeout: requestMs });
  readonly #history: History;
  readonly #random: () => number;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(history: History, random: () => number, wait: (ms: number) => Promise<void>) {
    this.#history = history;
    this.#random = random;
    this.#wait = wait;
  }

  /** One customer from link to thanks; never throws. */
  async visit(
    shop: { readonly links: readonly string[]; readonly renewing: string; readonly merchant: Merchant },
    habit = this.#pick(),
  ): Promise<void> {
    const number = this.all.length + 1;
    const isSubscription = habit === 'renews' || habit === 'cancels';
    const customer: Customer = {
      number,
      email: `c${number}@torture.example`,
      habit,
      units: isSubscription || this.#random() < 0.7 ? 1 : 3,
      insists: this.#random() < 0.8,
      orderId: undefined,
      path: undefined,
      hasPaid: false,
      isThrough: false,
    };
    this.all.push(customer);
    const link = isSubscription ? shop.renewing : (shop.links[number % shop.links.length] ?? '');
    this.busy += 1;
    try {
      await this.#live(customer, link, shop.merchant);
      customer.isThrough = true;
    } catch (error) {
      this.#history.note('visit', 'info', { customer: number, why: String(error).slice(0, 200) });
    } finally {
      this.busy -= 1;
    }
  }

  #pick(): Habit {
    let left = this.#random();
    for (const [habit, share] of habits) {
      left -= share;
      if (left < 0) return habit;
    }
    return 'pays';
  }

  async #live(customer: Customer, link: string, merchant: Merchant): Promise<void> {
    const form = await this.#try(customer, 'open', () => this.#openCheckout(link, customer));
    const pay = await this.#try(customer, 'place', () => this.#place(form));
    const [, orderId = '', token = ''] = /\/(?:pay|thanks)\/(\d+)\/([0-9a-f]{32})/.exec(pay) ?? [];
    if (orderId === '') throw new Error(`the order led to ${pay}`);
    customer.orderId = Number(orderId);
    customer.path = new URL(pay).origin + `/pay/${orderId}/${token}`;
    const { path } = customer;
    switch (customer.habit) {
      case 'leaves':
        return;
      case 'withdrawn':
        await this.#try(customer, 'begin', () => this.#begin(path));
        await this.#withdraw(customer, merchant);
        // Whoever lost the page may pay all the same.
        if (this.#random() < 0.5) await this.#pay(customer, path, cards.pays);
        return;
      case 'declined, then leaves':
        await this.#pay(customer, path, cards.declined, false);
        return;
      case 'declined, then pays':
        await this.#pay(customer, path, cards.declined, false);
        await this.#pay(customer, path, cards.pays);
        return;
      case 'hears nothing':
        await this.#pay(customer, path, cards.silent, false);
        return;
      case 'cancels':
        await this.#pay(customer, path, cards.pays);
        await this.#changeMind(customer, merchant);
        return;
      default:
        await this.#pay(customer, path, cards.pays);
    }
  }

  async #openCheckout(link: string, customer: Customer): Promise<{ readonly cart: string; readonly body: string }> {
    const cart = (await this.#send('GET', `${link}&quantity=${customer.units}`, undefined, 303)).location;
    const page = await this.#send('GET', cart, undefined, 200);
    const seen = (name: string) => new RegExp(`name="${name}" value="(\\d+)"`).exec(page.text)?.[1] ?? '';
    const body = new URLSearchParams({
      action: 'place',
      cart_version: seen('cart_version'),
      total_minor: seen('total_minor'),
      locale: 'en',
      email: customer.email,
      first_name: 'Marcel',
      last_name: 'Laporte',
      country: 'FR',
      payment_method: 'CreditCard',
      terms_accepted: 'yes',
      privacy_accepted: 'yes',
      ...(customer.habit === 'renews' || customer.habit === 'cancels' ? { auto_renew: '1' } : {}),
    });
    return { cart, body: body.toString() };
  }

  /** Pressed again on the same page: whether the first press came through is not known. */
  async #place(form: { readonly cart: string; readonly body: string }): Promise<string> {
    return (await this.#send('POST', form.cart, form.body, 303)).location;
  }

  /** Where the provider's page is, or the page of thanks when it is paid already. */
  async #begin(path: string): Promise<string> {
    const page = await this.#send('GET', path, undefined);
    if (page.location.includes('/thanks/')) return page.location;
    if (page.status !== 200) throw new Trouble('info', `the payment page answered ${page.status}`);
    const begun = await this.#send('POST', path, 'payment_method=CreditCard', 303);
    let at = begun.location;
    for (let tries = 0; at.endsWith('/go'); tries += 1) {
      if (tries > 100) throw new Trouble('info', 'the provider page did not open');
      const answer = await this.#send('GET', at, undefined);
      if (answer.location !== '') at = answer.location;
      else await this.#wait(200);
    }
    return at;
  }

  async #pay(customer: Customer, path: string, card: string, isPaid = true): Promise<void> {
    await this.#try(customer, 'pay', async () => {
      const at = await this.#begin(path);
      let back = at;
      if (!at.includes('/thanks/')) {
        // The shop led back to its own page: nobody enters a card there.
        if (new URL(at).origin === new URL(path).origin) throw new Trouble('fail', 'the shop led back to the shop');
        const page = await this.#send('GET', at, undefined);
        // Paid, called back or expired meanwhile: the provider leads back, and the shop asks and knows what is next.
        if (page.status === 303) await this.#send('GET', page.location, undefined);
        if (page.status !== 200) throw new Trouble('fail', `the provider's page answered ${page.status}`);
        back = (await this.#send('POST', at, `number=${card}&expiry=12%2F34&cvc=123&action=pay`, 303)).location;
      }
      if (!isPaid) return;
      customer.hasPaid = true;
      await this.#send('GET', back, undefined);
    });
  }

  /** The merchant calls the payment back, if that is still possible. */
  async #withdraw(customer: Customer, merchant: Merchant): Promise<void> {
    const list = await merchant
      .ask<{ data: readonly { id: string; status: string }[] }>('GET', `/v1/payments?order=${customer.orderId}`)
      .catch(() => undefined);
    const open = list?.body.data?.find((payment) => payment.status === 'created' || payment.status === 'seen');
    if (open !== undefined) await merchant.ask('POST', `/v1/payments/${open.id}/withdraw`).catch(() => undefined);
  }

  /** Cancels by the merchant's hand, and every second one restores. */
  async #changeMind(customer: Customer, merchant: Merchant): Promise<void> {
    for (let tries = 0; tries < 60; tries += 1) {
      const list = await merchant
        .ask<{ data: readonly { id: string }[] }>('GET', `/v1/subscriptions?order=${customer.orderId}`)
        .catch(() => undefined);
      const found = list?.body.data?.[0];
      if (found === undefined) {
        await this.#wait(1_000);
        continue;
      }
      await merchant.ask('POST', `/v1/subscriptions/${found.id}/cancel`).catch(() => undefined);
      if (customer.number % 2 === 0)
        await merchant.ask('POST', `/v1/subscriptions/${found.id}/restore`).catch(() => undefined);
      return;
    }
  }

  /** The faults are over: nobody has a reason to wait long any more. */
  peace(): void {
    this.#patientUntil = Date.now() + patienceMs;
  }

  /** Those who left look at their order once more; a payment whose news was lost is asked about by that. */
  async comeBack(): Promise<void> {
    const paths = this.all.flatMap(({ path }) => path ?? []);
    const come = async (): Promise<void> => {
      for (let path = paths.pop(); path !== undefined; path = paths.pop())
        await this.#send('GET', path.replace('/pay/', '/thanks/'), undefined).catch(() => undefined);
    };
    await Promise.all(Array.from({ length: 16 }, come));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #try<T>(customer: Customer, what: string, step: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await step();
        this.#history.note(what, 'ok', { customer: customer.number, order: customer.orderId });
        return result;
      } catch (error) {
        const trouble = troubleOf(error);
        this.#history.note(what, trouble.outcome, {
          customer: customer.number,
          order: customer.orderId,
          why: trouble.message.slice(0, 160),
        });
        if (!customer.insists || Date.now() > this.#patientUntil) throw trouble;
        await this.#wait(300 + this.#random() * 700);
      }
    }
  }

  async #send(method: 'GET' | 'POST', url: string, body: string | undefined, wanted?: number): Promise<Answer> {
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
    if (answer.statusCode >= 500 || (wanted !== undefined && answer.statusCode !== wanted))
      throw new Trouble('info', `${method} ${pathname.split('/').slice(0, 2).join('/')} answered ${answer.statusCode}`);
    const { location } = answer.headers;
    const to = typeof location === 'string' ? new URL(location, url).href : '';
    return { status: answer.statusCode, location: to, text };
  }
}
