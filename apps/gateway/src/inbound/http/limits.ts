/** How much one key or one address may ask. Counted per process: with several replicas the limit is so much higher. */
import rateLimit from '@fastify/rate-limit';
import { Refused } from '@tillstream/rpc/refusals';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isRead } from './tenant.ts';

export interface Limits {
  readonly writesPerSecond: number;
  readonly readsPerSecond: number;
  readonly callbacksPerSecond: number;
  readonly badKeysPerMinute: number;
}

export async function limitKeys(server: FastifyInstance, limits: Limits): Promise<void> {
  await server.register(rateLimit, {
    hook: 'preParsing',
    timeWindow: 1_000,
    cache: 20_000,
    enableDraftSpec: true,
    keyGenerator: (request) => `${request.tenant?.apiKeyId ?? request.ip} ${isRead(request) ? 'read' : 'write'}`,
    max: (request) => (isRead(request) ? limits.readsPerSecond : limits.writesPerSecond),
    errorResponseBuilder: () => new Refused('rate_limited'),
  });
}

export async function limitCallbacks(server: FastifyInstance, limits: Limits): Promise<void> {
  await server.register(rateLimit, {
    timeWindow: 1_000,
    cache: 20_000,
    max: limits.callbacksPerSecond,
    errorResponseBuilder: () => new Refused('rate_limited'),
  });
}

/** Who presents one bad key after the other is told to wait. Good keys from the same address are not touched. */
export function makeGuessCount(limits: Limits): (request: FastifyRequest) => void {
  const windowMs = 60_000;
  let counts = new Map<string, number>();
  let endsAt = performance.now() + windowMs;
  return (request) => {
    if (performance.now() > endsAt) {
      counts = new Map();
      endsAt = performance.now() + windowMs;
    }
    const count = (counts.get(request.ip) ?? 0) + 1;
    // A flood from many addresses must not fill the memory.
    if (counts.size < 50_000) counts.set(request.ip, count);
    if (count > limits.badKeysPerMinute)
      throw new Refused('rate_limited', { detail: 'Too many invalid API keys from this address. Wait a minute.' });
  };
}
