/** Licences asked for again by many at once, up to the limit, while each request is told to two mail services. */
import { messageOf } from '@tillstream/testkit/wire';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import { Payment, type GetPaymentsRequest } from '@tillstream/proto/payment/v1/payment_api';
import { codeOf } from '@tillstream/database/database';
import { publicId } from '@tillstream/database/public-id';
import { home as merchantHome } from '@tillstream/merchant/app';
import { fulfillmentEvents, paymentEvents } from '@tillstream/messaging/topics';
import {
  home as notificationHome,
  notificationApp,
  settings,
  type NotificationTables,
} from '@tillstream/notification/app';
import { home as orderHome } from '@tillstream/order/app';
import { randomUUIDv7 } from 'node:crypto';
import { newsOf, saidIn } from './news.ts';
import { openOrders, placeOrder, type Orders } from './orders.ts';
import { complaints, type Race } from './race.ts';
import { alternate, openStage, type Stage } from './stage.ts';

// What an order may ask for in its life (R38).
const mostResends = 20;

export const licenceResend: Race = {
  name: 'licence-resend',
  holds: 'Licences are sent again as often as it was granted and never more than the limit; each time is one mail.',
  async open(contenders) {
    const stage = await openStage(orderHome, merchantHome, notificationHome);
    const payments = new Map<string, Payment>();
    const shop = await openOrders(stage, { payment: readPaymentsFrom(payments) });
    const product = await shop.product();
    const mailers = await stage.two<NotificationTables>(notificationHome, (own) =>
      notificationApp({
        ...own,
        config: settings.parse({}),
        // Nothing is sent here: a mail is a row, and its key is what keeps it one.
        clients: {
          merchant: shop.merchants[0].client(MerchantApiService),
          order: shop.services[0].client(OrderApiService),
          fulfillment: shop.services[0].client(FulfillmentApiService),
        },
      }),
    );
    return {
      async round() {
        const orderId = await deliverOrder(stage, shop, product, payments);
        const ask = async (at: number) => {
          const api = alternate(shop.services, at).client(OrderApiService);
          const { merchantId } = shop;
          const once = () =>
            api.resendLicences({ merchantId, orderId, requestId: '' }).then(
              ({ items }) => items,
              (error: unknown) => (codeOf(error) === 'too_many_resends' ? 0 : Promise.reject(error)),
            );
          const granted = (await once()) + (await once());
          // As two consumers would after a rebalance: what one has heard the other hears as well.
          const said = await saidIn(stage, 'order', orderId);
          await alternate(mailers, at).hear(...said.slice(-6));
          return granted;
        };
        return {
          contenders: Array.from({ length: contenders }, (_, at) => () => ask(at)),
          async check(outcomes) {
            const granted = outcomes.reduce(
              (sum, each) => sum + (each.status === 'fulfilled' ? Number(each.value) : 0),
              0,
            );
            await mailers[0].hear(...(await saidIn(stage, 'order', orderId)));
            const [found] = await stage.rows<Found>(checkSql, [orderId]);
            const allowed = Math.min(mostResends, 2 * contenders);
            const wrong = complaints(
              [granted === allowed, `${allowed} should be granted, ${granted} were told so`],
              [found?.asked === granted, `${granted} were granted, ${found?.asked} happened`],
              [found?.numbers === granted, 'two of them have one number'],
              [found?.mails === granted + 1, `${granted + 1} licence mails should be written, ${found?.mails} are`],
              [found?.gaps === false, 'the versions of the order have gaps'],
            );
            return { ended: `${granted} granted`, wrong };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

interface Found {
  readonly asked: number;
  readonly numbers: number;
  readonly mails: number;
  readonly gaps: boolean;
}

const checkSql = `
  select count(*) filter (where type = 'orderLicencesAsked')::int as asked,
    count(distinct data ->> 'number') filter (where type = 'orderLicencesAsked')::int as numbers,
    (select count(*)::int from notification.mail m where m.order_id = $1 and m.kind = 'licence') as mails,
    count(*) <> max(version) as gaps
  from "order".order_history where order_id = $1`;

/** An order that is paid and delivered, as two messages made it. */
async function deliverOrder(
  stage: Stage,
  shop: Orders,
  product: string,
  payments: Map<string, Payment>,
): Promise<bigint> {
  const { orderId } = await placeOrder(shop, product);
  const paymentId = randomUUIDv7();
  const { merchantId } = shop;
  const [item] = await stage.rows<{ id: string }>(
    `select placed -> 'items' -> 0 ->> 'id' as id from "order".purchase_order where order_id = $1`,
    [orderId],
  );
  payments.set(
    paymentId,
    messageOf(Payment, {
      id: publicId('pay', paymentId),
      merchantId,
      orderId,
      status: 'booked',
      amountMinor: 10_000n,
      currency: 'EUR',
      method: 'CreditCard',
    }),
  );
  await shop.services[0].hear(
    newsOf(paymentEvents, { merchantId, key: orderId }, (header) =>
      PaymentEvent.encode({
        header,
        paymentId,
        orderId,
        payload: { $case: 'paymentBooked', value: { amountMinor: 10_000n, currency: 'EUR' } },
      }).finish(),
    ),
  );
  await shop.services[0].hear(
    newsOf(fulfillmentEvents, { merchantId, key: orderId }, (header) =>
      FulfillmentEvent.encode({
        header,
        orderId,
        payload: { $case: 'itemDelivered', value: { itemId: BigInt(item?.id ?? 0), codeCount: 1 } },
      }).finish(),
    ),
  );
  payments.delete(paymentId);
  return orderId;
}

/** A payment service that knows these. */
function readPaymentsFrom(payments: ReadonlyMap<string, Payment>) {
  return {
    getPayments: async ({ keys }: GetPaymentsRequest) => ({
      payments: keys.flatMap(({ paymentId }) => payments.get(paymentId) ?? []),
    }),
  };
}
