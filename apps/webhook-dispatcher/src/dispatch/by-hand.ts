/** Resends and pings: asked for by a person, sent by whichever process was asked, through the same guard and client. */
import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { publicId } from '@tillstream/database/public-id';
import type { Clock } from '@tillstream/messaging/clock';
import { standardBody } from '@tillstream/public-api/webhook-events';
import { currentTraceparent } from '@tillstream/telemetry/trace';
import { judge } from '../domain/retry.ts';
import type { Endpoints } from '../outbound/rows/endpoints.ts';
import { loadShipments } from '../outbound/rows/heads.ts';
import { storeManualAttempt } from '../outbound/rows/results.ts';
import type { Reads } from '../outbound/rows/reads.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Shipper } from './shipper.ts';

export interface PingResult {
  readonly isDelivered: boolean;
  readonly httpStatus: number;
  readonly error: string;
  readonly tookMs: number;
}

export interface ByHand {
  /** Undefined = there is no such endpoint. */
  ping(merchantId: string, endpointId: string): Promise<PingResult | undefined>;
  /** Undefined = there is no such delivery, or its endpoint is deleted. Resolves when the attempt is stored. */
  resend(merchantId: string, deliveryId: string): Promise<'sent' | undefined>;
}

export function makeByHand(parts: {
  database: Database<object>;
  endpoints: Endpoints;
  reads: Reads;
  shipper: Shipper;
  dispatcher: Dispatcher;
  clock: Clock;
}): ByHand {
  const { database, endpoints, reads, shipper, dispatcher, clock } = parts;
  return {
    async ping(merchantId, endpointId) {
      const target = await endpoints.target(merchantId, endpointId);
      if (target === undefined) return undefined;
      const { endpoint, secrets, oldStandard } = target;
      const id = publicId('evt', randomUUIDv7());
      const now = clock.now(merchantId);
      const body =
        endpoint.payload_profile === 'standard'
          ? standardBody('ping', now, { id })
          : JSON.stringify({ event: 'ping', event_date: now.toISOString().replace(/\.\d+Z$/, '+00:00'), id });
      const sent = await shipper.send({
        merchantId,
        url: endpoint.url,
        livemode: endpoint.livemode,
        eventId: id,
        eventType: 'ping',
        body: Buffer.from(body),
        secrets,
        oldStandard,
        isSeed: endpoint.sign_seed,
        isStandard: endpoint.sign_standard,
        hasGap: false,
        traceparent: currentTraceparent(),
      });
      return {
        isDelivered: judge(sent.httpStatus, sent.error) === 'delivered',
        httpStatus: sent.httpStatus,
        error: sent.error,
        tookMs: sent.tookMs,
      };
    },
    async resend(merchantId, deliveryId) {
      // Asked for under the merchant's scope first: another's delivery is not there.
      const delivery = await reads.getDelivery(merchantId, deliveryId);
      const [shipment] = delivery === undefined ? [] : await loadShipments(database, [deliveryId], true);
      if (delivery === undefined || shipment === undefined) return undefined;
      const sent = await shipper.ship(shipment);
      await storeManualAttempt(database, {
        merchantId,
        deliveryId,
        isDelivered: judge(sent.httpStatus, sent.error) === 'delivered',
        at: sent.at,
        httpStatus: sent.httpStatus,
        error: sent.error,
        durationMs: sent.tookMs,
        responseStart: sent.responseStart,
        traceId: sent.traceId,
      });
      // When it was the head of its chain, the next one may go.
      dispatcher.nudge([
        {
          endpointId: delivery.endpoint_id,
          subjectKind: delivery.subject_kind,
          subjectId: delivery.subject_id,
          shard: shipment.shard,
        },
      ]);
      return 'sent';
    },
  };
}
