/** API keys of the mode of the key that asks. */
import type { ApiKey } from '@tillstream/proto/merchant/v1/merchant_api';
import { instant, instantOf, madeAt } from '@tillstream/public-api/values';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { requestIdOf } from '../http/idempotency.ts';
import { tenantOf } from '../http/tenant.ts';
import { list, listOf, pageOf, pageQuery, problems, says } from '../shapes.ts';

const apiKey = z
  .object({
    id: z.string(),
    object: z.literal('api_key'),
    livemode: z.boolean(),
    name: z.string(),
    hint: z.string().describe('The first characters, to recognise it.'),
    scopes: z.array(z.string()),
    created_at: instant,
    last_used_at: instant.nullable(),
    revoked_at: instant.nullable(),
  })
  .meta({ id: 'ApiKey' });

const fresh = z
  .object({ ...apiKey.shape, secret: z.string().describe('The key itself, shown this once.') })
  .meta({ id: 'FreshApiKey' });

const draft = z.strictObject({
  name: z.string().max(100).default(''),
  scopes: z
    .array(z.enum(['read', 'write']))
    .min(1)
    .max(2)
    .default(['read', 'write']),
});

export function addApiKeys(api: Api, { merchant }: Pick<Clients, 'merchant'>): void {
  api.post(
    '/api_keys',
    {
      schema: {
        ...says('Merchant', 'createApiKey', 'Make an API key'),
        body: draft,
        response: { 201: fresh, ...problems },
      },
    },
    async (request, reply) => {
      const made = await merchant.createApiKey({
        merchantId: tenantOf(request).merchantId,
        ...request.body,
        requestId: requestIdOf(request),
      });
      return reply.code(201).send({ ...show(made.apiKey), secret: made.secret });
    },
  );

  api.get(
    '/api_keys',
    {
      schema: {
        ...says('Merchant', 'listApiKeys', 'List API keys'),
        querystring: pageQuery({}),
        response: { 200: listOf(apiKey), ...problems },
      },
    },
    async (request) => {
      const { apiKeys, hasMore } = await merchant.listApiKeys({
        merchantId: tenantOf(request).merchantId,
        page: pageOf(request.query),
      });
      return list(apiKeys.map(show), hasMore);
    },
  );

  api.delete(
    '/api_keys/:id',
    {
      schema: {
        ...says('Merchant', 'revokeApiKey', 'Revoke an API key', 'It is refused from now on, and for ever.'),
        params: z.object({ id: z.string() }),
        response: { 200: apiKey, ...problems },
      },
    },
    async (request) =>
      show(
        (await merchant.revokeApiKey({ merchantId: tenantOf(request).merchantId, apiKeyId: request.params.id })).apiKey,
      ),
  );
}

function show(key: ApiKey | undefined): z.infer<typeof apiKey> {
  if (key === undefined) throw new Refused('api_key_not_found');
  return {
    id: key.id,
    object: 'api_key',
    livemode: key.livemode,
    name: key.name,
    hint: key.hint,
    scopes: key.scopes,
    created_at: madeAt(key.createdAt),
    last_used_at: instantOf(key.lastUsedAt),
    revoked_at: instantOf(key.revokedAt),
  };
}
