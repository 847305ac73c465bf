/**
 * The subscription service on a real database and carrier, beside stand-ins for the order and the merchant service. The
 * stand-in for orders makes the child of a renewal when it hears of one, and pays it when a test says so.
 */
import { messageOf } from '@tillstream/testkit/wire';
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { firstTerm, nextTerm } from '@tillstream/calendar/term';
import type { Database } from '@tillstream/database/database';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import type { Carrier } from '@tillstream/messaging/message';
import { carrierHome } from '@tillstream/messaging/migrations';
import { toMessage } from '@tillstream/messaging/outgoing';
import { orderEvents, paymentEvents, subscriptionEvents } from '@tillstream/messaging/topics';
import { MerchantApiService, Product } from '@tillstream/proto/merchant/v1/merchant_api';
import { ItemSubscription, Order, OrderApiService, OrderItem } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { SubscriptionEvent, type RenewalDue } from '@tillstream/proto/subscription/v1/subscription_events';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import type { Client } from '@tillstream/rpc/client';
import { Refused } from '@tillstream/rpc/refusals';
import { implement, type Handlers } from '@tillstream/rpc/server';
import { standIn, startApp } from '@tillstream/testkit/app';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog, type RecordedLog } from '@tillstream/testkit/log';
import { home, subscriptionApp, type SubscriptionTables } from '../src/app.ts';

const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;

/** What the customer bought; each part has a value that most tests do not mind. */
export interface Bought {
  readonly merchantId: string;
  readonly paidAt: Date;
  readonly type?: 'AR' | 'AR_TRIAL' | 'PMR';
  readonly period?: string;
  readonly trialPeriod?: string;
  readonly renewalPrice?: 'snapshot' | 'current';
  readonly productId?: string;
  readonly quantity?: number;
  readonly items?: number;
}

type Said = NonNullable<SubscriptionEvent['payload']>;
export type Case = Said['$case'];
type Values = { [P in Said as P['$case']]: P['value'] };

let numbers = 1_000n;
const nextNumber = (): bigint => (numbers += 1n);

export class World {
  readonly orders = new Map<bigint, Order>();
  readonly products: Product[] = [];
  /** How many questions the merchant service was asked. */
  priceQuestions = 0;
  isMerchantAway = false;
  readonly said: SubscriptionEvent[] = [];
  /** Whether children are made by themselves. */
  makesChildren = true;
  readonly log: RecordedLog = quietLog();
  place!: TestDatabase;
  database!: Database<SubscriptionTables>;
  carrier!: Carrier;
  clocks!: MerchantClocks;
  api!: Client<typeof SubscriptionApiService>;
  timeline!: Client<typeof TimelineApiService>;
  #settings = 0n;
  readonly #stops: (() => Promise<unknown>)[] = [];

