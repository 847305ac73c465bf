/** Renewals that are to be charged become payments: one command per message, many messages at once. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { IncomingMessage } from '@tillstream/messaging/message';
import { SubscriptionEvent, type ChargeDue } from '@tillstream/proto/subscription/v1/subscription_events';
import type { PaymentCommand } from '../domain/payment.ts';
import { sharedAccountId } from '../domain/provider-account.ts';
import type { AskedCharge, KeptInstrument } from '../ports.ts';

export interface HearChargesParts {
  /** Of each, in their order: what stands in its way, and what is charged. */
  standings(asked: readonly AskedCharge[]): Promise<
    readonly {
      readonly obstacle: string;
      readonly receivedMinor: bigint;
      readonly kept: KeptInstrument | undefined;
    }[]
  >;
  readonly performer: { performOnce(envelopes: readonly Envelope<PaymentCommand>[]): Promise<unknown> };
  readonly clock: Clock;
}

const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function hearCharges(parts: HearChargesParts): (batch: readonly IncomingMessage[]) => Promise<void> {
  const { performer, clock } = parts;
  return async (batch) => {
    const due = batch.flatMap(({ headers, value }) => {
      const { subscriptionId, payload } = SubscriptionEvent.decode(value);
      if (payload?.$case !== 'chargeDue') return [];
      return [{ headers, charge: payload.value, asked: askedOf(headers.merchant_id, subscriptionId, payload.value) }];
    });
    if (due.length === 0) return;
    const found = await parts.standings(due.map(({ asked }) => asked));
    // Two of one batch for the same order: the first is charged, and stands in the way of the second.
    const begun = new Set<string>();
    const envelopes = due.map(({ headers, charge, asked }, at): Envelope<PaymentCommand> => {
      const { obstacle: known = '', kept, receivedMinor = 0n } = found[at] ?? {};
      const order = `${asked.merchantId} ${asked.orderId}`;
      const obstacle = known === '' && begun.has(order) ? 'the order is being paid' : known;
      if (obstacle === '') begun.add(order);
      const now = clock.now(asked.merchantId);
      const command: PaymentCommand = {
        type: 'charge',
        obstacle,
        asked: {
          orderId: asked.orderId,
          livemode: asked.livemode,
          orderMinor: charge.amountMinor,
          // What the customer has paid of it by hand is not charged again.
          amountMinor: charge.amountMinor - receivedMinor,
          currency: charge.currency,
          method: kept?.method ?? '',
          provider: kept?.provider ?? '',
          accountId: kept?.accountId ?? sharedAccountId(asked.merchantId),
          returnUrl: '',
          locale: '',
          description: '',
          createdAt: now,
          expiresAt: undefined,
          savesInstrumentId: '',
          renewal: { subscriptionId: asked.subscriptionId, term: asked.term, slot: asked.slot },
          instrumentId: kept === undefined ? '' : asked.instrumentId,
          instrument: kept?.instrument,
        },
      };
      // The event's id is the payment's: told twice, it is one.
      const { ce_id: id, traceparent } = headers;
      return { id, merchantId: asked.merchantId, command, now, messageId: id, traceparent };
    });
    await performer.performOnce(envelopes);
  };
}

function askedOf(merchantId: string, subscriptionId: string, charge: ChargeDue): AskedCharge {
  const { orderId, term, slot, livemode } = charge;
  const instrumentId = isUuid.test(charge.instrumentId) ? charge.instrumentId : '';
  return { merchantId, orderId, subscriptionId, term, slot, instrumentId, livemode };
}
