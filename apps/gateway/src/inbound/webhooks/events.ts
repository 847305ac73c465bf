/** What was said to the merchant's endpoints, and how it went. */
import type { Delivery, WebhookEvent } from '@tillstream/proto/webhook/v1/webhook_api';
import { instant, instantOf, madeAt, wholeNumber } from '@tillstream/public-api/values';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { tenantOf } from '../http/tenant.ts';
import { orderIdOf } from '../orders/orders.ts';
import { list, listOf, pageOf, pageQuery, problems, says } from '../shapes.ts';

const subject = z
  .object({ kind: z.string().describe('order, payment'), id: z.string() })
  .describe('What the event is about. The events of one subject are delivered in their order.');

const event = z
  .object({
    id: z.string().describe('The webhook-id of all its deliveries.'),
    object: z.literal('event'),
    livemode: z.boolean(),
    type: z.string(),
    payload_profile: z.string().describe('seed, standard'),
    subject,
    order: wholeNumber.describe('The order that the subject belongs to; 0 when there is none.'),
    created_at: instant,
    body: z.string().describe('What is sent, byte for byte.'),
  })
  .meta({ id: 'Event' });

const attempt = z.object({
  number: wholeNumber,
  at: instant,
  trigger: z.string().describe('scheduled, manual'),
  http_status: wholeNumber.nullable(),
  error: z.string().nullable(),
  duration_ms: wholeNumber,
  response_start: z.string().describe('The first bytes of the answer.'),
});

const delivery = z
  .object({
    id: z.string(),
    object: z.literal('webhook_delivery'),
    livemode: z.boolean(),
    event: z.string(),
    event_type: z.string(),
    endpoint: z.string(),
    subject,
    order: wholeNumber.describe('The order that the subject belongs to; 0 when there is none.'),
    status: z.string().describe('waiting, held, delivered, exhausted, cancelled'),
    created_at: instant,
    next_attempt_at: instant.nullable(),
    delivered_at: instant.nullable(),
    attempts: z.array(attempt),
  })
  .meta({ id: 'WebhookDelivery' });

const params = z.object({ id: z.string() });
const order = z.string().max(20).optional().describe('The number or the name of an order.');
const eventFilters = pageQuery({ type: z.string().max(100).optional(), order });
const deliveryFilters = pageQuery({
  endpoint: z.string().max(255).optional(),
  event: z.string().max(255).optional(),
  status: z.enum(['waiting', 'held', 'delivered', 'exhausted', 'cancelled']).optional(),
  order,
});
const orderIdIn = (text: string | undefined) => (text === undefined ? 0n : orderIdOf(text));

export function addEvents(api: Api, { webhook }: Pick<Clients, 'webhook'>): void {
  api.get(
    '/events',
    {
      schema: {
        ...says('Webhooks', 'listEvents', 'List events'),
        querystring: eventFilters,
        response: { 200: listOf(event), ...problems },
      },
    },
    async (request) => {
      const { query } = request;
      const answer = await webhook.listEvents({
        merchantId: tenantOf(request).merchantId,
        ...pageOf(query),
        type: query.type ?? '',
        orderId: orderIdIn(query.order),
      });
      return list(answer.events.map(showEvent), answer.hasMore);
    },
  );

  api.get(
    '/events/:id',
    { schema: { ...says('Webhooks', 'getEvent', 'Look at an event'), params, response: { 200: event, ...problems } } },
    async (request) =>
      showEvent(
        (await webhook.getEvent({ merchantId: tenantOf(request).merchantId, eventId: request.params.id })).event,
      ),
  );
}

export function addDeliveries(api: Api, { webhook }: Pick<Clients, 'webhook'>): void {
  api.get(
    '/webhook_deliveries',
    {
      schema: {
        ...says('Webhooks', 'listWebhookDeliveries', 'List deliveries'),
        querystring: deliveryFilters,
        response: { 200: listOf(delivery), ...problems },
      },
    },
    async (request) => {
      const { query } = request;
      const answer = await webhook.listDeliveries({
        merchantId: tenantOf(request).merchantId,
        ...pageOf(query),
        endpointId: query.endpoint ?? '',
        eventId: query.event ?? '',
        status: query.status ?? '',
        orderId: orderIdIn(query.order),
      });
      return list(answer.deliveries.map(showDelivery), answer.hasMore);
    },
  );

  api.get(
    '/webhook_deliveries/:id',
    {
      schema: {
        ...says('Webhooks', 'getWebhookDelivery', 'Look at a delivery'),
        params,
        response: { 200: delivery, ...problems },
      },
    },
    async (request) =>
      showDelivery(
        (await webhook.getDelivery({ merchantId: tenantOf(request).merchantId, deliveryId: request.params.id }))
          .delivery,
      ),
  );

  api.post(
    '/webhook_deliveries/:id/resend',
    {
      schema: {
        ...says('Webhooks', 'resendWebhookDelivery', 'Send a delivery again', 'Same id, same body.'),
        params,
        response: { 200: delivery, ...problems },
      },
    },
    async (request) =>
      showDelivery(
        (await webhook.resendDelivery({ merchantId: tenantOf(request).merchantId, deliveryId: request.params.id }))
          .delivery,
      ),
  );
}

function showEvent(found: WebhookEvent | undefined): z.infer<typeof event> {
  if (found === undefined) throw new Refused('event_not_found');
  return {
    id: found.id,
    object: 'event',
    livemode: found.livemode,
    type: found.type,
    payload_profile: found.payloadProfile === '' ? 'seed' : found.payloadProfile,
    subject: { kind: found.subjectKind, id: found.subjectId },
    order: Number(found.orderId),
    created_at: madeAt(found.occurredAt),
    body: found.body,
  };
}

function showDelivery(found: Delivery | undefined): z.infer<typeof delivery> {
  if (found === undefined) throw new Refused('delivery_not_found');
  return {
    id: found.id,
    object: 'webhook_delivery',
    livemode: found.livemode,
    event: found.eventId,
    event_type: found.eventType,
    endpoint: found.endpointId,
    subject: { kind: found.subjectKind, id: found.subjectId },
    order: Number(found.orderId),
    status: found.status,
    created_at: madeAt(found.createdAt),
    next_attempt_at: instantOf(found.nextAttemptAt),
    delivered_at: instantOf(found.deliveredAt),
    attempts: found.attempts.map((each) => ({
      number: each.number,
      at: madeAt(each.at),
      trigger: each.trigger,
      http_status: each.httpStatus === 0 ? null : each.httpStatus,
      error: each.error === '' ? null : each.error,
      duration_ms: each.durationMs,
      response_start: each.responseStart,
    })),
  };
}
