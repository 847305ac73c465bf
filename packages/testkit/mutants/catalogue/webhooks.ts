/** Bugs of telling merchants: order per order, what counts as heard, the id of an event. */
import { patch, type Mutant } from '../mutant.ts';

const heads = 'apps/webhook-dispatcher/src/outbound/rows/heads.ts';
const retry = 'apps/webhook-dispatcher/src/domain/retry.ts';
const shipper = 'apps/webhook-dispatcher/src/dispatch/shipper.ts';

export const webhooks: readonly Mutant[] = [
  {
    id: 'no-head-of-line',
    sentence:
      'What is due first is sent first: while an event waits for its next try, later ones of its order overtake.',
    museum: 'C.3 webhooks without per-order head-of-line',
    caughtBy: 'first deliveries of an order come in its order',
    hint: 'outside',
    patches: [
      patch(
        heads,
        'order by d.subject_kind, d.subject_id, d.position\n',
        'order by d.subject_kind, d.subject_id, d.due_at\n',
      ),
      patch(heads, 'order by d.position limit 1\n', 'order by d.due_at limit 1\n'),
    ],
  },
  {
    id: 'any-answer-is-delivery',
    sentence: 'Any answer counts as heard, an error page as well.',
    museum: 'btcpay WebhookSender',
    caughtBy: 'every event is delivered or given up',
    hint: 'outside',
    patches: [patch(retry, 'httpStatus >= 200 && httpStatus < 300', 'httpStatus >= 200')],
  },
  {
    id: 'event-id-per-attempt',
    sentence: 'Each attempt has an id of its own: a receiver cannot tell that it has heard this before.',
    museum: '',
    caughtBy: 'the same id on every attempt',
    hint: 'outside',
    patches: [
      patch(shipper, "eventId: publicId('evt', shipment.eventId),", "eventId: publicId('evt', crypto.randomUUID()),"),
    ],
  },
  {
    id: 'body-signed-for-another-time',
    sentence: 'The signature is of the time when the event happened at the merchant and not of the time of sending.',
    museum: '',
    caughtBy: 'every signature verifies',
    patches: [
      patch(
        shipper,
        'timestampS: Math.floor(Date.now() / 1_000),',
        'timestampS: Math.floor(Date.now() / 1_000) - 3_600,',
      ),
    ],
  },
  {
    id: 'attempt-in-flight-is-forgotten',
    sentence: 'A delivery is marked as tried for good before it is sent: a crash while it is sent ends it.',
    museum: 'btcpay WebhookSender',
    caughtBy: 'every event is delivered or given up',
    hint: 'outside',
    patches: [
      patch(
        'apps/webhook-dispatcher/src/outbound/rows/heads.ts',
        '      with d as materialized (select * from delivery where id = any (${deliveryIds}::uuid[]))\n',
        "      with marked as (update delivery set status = 'delivered', done_at = now() where id = any (${deliveryIds}::uuid[]) and status = 'waiting'), d as materialized (select * from delivery where id = any (${deliveryIds}::uuid[]))\n",
      ),
    ],
  },
];
