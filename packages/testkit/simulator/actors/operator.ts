/** The merchant's people, and the merchant's clock. */
import type { Clients } from '@tillstream/gateway/app';
import { Refused } from '@tillstream/rpc/refusals';
import { codeOf, type Good, type Shop } from '../shop.ts';
import type { Step } from '../story.ts';
import { pause, type Promised } from './customer.ts';

// An advance is waited for as long as a person would.
const [advanceTries, advancePauseMs] = [60, 1_000];
const [linkTries, linkPauseMs] = [20, 300];

export class Operator {
  readonly #clients: Clients;
  readonly #merchantId: string;
  readonly #shop: Shop;
  /** Which of those who work at the shop. */
  readonly #number: number;
  #added = 0;

  constructor(clients: Clients, shop: Shop, number: number) {
    this.#number = number;
    this.#clients = clients;
    this.#merchantId = shop.merchantId;
    this.#shop = shop;
  }

  async take(step: Step, orderId: bigint | undefined, good?: Good): Promise<void> {
    const { order, payment } = this.#clients;
    const merchantId = this.#merchantId;
    if (step.do === 'advance') return this.#advance(step.by);
    if (step.do === 'add codes' && good !== undefined) return this.#addCodes(good, step.count);
    if (orderId === undefined) return;
    switch (step.do) {
      case 'withdraw payment': {
        const found = await this.#try(() => payment.listPayments({ ...everything, merchantId, orderId }));
        for (const { id } of found?.payments ?? [])
          await this.#try(() => payment.withdrawPayment({ merchantId, paymentId: id }));
        return;
      }
      case 'resend licences':
        await this.#try(() => order.resendLicences({ merchantId, orderId, requestId: '' }));
        return;
      case 'delete order':
        await this.#try(() => order.deleteOrder({ merchantId, orderId }));
        return;
      case 'merchant cancels':
      case 'merchant restores':
        return this.#change(orderId, [step.do === 'merchant cancels' ? 'cancel' : 'restore']);
      case 'cancel against restore':
        return this.#change(orderId, ['cancel', 'restore']);
      default:
        return;
    }
  }

  /** To the order of a renewal, once there is one. */
  async linkToPay(orderId: bigint | undefined): Promise<Promised | undefined> {
    const merchantId = this.#merchantId;
    if (orderId === undefined) return undefined;
    for (let tries = 0; tries < linkTries; tries += 1) {
      const found = await this.#try(() =>
        this.#clients.subscription.listSubscriptions({ ...everything, merchantId, orderId }),
      );
      const child = found?.subscriptions.find(({ openOrderId }) => openOrderId > 0n)?.openOrderId;
      const shown = child === undefined ? undefined : await this.#read(child);
      if (shown !== undefined) return shown;
      await pause(linkPauseMs);
    }
    return undefined;
  }

  async #read(orderId: bigint): Promise<Promised | undefined> {
    const found = await this.#try(() => this.#clients.order.getOrder({ merchantId: this.#merchantId, orderId }));
    const token = found?.order?.detailUrl.split('/').at(-1);
    return token === undefined ? undefined : { orderId, token };
  }

  async #change(orderId: bigint, actions: readonly ('cancel' | 'restore')[]): Promise<void> {
    const { subscription } = this.#clients;
    const merchantId = this.#merchantId;
    const found = await this.#try(() => subscription.listSubscriptions({ ...everything, merchantId, orderId }));
    for (const { id } of found?.subscriptions ?? []) {
      const change = { merchantId, subscriptionId: id, by: 'merchant', suppressCustomerNotification: false };
      await Promise.all(
        actions.map((action) =>
          this.#try(() =>
            action === 'cancel' ? subscription.cancelSubscription(change) : subscription.restoreSubscription(change),
          ),
        ),
      );
    }
  }

  async #addCodes(good: Good, count: number): Promise<void> {
    // Numbers that no code of the shop's first day has, nor of another upload.
    const codes = Array.from({ length: count }, () =>
      codeOf(this.#shop.name, good, 1_000 * (this.#number + 1) + (this.#added += 1)),
    );
    const productId = this.#shop.products[good];
    await this.#try(() =>
      this.#clients.fulfillment.addLicenceCodes({
        merchantId: this.#merchantId,
        productId,
        codes,
        lowWaterMark: 2,
        requestId: '',
      }),
    );
  }

  async #advance(by: string): Promise<void> {
    const { testClock } = this.#clients;
    const merchantId = this.#merchantId;
    const begun = await this.#try(() => testClock.beginAdvance({ merchantId, to: undefined, by, requestId: '' }));
    if (begun === undefined) return;
    for (let tries = 0; tries < advanceTries; tries += 1) {
      const asked = await this.#try(() => testClock.getTestClock({ merchantId }));
      const status = asked?.clock?.advance?.status;
      if (status === 'done' || status === 'abandoned') return;
      await pause(advancePauseMs);
    }
  }

  /** Once: whoever works at a shop sees that it failed, and some come back to it later. */
  async #try<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  }
}

const everything = { limit: 20, startingAfter: '', endingBefore: '', status: '' };
