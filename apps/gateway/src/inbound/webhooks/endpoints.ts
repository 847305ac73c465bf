/** Where a merchant wants to hear of what happens. */
import type { Endpoint, Secrets } from '@tillstream/proto/webhook/v1/webhook_api';
import { instant, madeAt, metadataOut, wholeNumber } from '@tillstream/public-api/values';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { requestIdOf } from '../http/idempotency.ts';
import { tenantOf } from '../http/tenant.ts';
import { list, listOf, metadataIn, optionalBody, pageOf, pageQuery, problems, says } from '../shapes.ts';

const events = z
  .array(z.string().max(100))
  .max(50)
  .describe('Event types; empty = every one that the payload profile has.')
  .meta({ examples: [['order.payment.succeeded', 'subscription.cancelled']] });
const url = z
  .string()
  .min(1)
  .max(2_000)
  .describe('https; http to this machine only, in test mode and where the operator allows it.');
const seedSecret = z.string().min(1).max(255);

const draft = z.strictObject({
  url,
  events: events.default([]),
  description: z.string().max(500).default(''),
  payload_profile: z
    .enum(['seed', 'standard'])
    .default('seed')
    .describe(
      'How events are written; it cannot be changed later. seed: a document for each product of an order. standard: {type, timestamp, data} with the object as this API answers it.',
    ),
  signatures: z.strictObject({ seed: z.boolean().default(true), standard: z.boolean().default(true) }).prefault({}),
  secrets: z
    .strictObject({ seed: seedSecret.optional() })
    .prefault({})
    .describe('Bring the seed’s secret yourself, or let one be made.'),
  metadata: metadataIn.default({}),
});

const change = z
  .strictObject({
    url,
    events,
    description: z.string().max(500),
    signatures: z.strictObject({ seed: z.boolean().optional(), standard: z.boolean().optional() }),
    status: z.enum(['active', 'paused']),
  })
  .partial();

const endpoint = z
  .object({
    id: z.string(),
    object: z.literal('webhook_endpoint'),
    livemode: z.boolean(),
    url: z.string(),
    events: z.array(z.string()),
    description: z.string(),
    status: z.string().describe('active, paused (by you), disabled (by us)'),
    disabled_reason: z.string().nullable(),
    payload_profile: z.string(),
    signatures: z.object({ seed: z.boolean(), standard: z.boolean() }),
    statistics: z
      .object({ succeeded: wholeNumber, failed: wholeNumber, waiting: wholeNumber })
      .describe('Of the last seven days.'),
    metadata: metadataOut,
    created_at: instant,
  })
  .meta({ id: 'WebhookEndpoint' });

const withSecrets = z
  .object({
    ...endpoint.shape,
    secrets: z.object({ seed: z.string(), standard: z.string() }).describe('Shown this once.'),
  })
  .meta({ id: 'WebhookEndpointWithSecrets' });

const gone = z.object({ id: z.string(), object: z.literal('webhook_endpoint'), deleted: z.literal(true) });
const ping = z.object({
  object: z.literal('webhook_ping'),
  succeeded: z.boolean(),
  http_status: wholeNumber.nullable(),
  error: z.string().nullable(),
  duration_ms: wholeNumber,
});
const params = z.object({ id: z.string() });
// Without a body it makes secrets of its own.
const rotation = optionalBody({ secrets: z.strictObject({ seed: seedSecret.optional() }).prefault({}) });

