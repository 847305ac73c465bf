/** Who is asking: the API key says which merchant and which mode. */
import { Refused } from '@tillstream/rpc/refusals';
import type { FastifyRequest } from 'fastify';
import type { Clients } from '../clients.ts';

export interface Tenant {
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly apiKeyId: string;
  readonly scopes: readonly string[];
}

// A key has some sixty characters.
const longestKey = 200;

/** Each request asks the merchant service, which remembers for a moment: a revoked key ends at once. */
export async function authenticate(request: FastifyRequest, merchant: Clients['merchant']): Promise<Tenant> {
  const [, apiKey = ''] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  if (apiKey === '' || apiKey.length > longestKey) {
    throw new Refused('invalid_api_key', { detail: 'Send the API key as Authorization: Bearer till_…' });
  }
  const tenant = await merchant.authenticate({ apiKey });
  const scope = isRead(request) ? 'read' : 'write';
  if (!tenant.scopes.includes(scope)) throw new Refused('missing_scope', { detail: `This needs the scope ${scope}.` });
  return tenant;
}

export function isRead(request: FastifyRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

export function tenantOf(request: FastifyRequest): Tenant {
  if (request.tenant === null) throw new Error(`${request.url} was reached without a key`);
  return request.tenant;
}
