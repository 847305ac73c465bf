/** A renewal that is due while the customer cancels and thinks better of it, with the news of its order coming in twice. */
import { messageOf } from '@tillstream/testkit/wire';
import { randomUUIDv7 } from 'node:crypto';
import { firstTerm } from '@tillstream/calendar/term';
import { orderEvents } from '@tillstream/messaging/topics';
import {
  ItemSubscription,
  Order,
  OrderItem,
  type GetOrderDocumentsRequest,
} from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { home as subscriptionHome, subscriptionApp, type SubscriptionTables } from '@tillstream/subscription/app';
import { newsOf, saidIn } from './news.ts';
import { complaints, type Contender, type Race } from './race.ts';
import { alternate, merchantId, openStage, type Instance, type Stage } from './stage.ts';

const dayMs = 86_400_000;

export const cancelAgainstRenewal: Race = {
  name: 'cancel-against-renewal',
  holds:
    'A term is asked for once and each of its charges is asked for once; of a subscription that is cancelled no charge is asked for.',
  async open(contenders) {
    const stage = await openStage(subscriptionHome);
    const orders = new Map<bigint, Order>();
    const order = {
      getOrderDocuments: async ({ keys }: GetOrderDocumentsRequest) => ({
        documents: keys.flatMap((key) => {
          const found = orders.get(key.orderId);
          return found === undefined
            ? []
            : [{ key, order: found, shopName: '', supportEmail: '', occurredAt: undefined }];
        }),
      }),
    };
    const merchant = { getProducts: async () => ({ products: [] }) };
    const services = await stage.two<SubscriptionTables>(subscriptionHome, (own) =>
      subscriptionApp({ ...own, clients: { order, merchant }, config: {} }),
    );
    return {
      async round(nth, random) {
        orders.clear();
        const bought = buy(BigInt(nth * 10 + 1), whenBought());
        orders.set(bought.orderId, bought);
        const id = `${bought.orderId}_${bought.orderId}`;
        await services[0].hear(paid(bought.orderId));
        const timerId = randomUUIDv7();
        const child = { orderId: bought.orderId + 1n, messageId: randomUUIDv7() };
        // Either the charge is met, or the order that it asked for.
        if (random.below(2) === 0) await charge(services[0], id, randomUUIDv7());
        const does = [
          (service: Instance) => service.client(SubscriptionApiService).cancelSubscription(asked(id)),
          (service: Instance, at: number) => charge(service, id, at % 3 === 0 ? timerId : randomUUIDv7()),
          (service: Instance, at: number) => makeChild(stage, service, id, child, at),
          (service: Instance) => service.client(SubscriptionApiService).restoreSubscription(asked(id)),
        ];
        const meeting = Array.from({ length: contenders }, (_, at): Contender => {
          // Few end it and fewer undo that: most rounds should get as far as a charge.
          const act = does[at < 2 ? 0 : at === 2 ? 3 : 1 + random.below(2)];
          return async () => act?.(alternate(services, at + nth), at);
        });
        return {
          contenders: meeting,
          async check() {
            const story = await stage.rows<Told>(storySql, [id]);
            const versions = story.map(({ version }) => Number(version));
            let isCancelled = false;
            let late = 0;
            for (const { type } of story) {
              if (type === 'subscriptionCancelled') isCancelled = true;
              if (type === 'subscriptionRestored') isCancelled = false;
              if (isCancelled && (type === 'renewalDue' || type === 'chargeDue')) late += 1;
            }
            const times = (type: string) => story.filter((each) => each.type === type).length;
            const said = await saidIn(stage, 'subscription', bought.orderId);
            const wrong = complaints(
              [versions.every((version, at) => version === at + 1), `its versions are ${versions.join()}`],
              [times('renewalDue') <= 1, `the term was asked for ${times('renewalDue')} times`],
              [times('childOpened') <= 1, 'the term has two orders'],
              [times('chargeDue') <= 1 + times('subscriptionRestored'), `it was charged ${times('chargeDue')} times`],
              [
                new Set(story.flatMap(({ slot }) => slot ?? [])).size === times('chargeDue'),
                'one charge was asked for twice',
              ],
              [late === 0, `${late} charges were asked for while it was cancelled`],
              [said.length === story.filter(({ isSaid }) => isSaid).length, 'what was said is not what happened'],
            );
            return { ended: `${isCancelled ? 'cancelled' : 'runs'}, ${times('chargeDue')} charges`, wrong };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

interface Told {
  readonly version: bigint;
  readonly type: string;
  readonly slot: number | null;
  readonly isSaid: boolean;
}

const storySql = `
  select h.version, h.type, (h.data ->> 'slot')::int as slot,
    exists (select from subscription.outbox o where o.aggregate_id = h.subscription_id and o.version = h.version) as "isSaid"
  from subscription.subscription_history h where h.subscription_id = $1 order by h.version`;

function asked(subscriptionId: string) {
  return { merchantId, subscriptionId, by: 'merchant', suppressCustomerNotification: false };
}

async function charge({ app }: Instance, id: string, timerId: string): Promise<void> {
  const about = { timerId, machine: 'subscription', aggregateId: id, merchantId, traceparent: '' };
  await app.timers[0]?.fire([{ ...about, kind: 'charge', dueAt: new Date() }]);
}

/** As the order service does once it hears of the renewal; some hear it twice, some of it again. */
async function makeChild(
  stage: Stage,
  service: Instance,
  id: string,
  child: { readonly orderId: bigint; readonly messageId: string },
  at: number,
): Promise<void> {
  const isAsked = (await stage.rows<Told>(storySql, [id])).some(({ type }) => type === 'renewalDue');
  if (!isAsked) return charge(service, id, randomUUIDv7());
  const [parent = ''] = id.split('_');
  const { orderId } = child;
  const about = { subscriptionId: id, term: 2, itemId: orderId, amountMinor: 500n, currency: 'EUR', livemode: false };
  const renewal = { ...about, parentOrderId: BigInt(parent), isPaidByHand: false };
  const messageId = at % 2 === 0 ? child.messageId : randomUUIDv7();
  await service.hear(
    newsOf(orderEvents, { merchantId, key: orderId, messageId }, (header) =>
      OrderEvent.encode({
        header,
        orderId,
        payload: { $case: 'orderCreated', value: { itemCount: 1, renewal } },
      }).finish(),
    ),
  );
}

/** So that the charge for the second term is due and the first term is not over, in short months and long ones. */
function whenBought(): Date {
  const now = Date.now();
  for (let days = 26; days < 33; days += 1) {
    const paidAt = new Date(now - days * dayMs);
    const { nextChargeAt, expiresAt } = firstTerm({ period: 'P1M', timeZone: 'UTC' }, paidAt);
    if (nextChargeAt.getTime() < now && expiresAt.getTime() > now + dayMs / 24) return paidAt;
  }
  throw new Error('there is no such day');
}

function buy(orderId: bigint, paidAt: Date): Order {
  const term = firstTerm({ period: 'P1M', timeZone: 'UTC' }, paidAt);
  const about = {
    id: `${orderId}_${orderId}`,
    parentOrderId: orderId,
    parentItemId: orderId,
    type: 'AR',
    status: 'active',
  };
  const item = messageOf(OrderItem, {
    id: orderId,
    productId: '100001',
    name: 'Editor',
    quantity: 1,
    subscriptionTerms: {
      type: 'AR',
      period: 'P1M',
      trialPeriod: '',
      renewalPriceMinor: 500n,
      renewalPrice: 'snapshot',
      renewalAmountMinor: 500n,
    },
    subscription: messageOf(ItemSubscription, { ...term, ...about, period: 'P1M', term: 1, instrumentId: 'card-1' }),
  });
  const rest = { status: 'paid', currency: 'EUR', timeZone: 'UTC' };
  return messageOf(Order, { orderId, merchantId, ...rest, paidAt, items: [item] });
}

function paid(orderId: bigint) {
  const value = { paymentId: '', amountMinor: 1n, currency: 'EUR', renewal: undefined, startsSubscriptions: true };
  return newsOf(orderEvents, { merchantId, key: orderId, version: 2n }, (header) =>
    OrderEvent.encode({ header, orderId, payload: { $case: 'orderPaid', value } }).finish(),
  );
}
