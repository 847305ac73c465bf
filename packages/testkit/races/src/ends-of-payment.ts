/** What ends a page that a customer may still use: the half hour, and the merchant. Each against the customer's click. */
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { home as paymentHome } from '@tillstream/payment/app';
import { PaymentApiService, type Payment } from '@tillstream/proto/payment/v1/payment_api';
import { eventually } from '@tillstream/testkit/eventually';
import { complaints, type Contender, type Finding, type Race } from './race.ts';
import type { Random } from './random.ts';
import { alternate, merchantId, openStage, type Instance, type Stage } from './stage.ts';
import { openTill, rowIdOf, type Till } from './till.ts';

const plainCard = '4242424242424242';
const strongCard = '4000002760003184';

export const payAgainstExpiry: Race = {
  name: 'pay-against-expiry',
  holds: 'A payment ends once, and as the provider says: what was charged is booked, what has expired cannot be paid.',
  open: (contenders) =>
    openField(contenders, 'expired', [], ({ till, id, url, timerId, lagMs }, at) =>
      at % 2 === 0
        ? async () => {
            await pause(lagMs);
            await till.submitCard(url, plainCard);
          }
        : // The same timer in two processes, as after a lease that ran out, and another one.
          () => expire(alternate(till.services, (at - 1) / 2), id, at % 8 === 7 ? randomUUIDv7() : timerId),
    ),
};

export const withdrawAgainstAuthorisation: Race = {
  name: 'withdraw-against-authorisation',
  holds:
    'A payment is withdrawn or paid, never both, here and at the provider; whoever was told "withdrawn" was told the truth.',
  open: (contenders) =>
    openField(contenders, 'withdrawn', ['payment_not_withdrawable'], ({ till, publicId, url, lagMs }, at) =>
      at % 2 === 0
        ? async () => {
            await pause(lagMs);
            await till.submitCard(url, strongCard);
            await till.confirm(url);
          }
        : () =>
            alternate(till.services, (at - 1) / 2)
              .client(PaymentApiService)
              .withdrawPayment({ merchantId, paymentId: publicId })
              .then(({ payment }) => payment?.status),
    ),
};

interface Page {
  readonly till: Till;
  readonly id: string;
  readonly publicId: string;
  readonly url: string;
  readonly timerId: string;
  /** The customer's click goes straight to the provider, the other side through us: else it would always be first. */
  readonly lagMs: number;
}

/** Each round: one open page, contenders who use it and who end it. */
async function openField(
  contenders: number,
  end: 'expired' | 'withdrawn',
  mayHear: readonly string[],
  contender: (page: Page, at: number) => Contender,
) {
  const stage = await openStage(paymentHome);
  const till = await openTill(stage);
  return {
    async round(nth: number, random: Random) {
      const { id: publicId, redirectUrl: url } = await openPage(till.services[0], BigInt(nth + 1));
      const page = { till, id: rowIdOf(publicId), publicId, url, timerId: randomUUIDv7(), lagMs: random.below(5) * 8 };
      return {
        contenders: Array.from({ length: contenders }, (_, at) => contender(page, at)),
        mayHear,
        async check(outcomes: readonly PromiseSettledResult<unknown>[]) {
          const isToldWithdrawn = outcomes.some(
            ({ status, ...each }) => status === 'fulfilled' && 'value' in each && each.value === 'withdrawn',
          );
          return checkEnd(stage, page, end, isToldWithdrawn);
        },
      };
    },
    close: () => stage.close(),
  };
}

async function openPage(service: Instance, orderId: bigint): Promise<Payment> {
  const { payment } = await service.client(PaymentApiService).createPayment({
    merchantId,
    orderId,
    amountMinor: 10_000n,
    currency: 'EUR',
    method: 'CreditCard',
    returnUrl: 'http://127.0.0.1:9/thanks',
    locale: 'en',
    description: `A${orderId}`,
    livemode: false,
    saveInstrument: false,
    country: '',
    expiryMinutes: 0,
  });
  if (payment === undefined || payment.redirectUrl === '') throw new Error('there is no page');
  return payment;
}

async function expire({ app }: Instance, paymentId: string, timerId: string): Promise<void> {
  await app.timers[0]?.fire([
    {
      timerId,
      machine: 'payment',
      aggregateId: paymentId,
      merchantId,
      kind: 'expire',
      dueAt: new Date(),
      traceparent: '',
    },
  ]);
}

interface Found {
  status: string;
  review_reason: string;
  ends: number;
  said: number;
  gaps: boolean;
}

async function checkEnd(stage: Stage, { till, id }: Page, end: string, isToldWithdrawn: boolean): Promise<Finding> {
  const [atProvider, ...more] = await till.books(id);
  const isCharged = atProvider?.status === 'succeeded';
  // The provider's callbacks are on their way.
  const found = await eventually(async () => {
    const [row] = await stage.rows<Found>(checkSql, [id]);
    return row?.status === (isCharged ? 'booked' : end) ? row : undefined;
  }, 5_000).catch(async () => (await stage.rows<Found>(checkSql, [id]))[0]);
  const wrong = complaints(
    [more.length === 0, `the provider has ${1 + more.length} payments for one`],
    [isCharged || atProvider?.status === 'withdrawn', `the provider says ${atProvider?.status}`],
    [
      found?.status === (isCharged ? 'booked' : end),
      `the provider says ${atProvider?.status}, we say ${found?.status}`,
    ],
    [found?.review_reason === '', `held for review: ${found?.review_reason}`],
    [found?.ends === 1 && found.said === 1, `it ended ${found?.ends} times and that was said ${found?.said} times`],
    [found?.gaps === false, 'its versions have gaps'],
    [!isToldWithdrawn || !isCharged, 'the merchant was told "withdrawn", and the card is charged'],
  );
  return { ended: found?.status ?? 'lost', wrong };
}

const checkSql = `
  select p.status, p.review_reason,
    (select count(*)::int from payment.payment_history h where h.payment_id = p.payment_id and h.type in ('paymentBooked', 'paymentFailed', 'paymentExpired', 'paymentWithdrawn')) as ends,
    (select count(*)::int from payment.outbox o where o.aggregate_id = p.payment_id::text and o.version = (
      select h.version from payment.payment_history h where h.payment_id = p.payment_id and h.type in ('paymentBooked', 'paymentFailed', 'paymentExpired', 'paymentWithdrawn') limit 1)) as said,
    (select count(*) <> max(h.version) or max(h.version) <> p.version from payment.payment_history h where h.payment_id = p.payment_id) as gaps
  from payment.payment p where p.payment_id = $1::uuid`;
