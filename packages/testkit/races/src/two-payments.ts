/**
 * Two payments of one order: customers press "pay" in many tabs, on two checkouts' worth of services, with cards that are
 * declined and cards that are not, and with a transfer that waits or arrives, while the events of it arrive in two order services.
 */
import { home as merchantHome } from '@tillstream/merchant/app';
import { home as orderHome } from '@tillstream/order/app';
import { home as paymentHome } from '@tillstream/payment/app';
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { PaymentApiService } from '@tillstream/proto/payment/v1/payment_api';
import { eventually } from '@tillstream/testkit/eventually';
import { saidIn } from './news.ts';
import { complaints, type Race } from './race.ts';
import { openOrders, placeOrder } from './orders.ts';
import { alternate, openStage } from './stage.ts';
import { openTill } from './till.ts';

const goodCard = '4242424242424242';
const declinedCard = '4000000000000002';

export const twoPayments: Race = {
  name: 'two-payments',
  holds:
    'An order has at most one payment of a kind that may still end with money; one of them pays it, what another brings besides is due for refund, the receipts add up, and nothing is charged that is not in the books.',
  async open(contenders) {
    const stage = await openStage(orderHome, merchantHome, paymentHome);
    const till = await openTill(stage);
    const shop = await openOrders(stage, { payment: till.services[0].client(PaymentApiService) });
    const product = await shop.product();
    return {
      async round() {
        const { orderId, token } = await placeOrder(shop, product);
        const hear = async (at: number) =>
          alternate(shop.services, at).hear(...(await saidIn(stage, 'payment', orderId)));
        const payOnce = async (at: number) => {
          const paymentMethod = at % 5 === 4 ? 'BankTransfer' : 'CreditCard';
          const api = alternate(shop.services, at).client(OrderApiService);
          const { redirectUrl } = await api.beginPayment({ orderId, token, paymentMethod });
          if (redirectUrl !== '' && paymentMethod === 'CreditCard')
            await till.submitCard(redirectUrl, at % 3 === 0 ? declinedCard : goodCard);
          // Others only look at the page of the transfer.
          if (redirectUrl !== '' && paymentMethod === 'BankTransfer' && at % 10 === 9) await till.approve(redirectUrl);
          await hear(at);
        };
        // Whoever is declined tries once more.
        const pay = async (at: number) => {
          await payOnce(at);
          await payOnce(at);
        };
        return {
          contenders: Array.from({ length: contenders }, (_, at) => () => pay(at)),
          mayHear: ['order_already_paid', 'attempt_unresolved'],
          async check() {
            const payments = await eventually(async () => {
              const rows = await stage.rows<PaymentRow>(paymentsSql, [orderId]);
              const books = await Promise.all(rows.map(async (row) => ({ ...row, books: await till.books(row.id) })));
              // Callbacks are on their way while the provider knows more than we do.
              return books.every(({ status, books: [at] }) => isHeard(status, at?.status ?? '')) ? books : undefined;
            }, 5_000);
            await hear(0);
            const [order] = await stage.rows<OrderRow>(orderSql, [orderId]);
            const [intent] = await stage.rows<IntentRow>(intentSql, [orderId]);
            const booked = payments.filter(({ status }) => status === 'booked').length;
            const paidTimes = Math.min(booked, 1);
            const wrong = complaints(
              [payments.every(({ books }) => books.length === 1), 'the provider has not one payment for each of ours'],
              [payments.every(({ attempts }) => attempts === 1), 'a payment has not one attempt'],
              [
                payments.filter(({ isLive, isOffline }) => isLive && !isOffline).length <= 1,
                'two online payments are live',
              ],
              [payments.filter(({ isLive, isOffline }) => isLive && isOffline).length <= 1, 'two transfers are live'],
              [order?.paid === paidTimes, `${booked} payments are booked, the order was paid ${order?.paid} times`],
              [booked <= 2, `${booked} payments are booked`],
              [
                order?.again === booked - paidTimes,
                `${booked} payments are booked, ${order?.again} are due for refund`,
              ],
              [
                intent?.isReached === booked > 0 && intent.received === intent.receipts && intent.counted === paidTimes,
                `${booked} payments are booked, the intent says ${JSON.stringify(intent)}`,
              ],
              [order?.gaps === false, 'the versions of the order have gaps'],
            );
            return { ended: `${booked} booked`, wrong };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

function isHeard(here: string, there: string): boolean {
  if (there === 'succeeded') return here === 'booked';
  if (there === 'failed') return here === 'failed';
  return true;
}

interface PaymentRow {
  readonly id: string;
  readonly status: string;
  readonly isLive: boolean;
  readonly isOffline: boolean;
  readonly attempts: number;
}

const paymentsSql = `
  select payment_id as id, status, status in ('created', 'seen', 'processing', 'confirmed') as "isLive", is_offline as "isOffline",
    (select count(*)::int from payment.attempt a where a.payment_id = p.payment_id) as attempts
  from payment.payment p where order_id = $1`;

interface IntentRow {
  readonly isReached: boolean;
  readonly received: number;
  readonly receipts: number;
  readonly counted: number;
}

const intentSql = `
  select i.status in ('paid', 'overpaid') as "isReached", i.received_minor::int as received, coalesce(sum(r.amount_minor), 0)::int as receipts,
    count(*) filter (where r.taken_for = 'counted')::int as counted
  from payment.payment_intent i left join payment.receipt r on r.intent_id = i.intent_id
  where i.order_id = $1 group by i.intent_id`;

interface OrderRow {
  readonly paid: number;
  readonly again: number;
  readonly gaps: boolean;
}

const orderSql = `
  select count(*) filter (where type = 'orderPaid')::int as paid, count(*) filter (where type = 'orderPaidAgain')::int as again,
    count(*) <> max(version) as gaps
  from "order".order_history where order_id = $1`;