  async start(): Promise<this> {
    this.place = await testDatabase(home, carrierHome);
    this.database = this.place.open<SubscriptionTables>();
    this.clocks = new MerchantClocks(this.database);
    this.carrier = embeddedCarrier({ url: this.place.urlOf(carrierHome), log: this.log });
    const neighbours = await standIn(
      implement(OrderApiService, this.#orderApi()),
      implement(MerchantApiService, this.#merchantApi()),
    );
    const clients = { order: neighbours.client(OrderApiService), merchant: neighbours.client(MerchantApiService) };
    const { database, clocks: clock, log, carrier } = this;
    const app = await startApp(subscriptionApp({ database, clients, clock, log, config: {} }), { carrier, clock, log });
    this.api = app.client(SubscriptionApiService);
    this.timeline = app.client(TimelineApiService);
    const listening = await carrier.subscribe({
      group: 'test',
      topics: [subscriptionEvents.name],
      handle: async (batch) => {
        for (const message of batch) {
          const event = SubscriptionEvent.decode(message.value);
          this.said.push(event);
          if (event.payload?.$case === 'renewalDue' && this.makesChildren)
            await this.makeChild(event, event.payload.value);
        }
      },
    });
    this.#stops.push(
      () => listening.stop(),
      () => app.stop(),
      () => neighbours.stop(),
      () => carrier.close(),
      () => this.place.drop(),
    );
    return this;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }

  /** A merchant whose clock stands at that time. */
  async merchant(at: Date): Promise<string> {
    const merchantId = randomUUID();
    await this.turn(merchantId, at);
    return merchantId;
  }

  turn(merchantId: string, at: Date): Promise<void> {
    this.#settings += 1n;
    return this.clocks.set({ merchantId, sequence: this.#settings, at, isStanding: true });
  }

  /** A paid parent order. Answers its subscriptions' ids, which may not have started yet. */
  async buy(bought: Bought, messageId?: string): Promise<{ order: Order; ids: readonly string[] }> {
    const { type = 'AR', period = 'P1M', trialPeriod = '', renewalPrice = 'snapshot', paidAt } = bought;
    const orderId = nextNumber();
    const term = firstTerm({ period, timeZone: 'UTC' }, paidAt, trialPeriod === '' ? undefined : trialPeriod);
    const items = Array.from({ length: bought.items ?? 1 }, () => {
      const id = nextNumber();
      return messageOf(OrderItem, {
        id,
        productId: bought.productId ?? '100001',
        name: 'Editor',
        quantity: bought.quantity ?? 1,
        subscriptionTerms: {
          type,
          period,
          trialPeriod,
          renewalPriceMinor: 500n,
          renewalPrice,
          renewalAmountMinor: 500n * BigInt(bought.quantity ?? 1),
        },
        subscription: messageOf(ItemSubscription, {
          ...term,
          id: `${orderId}_${id}`,
          parentOrderId: orderId,
          parentItemId: id,
          type,
          status: 'active',
          period,
          term: 1,
          instrumentId: type === 'PMR' ? '' : 'card-1',
        }),
      });
    });
    const { merchantId } = bought;
    const order = messageOf(Order, {
      orderId,
      merchantId,
      status: 'paid',
      currency: 'EUR',
      timeZone: 'UTC',
      paidAt,
      items,
    });
    this.orders.set(orderId, order);
    await this.sayPaid(order, messageId);
    return { order, ids: items.map((item) => `${orderId}_${item.id}`) };
  }

  /** Bought, and known to the service. */
  async subscribe(bought: Bought): Promise<string> {
    const { ids } = await this.buy(bought);
    const [id = ''] = ids;
    await this.heard(id, 'subscriptionStarted');
    return id;
  }

  sayPaid(order: Order, messageId?: string): Promise<void> {
    const value = { paymentId: '', amountMinor: 1n, currency: 'EUR', renewal: undefined, startsSubscriptions: true };
    return this.publish(
      { orderId: order.orderId, payload: { $case: 'orderPaid', value } },
      order.merchantId,
      messageId,
    );
  }

  /** As the order service does it: one child per subscription and term. */
  async makeChild(event: SubscriptionEvent, due: RenewalDue): Promise<bigint> {
    const known = this.childOf(event.subscriptionId, due.term);
    if (known !== undefined) return known.orderId;
    const [orderId, itemId] = [nextNumber(), nextNumber()];
    const merchantId = event.header?.merchantId ?? '';
    const quantity = this.orders.get(event.parentOrderId)?.items[0]?.quantity ?? 1;
    const amountMinor = due.priceMinor * BigInt(quantity);
    const subscription = messageOf(ItemSubscription, {
      id: event.subscriptionId,
      period: due.period,
      anchorOn: due.anchorOn,
      periods: due.periods - 1,
      term: due.term,
      instrumentId: due.instrumentId,
      isConversionFromTrial: due.isConversionFromTrial,
    });
    const items = [messageOf(OrderItem, { id: itemId, quantity, amountMinor, subscription })];
    const order = messageOf(Order, { orderId, merchantId, currency: 'EUR', timeZone: 'UTC', items });
    this.orders.set(orderId, { ...order, renewsSubscriptionId: event.subscriptionId });
    await this.#sayOfChild(orderId, (renewal) => ({ $case: 'orderCreated', value: { itemCount: 1, renewal } }));
    return orderId;
  }

  childOf(subscriptionId: string, term: number): Order | undefined {
    return [...this.orders.values()].find(
      (order) => order.renewsSubscriptionId === subscriptionId && order.items[0]?.subscription?.term === term,
    );
  }

  /** The child is paid at the merchant's time, with the saved card or another that was kept then. */
  async pay(orderId: bigint, instrumentId?: string): Promise<void> {
    const { order, shown } = this.#child(orderId);
    const paidAt = this.clocks.now(order.merchantId);
    const term = nextTerm({ period: shown.period, timeZone: 'UTC' }, shown, paidAt);
    const subscription = { ...shown, ...term, instrumentId: instrumentId ?? shown.instrumentId };
    const items = order.items.map((item) => ({ ...item, subscription }));
    this.orders.set(orderId, { ...order, status: 'paid', paidAt, items });
    await this.#sayOfChild(orderId, (renewal) => ({
      $case: 'orderPaid',
      value: { paymentId: '', amountMinor: 1n, currency: 'EUR', renewal, startsSubscriptions: false },
    }));
  }

