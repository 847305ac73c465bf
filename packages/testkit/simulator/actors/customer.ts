/** A customer, who does what the checkout's pages would send, asks again when nothing answers, and remembers what was promised. */
import type { Clients } from '@tillstream/gateway/app';
import { Refused } from '@tillstream/rpc/refusals';
import type { Card } from '../outside/cards.ts';
import type { Shop } from '../shop.ts';
import type { Order, Step } from '../story.ts';
import type { World } from '../world.ts';

export interface Promised {
  readonly orderId: bigint;
  readonly token: string;
}

const email = (number: number) => `customer${number}@canary.example`;
const patienceTries = 8;
const pauseMs = 700;

export class Customer {
  readonly number: number;
  readonly order: Order;
  /** The same address may be of a customer of the other shop. */
  readonly email: string;
  /** What was acknowledged: it must never be lost. */
  promised: Promised | undefined;
  /** Every order number that any answer named. */
  readonly named = new Set<bigint>();
  readonly #clients: Clients;
  readonly #world: World;
  readonly shop: Shop;

  /** `person`: the number of the customer in the books of that shop. */
  constructor(parts: { number: number; person: number; order: Order; clients: Clients; world: World; shop: Shop }) {
    [this.number, this.order, this.email] = [parts.number, parts.order, email(parts.person)];
    [this.#clients, this.#world, this.shop] = [parts.clients, parts.world, parts.shop];
  }

  /** Places the order; undefined when it could not be placed in the customer's patience. */
  async place(): Promise<void> {
    const { order } = this.#clients;
    const added = await this.#insist(() =>
      order.addToCart({
        cartId: '',
        productId: this.shop.products[this.order.good],
        quantity: this.order.quantity,
        currency: 'EUR',
        locale: 'en',
        clear: false,
        externalId: '',
        additionalData: [],
      }),
    );
    const cart = added?.cart;
    if (cart === undefined) return;
    const submit = () =>
      this.#insist(() =>
        order.placeOrder({
          cartId: cart.id,
          cartVersion: cart.version,
          totalMinor: cart.totalMinor,
          paymentMethod: 'CreditCard',
          termsAccepted: true,
          privacyAccepted: true,
          locale: 'en',
          autoRenew: this.order.autoRenew,
          customer: {
            country: 'FR',
            type: 'physical',
            email: this.email,
            firstName: 'Marcel',
            lastName: 'Laporte',
            phone: '',
            vatNumber: '',
            companyName: '',
            companyBillingAddress: '',
            companyDeliveryAddress: '',
          },
        }),
      );
    const answers = await Promise.all(Array.from({ length: this.order.submits }, submit));
    for (const answer of answers) {
      if (answer === undefined) continue;
      this.named.add(answer.orderId);
      this.promised ??= { orderId: answer.orderId, token: answer.token };
    }
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'pay':
        return this.#pay(step.card, 'CreditCard');
      case 'pay twice':
        await Promise.all([this.#pay(step.card, 'CreditCard'), this.#pay(step.other, 'CreditCard')]);
        return;
      case 'by transfer':
        return this.#pay('pays', 'BankTransfer');
      case 'transfer and card': {
        const page = await this.#begin('BankTransfer');
        const arrive = async () => {
          if (page !== undefined && step.arrives) await this.#world.provider.submit(page, 'pays');
        };
        await Promise.all([this.#pay(step.card, 'CreditCard'), arrive()]);
        return;
      }
      case 'look at card page': {
        const page = await this.#begin('CreditCard');
        if (page !== undefined) await this.#world.provider.seen(page);
        return;
      }
      case 'come back':
        return this.#comeBack();
      case 'cancel':
      case 'restore':
        return this.#change(step.do);
      default:
        return;
    }
  }

  /** The order of a renewal, at the link that somebody gave. */
  payRenewal(card: Card, link: Promised): Promise<void> {
    return this.#pay(card, 'CreditCard', link);
  }

  async #pay(card: Card, method: string, whose = this.promised): Promise<void> {
    const { provider } = this.#world;
    const page = await this.#begin(method, whose);
    if (page === undefined) return;
    await provider.seen(page);
    await provider.submit(page, card);
    if (card === 'strong') await provider.confirm(page, true);
    await this.#comeBack(whose);
  }

  /** The provider's page, once there is one. */
  async #begin(paymentMethod: string, promised = this.promised): Promise<string | undefined> {
    if (promised === undefined) return undefined;
    for (let tries = 0; tries < patienceTries; tries += 1) {
      const begun = await this.#insist(() => this.#clients.order.beginPayment({ ...promised, paymentMethod }));
      if (begun === undefined) return undefined;
      if (begun.redirectUrl !== '') return begun.redirectUrl.slice(begun.redirectUrl.lastIndexOf('/') + 1);
      await pause(pauseMs);
    }
    return undefined;
  }

  async #comeBack(promised = this.promised): Promise<void> {
    if (promised === undefined) return;
    await this.#insist(() => this.#clients.order.openOrder({ ...promised, refresh: true, withCodes: true }));
  }

  async #change(action: 'cancel' | 'restore'): Promise<void> {
    const { promised } = this;
    if (promised === undefined) return;
    const opened = await this.#insist(() =>
      this.#clients.order.openOrder({ ...promised, refresh: false, withCodes: false }),
    );
    for (const { id } of opened?.subscriptions ?? [])
      await this.#insist(() => this.#clients.order.changeSubscription({ ...promised, subscriptionId: id, action }));
  }

  /** Asks again while nobody answers; a refusal is an answer. */
  async #insist<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (let tries = 0; tries < patienceTries; tries += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.code !== 'unavailable' && error.code !== 'internal' && error.code !== 'conflict_retry')
          return undefined;
        await pause(pauseMs);
      }
    }
    return undefined;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
