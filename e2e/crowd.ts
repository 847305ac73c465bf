/** Customers who buy while something breaks. Some insist until they are through; some leave at the first trouble. */
import { cards, customer, payByCard } from './purchase.ts';
import { button, consents, filled, Visitor, type Page } from './visitor.ts';

export interface Purchase {
  readonly email: string;
  readonly insists: boolean;
  orderId?: number;
  token?: string;
  /** They saw the thank-you page. */
  isThrough: boolean;
}

const emailDomain = 'bad-days.example';
const patienceMs = 60_000;

export class Crowd {
  readonly purchases: Purchase[] = [];
  /** Why steps failed, for whoever reads a failed test. */
  readonly troubles: string[] = [];
  readonly #link: string;
  readonly #name: string;
  #going = true;
  #lanes: readonly Promise<void>[] = [];

  constructor(name: string, link: string) {
    this.#name = name;
    this.#link = link;
  }

  /** Every second lane is of those who leave. */
  start(lanes = 4): this {
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.#buyOn(lane % 2 === 0));
    return this;
  }

  /** Nobody new comes; who insists finishes. */
  async end(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#lanes);
  }

  /** Who has an order. */
  get placed(): readonly (Purchase & { orderId: number })[] {
    return this.purchases.flatMap((each) => (each.orderId === undefined ? [] : [{ ...each, orderId: each.orderId }]));
  }

  get through(): number {
    return this.purchases.filter((each) => each.isThrough).length;
  }

  has(email: string): boolean {
    return email.startsWith(`${this.#name}-`) && email.endsWith(`@${emailDomain}`);
  }

  async #buyOn(insists: boolean): Promise<void> {
    while (this.#going) {
      const purchase: Purchase = {
        email: `${this.#name}-${this.purchases.length}@${emailDomain}`,
        insists,
        isThrough: false,
      };
      this.purchases.push(purchase);
      await this.#buy(purchase).catch((error: unknown) =>
        this.troubles.push(`${purchase.email} gave up: ${String(error)}`),
      );
      // Below the checkout's limit of forms per address, whatever the machine.
      await pause(150);
    }
  }

  async #buy(purchase: Purchase): Promise<void> {
    // A link that is opened twice puts two into the same visitor's cart.
    const { visitor, checkout } = await this.#try(purchase, async () => {
      const visitor = new Visitor();
      return { visitor, checkout: expectStatus(await visitor.open(this.#link)) };
    });
    const entries = { ...filled(checkout, { ...customer, email: purchase.email }), ...consents(checkout) };
    const orderButton = button(checkout, /obligation to pay/i);
    // Pressed again on the same page: whether the first press came through is not known.
    const order = await this.#try(purchase, async () => {
      const page = await visitor.press(checkout, orderButton, entries);
      const place = /\/(?:pay|thanks)\/(\d+)\/([0-9a-f]{32})/.exec(page.url);
      if (place === null) throw new Error(`after the order on ${page.url} with ${page.status}`);
      return { orderId: Number(place[1]), token: place[2] ?? '' };
    });
    purchase.orderId = order.orderId;
    purchase.token = order.token;
    await this.#try(purchase, async () => {
      const pay = await visitor.open(new URL(`/pay/${order.orderId}/${order.token}`, checkout.url).href);
      const after = pay.url.includes('/thanks/') ? pay : await payByCard(visitor, pay, cards.pays);
      if (!after.url.includes('/thanks/')) throw new Error(`after the payment on ${after.url} with ${after.status}`);
      expectStatus(after);
    });
    purchase.isThrough = true;
  }

  async #try<T>(purchase: Purchase, step: () => Promise<T>): Promise<T> {
    const endAt = Date.now() + patienceMs;
    for (;;) {
      try {
        return await step();
      } catch (error) {
        this.troubles.push(`${purchase.email}: ${String(error).slice(0, 200)}`);
        await pause(300);
        if (!purchase.insists || Date.now() > endAt) throw error;
      }
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function expectStatus(page: Page): Page {
  if (page.status !== 200) throw new Error(`${page.url} answered ${page.status}`);
  return page;
}