  fail(orderId: bigint): Promise<void> {
    return this.#sayOfChild(orderId, (renewal) => ({
      $case: 'orderPaymentFailed',
      value: { paymentId: '', reason: 'card_declined', renewal },
    }));
  }

  delete(orderId: bigint): Promise<void> {
    return this.#sayOfChild(orderId, (renewal) => ({
      $case: 'orderDeleted',
      value: { reason: 'unpaid_too_long', renewal },
    }));
  }

  /** A payment of the order ended without an outcome. */
  async leave(orderId: bigint): Promise<void> {
    const { merchantId } = this.#child(orderId).order;
    const [header, about] = this.#header(merchantId, randomUUIDv7());
    const payload = { $case: 'paymentExpired', value: {} } as const;
    const value = PaymentEvent.encode({ header, paymentId: randomUUID(), orderId, payload }).finish();
    await this.carrier.publish([toMessage(paymentEvents, 'payment', String(orderId), about, value)]);
  }

  async publish(
    event: Omit<OrderEvent, 'header'>,
    merchantId: string,
    messageId: string = randomUUIDv7(),
  ): Promise<void> {
    const [header, about] = this.#header(merchantId, messageId);
    const value = OrderEvent.encode({ header, ...event }).finish();
    await this.carrier.publish([toMessage(orderEvents, 'order', String(event.orderId), about, value)]);
  }

  /** What was said of a subscription, in order. */
  saidOf(id: string): readonly Said[] {
    return this.said.flatMap(({ subscriptionId, payload }) =>
      subscriptionId === id && payload !== undefined ? [payload] : [],
    );
  }

  /** The n-th of its kind, once it is said. */
  async heard<C extends Case>(id: string, kind: C, count = 1): Promise<Values[C]> {
    return eventually(() => this.#valuesOf(id, kind)[count - 1]);
  }

  #valuesOf<C extends Case>(id: string, kind: C): readonly Values[C][] {
    return this.saidOf(id).flatMap((each) => {
      const values: Partial<Values> = { [each.$case]: each.value };
      const value = values[kind];
      return value === undefined ? [] : [value];
    });
  }

  cases(id: string): readonly Case[] {
    return this.saidOf(id).map((each) => each.$case);
  }

  /** Turns the clock and waits for the charge: its order. */
  async charged(merchantId: string, id: string, at: Date, count = 1): Promise<bigint> {
    await this.turn(merchantId, at);
    return (await this.heard(id, 'chargeDue', count)).orderId;
  }

  /** Nothing is due or under way: what has not happened by now does not happen. */
  async quiet(merchantId: string): Promise<void> {
    await eventually(async () => {
      const { rows } = await this.place.admin.query(
        `select from subscription.timer where merchant_id = $1 and due_at <= $2
         union all select from subscription.outbox where sent_at is null`,
        [merchantId, this.clocks.now(merchantId)],
      );
      return (
        rows.length === 0 && (await this.carrier.lag('subscription', [orderEvents.name, paymentEvents.name])) === 0n
      );
    });
    await eventually(async () => (await this.carrier.lag('test', [subscriptionEvents.name])) === 0n);
  }

  #child(orderId: bigint): { order: Order; shown: ItemSubscription } {
    const order = this.orders.get(orderId);
    const shown = order?.items[0]?.subscription;
    if (order === undefined || shown === undefined) throw new Error(`there is no child ${orderId}`);
    return { order, shown };
  }

  #sayOfChild(orderId: bigint, payloadOf: (renewal: RenewalOf) => OrderEvent['payload']): Promise<void> {
    const { order, shown } = this.#child(orderId);
    const renewal = {
      subscriptionId: shown.id,
      term: shown.term,
      itemId: order.items[0]?.id ?? 0n,
      amountMinor: order.items[0]?.amountMinor ?? 0n,
      currency: 'EUR',
      livemode: false,
      parentOrderId: BigInt(shown.id.split('_')[0] ?? 0),
      isPaidByHand: shown.type === 'PMR',
    };
    return this.publish({ orderId, payload: payloadOf(renewal) }, order.merchantId);
  }

  #header(merchantId: string, messageId: string) {
    const now = this.clocks.now(merchantId);
    const about = { eventId: messageId, now, traceparent, merchantId };
    const header = {
      eventId: messageId,
      merchantId,
      aggregateVersion: 2n,
      occurredAt: now,
      schemaVersion: 1,
      traceparent,
    };
    return [header, about] as const;
  }

  #orderApi(): Handlers<typeof OrderApiService> {
    const absent = () => Promise.reject(new Refused('unavailable'));
    return {
      addToCart: absent,
      getCart: absent,
      changeCart: absent,
      placeOrder: absent,
      beginPayment: absent,
      openOrder: absent,
      getOrder: absent,
      listOrders: absent,
      deleteOrder: absent,
      resendLicences: absent,
      changeSubscription: absent,
      getOrderDocuments: async ({ keys }) => ({
        documents: keys.flatMap((key) => {
          const order = this.orders.get(key.orderId);
          if (order?.merchantId !== key.merchantId) return [];
          return [{ key, order, shopName: '', supportEmail: '', occurredAt: undefined }];
        }),
      }),
    };
  }

  #merchantApi(): Handlers<typeof MerchantApiService> {
    const absent = () => Promise.reject(new Refused('unavailable'));
    return {
      createAccount: absent,
      authenticate: absent,
      getMerchants: absent,
      updateMerchant: absent,
      createApiKey: absent,
      listApiKeys: absent,
      revokeApiKey: absent,
      createProduct: absent,
      updateProduct: absent,
      listProducts: absent,
      findProduct: absent,
      getProducts: async ({ merchantId, productIds }) => {
        this.priceQuestions += 1;
        if (this.isMerchantAway) throw new Refused('unavailable');
        return {
          products: this.products.filter((each) => each.merchantId === merchantId && productIds.includes(each.id)),
        };
      },
    };
  }
}

type RenewalOf = NonNullable<Extract<OrderEvent['payload'], { $case: 'orderCreated' }>['value']['renewal']>;
