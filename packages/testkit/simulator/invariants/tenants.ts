/** I14 at rest, on any storage: what each merchant and each merchant's customers were told. */
import { FulfillmentEvent } from '@tillstream/proto/fulfillment/v1/fulfillment_events';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { PaymentEvent } from '@tillstream/proto/payment/v1/payment_events';
import { SubscriptionEvent } from '@tillstream/proto/subscription/v1/subscription_events';
import { plainText } from '../rpc.ts';
import type { Tenants } from './continuous/tenants.ts';
import { text, type Facts } from './facts.ts';
import type { Case, Invariant } from './judge.ts';

const eventOf = new Map<string, (bytes: Uint8Array) => unknown>([
  ['tillstream.order.v1.OrderEvent', (bytes) => OrderEvent.decode(bytes)],
  ['tillstream.payment.v1.PaymentEvent', (bytes) => PaymentEvent.decode(bytes)],
  ['tillstream.fulfillment.v1.FulfillmentEvent', (bytes) => FulfillmentEvent.decode(bytes)],
  ['tillstream.subscription.v1.SubscriptionEvent', (bytes) => SubscriptionEvent.decode(bytes)],
]);

export const keptApart: Invariant = {
  id: 'I14b',
  sentence: 'No answer, message, mail, webhook or log line of one merchant says anything of another.',
  check(found) {
    const { world, shops, tenants, story } = found;
    // Where one has no customers there is nothing to be mixed up.
    if (new Set(story.orders.map(({ shop }) => shop)).size < 2) return [];
    claimAll(found);
    const wrong = (what: string, merchant: string, words: string): readonly string[] =>
      tenants.strangers(words, merchant).map((word) => `${what} of ${merchant} names ${word}`);
    const letters = world.mailServer.received.filter(({ text: words }) => tenants.named(words).size > 1);
    const lines = world.lines.filter((line) => tenants.named(line).size > 1);
    return [
      ...world.exchange.answers.flatMap(({ label, merchantId, words }) =>
        wrong(`the answer ${label}`, merchantId, words),
      ),
      ...world.broker.all().flatMap(({ topic, key, headers, value }) => {
        const decode = eventOf.get(headers.ce_type);
        if (decode === undefined) return [`a message of ${topic} is a ${headers.ce_type}, which nobody knows`];
        return wrong(`a message of ${topic}`, headers.merchant_id, `${key} ${plainText(decode(value))}`);
      }),
      ...Object.values(shops).flatMap(({ merchantId, webhookSecrets }) =>
        world.receivers.heard
          .filter(({ endpoint }) => webhookSecrets.has(endpoint))
          .flatMap(({ event, text: words }) => wrong(`a webhook ${event}`, merchantId, words)),
      ),
      ...letters.map(
        ({ to, text: words }) => `a letter to ${to} is of both: ${[...tenants.named(words)].join(' and ')}`,
      ),
      ...lines.map((line) => `a log line is of both: ${line.slice(0, 200)}`),
    ];
  },
};

/** What a storage that tells of no commits could not say before. */
function claimAll({ tenants, facts }: Case): void {
  claimRows(tenants, facts.orders, 'order_id');
  claimRows(tenants, facts.payments, 'payment_id');
  claimRows(tenants, facts.events, 'id');
  claimRows(tenants, facts.licences, 'licence_id');
}

function claimRows(tenants: Tenants, rows: Facts[keyof Facts], column: string): void {
  for (const row of rows) tenants.claim(text(row[column]), text(row['merchant_id']));
}
