/**
 * A POST with an Idempotency-Key is worked on once; the same request again gets the same bytes. The key belongs to the
 * merchant, not to the API key. What was refused for good is kept as well; what may pass is tried again, and what
 * is still under way (202) is looked at again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refused } from '@tillstream/rpc/refusals';
import type { Log } from '@tillstream/rpc/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { probe } from '@tillstream/telemetry/probe';
import type { Claim, Claimed, StoredAnswer } from '../../domain/answer.ts';
import { isPassing } from './problems.ts';
import { tenantOf } from './tenant.ts';

export interface AnswerStore {
  claim(merchantId: string, key: string, request: string): Promise<Claimed>;
  keep(claim: Claim, answer: StoredAnswer): Promise<void>;
  release(claim: Claim): Promise<void>;
}

// The merchant waits meanwhile. An outage that is longer leaves an answer that was given and is not stored: a repetition is
// worked on again, and the services recognise its request id (docs/decisions/repeated-requests.md).
const pausesMs = [50, 250];
const keyForm = /^[\x20-\x7e]{1,255}$/;

export function rememberAnswers(server: FastifyInstance, answers: AnswerStore, log: Log): void {
  // After validation: what is not well formed does nothing and needs no memory.
  server.addHook('preHandler', async (request, reply) => {
    probe('request parsed');
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || key === undefined) return;
    if (typeof key !== 'string' || !keyForm.test(key))
      throw new Refused('idempotency_key_invalid', { param: 'Idempotency-Key' });
    const { merchantId } = tenantOf(request);
    const claimed = await answers.claim(
      merchantId,
      key,
      `${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`,
    );
    switch (claimed.is) {
      case 'mine':
        probe('idempotency claimed');
        request.claim = claimed.claim;
        return;
      case 'answered':
        return reply
          .code(claimed.answer.status)
          .header('idempotent-replayed', 'true')
          .type(claimed.answer.contentType)
          .send(Buffer.from(claimed.answer.body));
      case 'in flight':
        throw new Refused('idempotency_key_in_flight');
      case 'another request':
        throw new Refused('idempotency_key_reused', { param: 'Idempotency-Key' });
    }
  });

  server.addHook('onSend', async (request, reply, payload) => {
    probe('request done');
    const { claim } = request;
    if (claim === null) return payload;
    request.claim = null;
    try {
      const isFinal =
        reply.statusCode < 500 && reply.statusCode !== 202 && (reply.refusal === null || !isPassing(reply.refusal));
      const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.from(payload) : undefined;
      if (!isFinal || body === undefined) await answers.release(claim);
      else
        await insist(() =>
          answers.keep(claim, {
            status: reply.statusCode,
            contentType: String(reply.getHeader('content-type')),
            body,
          }),
        );
    } catch (error) {
      // The work is done and the merchant should hear it; a repetition finds it by the request id.
      log.warn({ err: error, request_id: request.id }, 'an answer could not be stored');
    }
    return payload;
  });
}

/** A connection that broke is no reason to forget what was answered: the same may be written again. */
async function insist(write: () => Promise<void>): Promise<void> {
  for (const pauseMs of pausesMs) {
    try {
      return await write();
    } catch {
      await sleep(pauseMs);
    }
  }
  await write();
}

/** For a service that makes something new each time: the same for every repetition of this request, '' without a key. */
export function requestIdOf(request: FastifyRequest): string {
  return request.claim?.requestId ?? '';
}