export function addEndpoints(api: Api, { webhook }: Pick<Clients, 'webhook'>): void {
  api.post(
    '/webhook_endpoints',
    {
      schema: {
        ...says('Webhooks', 'createWebhookEndpoint', 'Add an endpoint'),
        body: draft,
        response: { 201: withSecrets, ...problems },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { merchantId, livemode } = tenantOf(request);
      const made = await webhook.createEndpoint({
        merchantId,
        livemode,
        url: body.url,
        events: body.events,
        description: body.description,
        signSeed: body.signatures.seed,
        signStandard: body.signatures.standard,
        seedSecret: body.secrets.seed ?? '',
        metadata: body.metadata,
        payloadProfile: body.payload_profile,
        requestId: requestIdOf(request),
      });
      return reply.code(201).send(showWithSecrets(made.endpoint, made.secrets));
    },
  );

  api.get(
    '/webhook_endpoints',
    {
      schema: {
        ...says('Webhooks', 'listWebhookEndpoints', 'List endpoints'),
        querystring: pageQuery({}),
        response: { 200: listOf(endpoint), ...problems },
      },
    },
    async (request) => {
      const answer = await webhook.listEndpoints({
        merchantId: tenantOf(request).merchantId,
        ...pageOf(request.query),
      });
      return list(answer.endpoints.map(show), answer.hasMore);
    },
  );

  api.get(
    '/webhook_endpoints/:id',
    {
      schema: {
        ...says('Webhooks', 'getWebhookEndpoint', 'Look at an endpoint'),
        params,
        response: { 200: endpoint, ...problems },
      },
    },
    async (request) =>
      show(
        (await webhook.getEndpoint({ merchantId: tenantOf(request).merchantId, endpointId: request.params.id }))
          .endpoint,
      ),
  );

  api.patch(
    '/webhook_endpoints/:id',
    {
      schema: {
        ...says('Webhooks', 'updateWebhookEndpoint', 'Change an endpoint'),
        params,
        body: change,
        response: { 200: endpoint, ...problems },
      },
    },
    async (request) => {
      const { body } = request;
      const answer = await webhook.updateEndpoint({
        merchantId: tenantOf(request).merchantId,
        endpointId: request.params.id,
        url: body.url,
        events: body.events === undefined ? undefined : { events: body.events },
        description: body.description,
        signSeed: body.signatures?.seed,
        signStandard: body.signatures?.standard,
        status: body.status,
      });
      return show(answer.endpoint);
    },
  );

  api.delete(
    '/webhook_endpoints/:id',
    {
      schema: {
        ...says('Webhooks', 'deleteWebhookEndpoint', 'Remove an endpoint', 'What waits for it is dropped.'),
        params,
        response: { 200: gone, ...problems },
      },
    },
    async (request) => {
      const { id } = request.params;
      await webhook.deleteEndpoint({ merchantId: tenantOf(request).merchantId, endpointId: id });
      return { id, object: 'webhook_endpoint' as const, deleted: true as const };
    },
  );

  api.post(
    '/webhook_endpoints/:id/rotate_secret',
    {
      schema: {
        ...says('Webhooks', 'rotateWebhookSecret', 'New secrets', 'For 24 hours the old ones sign too.'),
        params,
        body: rotation,
        response: { 200: withSecrets, ...problems },
      },
    },
    async (request) => {
      const answer = await webhook.rotateSecret({
        merchantId: tenantOf(request).merchantId,
        endpointId: request.params.id,
        seedSecret: request.body.secrets.seed ?? '',
        requestId: requestIdOf(request),
      });
      return showWithSecrets(answer.endpoint, answer.secrets);
    },
  );

  api.post(
    '/webhook_endpoints/:id/enable',
    {
      schema: {
        ...says('Webhooks', 'enableWebhookEndpoint', 'Enable an endpoint that was disabled'),
        params,
        response: { 200: endpoint, ...problems },
      },
    },
    async (request) =>
      show(
        (await webhook.enableEndpoint({ merchantId: tenantOf(request).merchantId, endpointId: request.params.id }))
          .endpoint,
      ),
  );

  api.post(
    '/webhook_endpoints/:id/ping',
    {
      schema: {
        ...says('Webhooks', 'pingWebhookEndpoint', 'Send a test event now'),
        params,
        response: { 200: ping, ...problems },
      },
    },
    async (request) => {
      const answer = await webhook.pingEndpoint({
        merchantId: tenantOf(request).merchantId,
        endpointId: request.params.id,
      });
      return {
        object: 'webhook_ping' as const,
        succeeded: answer.succeeded,
        http_status: answer.httpStatus === 0 ? null : answer.httpStatus,
        error: answer.error === '' ? null : answer.error,
        duration_ms: answer.durationMs,
      };
    },
  );
}

function show(found: Endpoint | undefined): z.infer<typeof endpoint> {
  if (found === undefined) throw new Refused('endpoint_not_found');
  return {
    id: found.id,
    object: 'webhook_endpoint',
    livemode: found.livemode,
    url: found.url,
    events: found.events,
    description: found.description,
    status: found.status,
    disabled_reason: found.disabledReason === '' ? null : found.disabledReason,
    payload_profile: found.payloadProfile === '' ? 'seed' : found.payloadProfile,
    signatures: { seed: found.signSeed, standard: found.signStandard },
    statistics: { succeeded: found.succeededCount, failed: found.failedCount, waiting: found.waitingCount },
    metadata: found.metadata,
    created_at: madeAt(found.createdAt),
  };
}

function showWithSecrets(found: Endpoint | undefined, secrets: Secrets | undefined): z.infer<typeof withSecrets> {
  return { ...show(found), secrets: { seed: secrets?.seed ?? '', standard: secrets?.standard ?? '' } };
}
