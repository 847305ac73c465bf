/** One shipment: signed at this moment, sent, and said to the trace of the event that caused it. */
import { publicId } from '@tillstream/database/public-id';
import type { Clock } from '@tillstream/messaging/clock';
import { durations } from '@tillstream/telemetry/metrics';
import { currentTraceparent, inSpan, traceIdOf } from '@tillstream/telemetry/trace';
import type { Vault } from '@tillstream/vault/vault';
import { withoutEcho } from '../domain/payload/echo.ts';
import type { Poster, PostAnswer } from '../outbound/http/post.ts';
import { signatureHeaders } from '../outbound/http/signatures.ts';
import { openSecrets } from '../outbound/rows/endpoints.ts';
import { bodyContext } from '../outbound/rows/fan-out.ts';
import type { Shipment } from '../outbound/rows/heads.ts';
import type { Secrets } from '../ports.ts';

export interface Sent extends PostAnswer {
  /** By the merchant's clock. */
  readonly at: Date;
  readonly traceId: string;
}

export interface Letter {
  readonly merchantId: string;
  readonly url: string;
  readonly livemode: boolean;
  readonly eventId: string;
  readonly eventType: string;
  readonly body: Buffer;
  readonly secrets: Secrets;
  readonly oldStandard: string | undefined;
  readonly isSeed: boolean;
  readonly isStandard: boolean;
  readonly hasGap: boolean;
  /** Of the event: the attempt continues its trace. */
  readonly traceparent: string;
}

export interface Shipper {
  /** Never throws for anything the receiver does. */
  ship(shipment: Shipment): Promise<Sent>;
  send(letter: Letter): Promise<Sent>;
}

const attemptDuration = durations('webhook.attempt.duration', 'How long attempts to deliver a webhook took');

export function makeShipper(parts: { poster: Poster; vault: Vault; clock: Clock; sendsTraceparent: boolean }): Shipper {
  const { poster, vault } = parts;

  const send = (letter: Letter): Promise<Sent> => {
    const url = new URL(letter.url);
    // Only the host: paths and queries of merchants hold secrets.
    const attributes = {
      'http.request.method': 'POST',
      'server.address': url.hostname,
      'webhook.event': letter.eventType,
    };
    return inSpan('POST webhook', { kind: 'client', parent: letter.traceparent, attributes }, async (span) => {
      const at = parts.clock.now(letter.merchantId);
      const traceparent = currentTraceparent();
      const answer = await poster.post({
        url: letter.url,
        livemode: letter.livemode,
        body: letter.body,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Tillstream',
          ...signatureHeaders({
            id: letter.eventId,
            // The wall's, also when the merchant travels (D15): receivers hold it against their own clock.
            timestampS: Math.floor(Date.now() / 1_000),
            body: letter.body,
            secrets: letter.secrets,
            oldStandard: letter.oldStandard,
            isSeed: letter.isSeed,
            isStandard: letter.isStandard,
          }),
          ...(letter.hasGap ? { 'x-tillstream-gap': '1' } : {}),
          ...(parts.sendsTraceparent && traceparent !== '' ? { traceparent } : {}),
        },
      });
      if (answer.httpStatus > 0) span.setAttribute('http.response.status_code', answer.httpStatus);
      if (answer.error !== '') span.setAttribute('error.type', answer.error);
      attemptDuration.record(answer.tookMs / 1_000, {
        outcome: answer.error === '' ? `${Math.floor(answer.httpStatus / 100)}xx` : answer.error,
      });
      return {
        ...answer,
        responseStart: withoutEcho(answer.responseStart, letter.body),
        at,
        traceId: traceIdOf(traceparent),
      };
    });
  };

  return {
    send,
    ship: (shipment) => {
      const { merchantId, endpointId, oldSecrets } = shipment;
      return send({
        merchantId,
        url: shipment.url,
        livemode: shipment.livemode,
        eventId: publicId('evt', shipment.eventId),
        eventType: shipment.eventType,
        body: vault.open(shipment.body, bodyContext(merchantId, shipment.eventId)),
        secrets: openSecrets(vault, merchantId, endpointId, shipment.secrets),
        oldStandard:
          oldSecrets === undefined ? undefined : openSecrets(vault, merchantId, endpointId, oldSecrets).standard,
        isSeed: shipment.isSeed,
        isStandard: shipment.isStandard,
        hasGap: shipment.hasGap,
        traceparent: shipment.traceparent,
      });
    },
  };
}
