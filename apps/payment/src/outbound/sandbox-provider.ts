/** The connector to the sandbox: real HTTP, one total deadline, answers checked before they are believed. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { inSpan } from '@tillstream/telemetry/trace';
import { Pool } from 'undici';
import { z } from 'zod';
import type { Fact } from '../domain/fact.ts';
import type { PageAnswer, Provider } from './provider.ts';

export interface SandboxAccess {
  readonly url: string;
  readonly secret: string;
  readonly callbackSecret: string;
  /** Where the sandbox sends callbacks. */
  readonly callbackUrl: string;
  /** Default 8 s: longer than a provider needs, shorter than a customer waits. */
  readonly deadlineMs?: number;
}

const payment = z.object({
  id: z.string().min(1).max(100),
  reference: z.string().max(100),
  amount_minor: z.string().regex(/^[0-9]{1,15}$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
  status: z.enum(['created', 'opened', 'submitted', 'succeeded', 'failed', 'withdrawn']),
  failure_code: z.string().max(100),
  failure_words: z.string().max(500),
  card_brand: z.string().max(40),
  card_last_4: z.string().regex(/^([0-9]{4})?$/),
  card_expiration: z.string().regex(/^((0[1-9]|1[0-2])\/20[0-9]{2})?$/),
});
const opened = z.object({ id: z.string().min(1).max(100), page_url: z.url().max(500) });
const callback = z.object({ id: z.string().min(1).max(100), type: z.string().max(100), payment });
const found = z.object({ data: z.array(payment).max(100) });

// A callback that is older was replayed or waited too long; the provider tells it again with a new time.
const callbackAgeSeconds = 300;

export function sandboxProvider(access: SandboxAccess): Provider {
  const pool = new Pool(access.url, { connections: 16, keepAliveTimeout: 10_000, maxResponseSize: 64 * 1024 });
  const deadlineMs = access.deadlineMs ?? 8_000;

  const call = (
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    key?: string,
  ): Promise<{ status: number; text: string }> =>
    inSpan(
      `${method} sandbox`,
      { kind: 'client', attributes: { 'http.request.method': method, 'server.address': new URL(access.url).host } },
      async (span) => {
        const response = await pool.request({
          method,
          path,
          headers: {
            authorization: `Bearer ${access.secret}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(key === undefined ? {} : { 'idempotency-key': key }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(deadlineMs),
        });
        span.setAttribute('http.response.status_code', response.statusCode);
        return { status: response.statusCode, text: await response.body.text() };
      },
    );

  return {
    name: 'sandbox',
    systemName: 'Bank Card',
    async openPage(request): Promise<PageAnswer> {
      try {
        const answer = await call(
          'POST',
          '/v1/payments',
          {
            reference: request.reference,
            amount_minor: String(request.amountMinor),
            currency: request.currency,
            return_url: request.returnUrl,
            callback_url: access.callbackUrl,
            description: request.description,
            locale: request.locale,
          },
          request.key,
        );
        // 409: the key is known with another request, so an earlier try arrived.
        if (answer.status >= 500 || [408, 409, 429].includes(answer.status))
          return { outcome: 'unknown', because: `status ${answer.status}` };
        if (answer.status >= 400)
          return {
            outcome: 'declined',
            code: `http_${answer.status}`,
            description: 'The provider did not accept the payment.',
          };
        const { id, page_url } = opened.parse(JSON.parse(answer.text));
        return { outcome: 'open', providerPaymentId: id, redirectUrl: page_url };
      } catch (error) {
        // Also an answer that cannot be read: the provider may have acted on the request.
        return { outcome: 'unknown', because: error instanceof Error ? error.name : 'error' };
      }
    },
    async ask(reference) {
      const answer = await twice(() => call('GET', `/v1/payments?reference=${encodeURIComponent(reference)}`));
      if (answer.status !== 200) throw new Error(`the provider answered ${answer.status}`);
      const [first] = found.parse(JSON.parse(answer.text)).data;
      return first === undefined ? undefined : toFact(first);
    },
    async withdraw(providerPaymentId) {
      const answer = await twice(() =>
        call('POST', `/v1/payments/${encodeURIComponent(providerPaymentId)}/withdraw`, {}),
      );
      if (answer.status === 200) return true;
      if (answer.status === 409) return false;
      throw new Error(`the provider answered ${answer.status}`);
    },
    readCallback(headers, body, now) {
      const signed = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(headers['sandbox-signature'] ?? '');
      if (signed === null) return undefined;
      const [, seconds = '0', signature = ''] = signed;
      const wanted = createHmac('sha256', access.callbackSecret).update(`${seconds}.`).update(body).digest();
      if (!timingSafeEqual(wanted, Buffer.from(signature, 'hex'))) return undefined;
      if (Math.abs(now.getTime() / 1_000 - Number(seconds)) > callbackAgeSeconds) return undefined;
      return readBody(body);
    },
    readStored: readBody,
  };
}

/** A connection that was kept and has died in between is no answer; asking and withdrawing can be said again. */
async function twice<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') throw error;
    return ask();
  }
}

function readBody(body: Uint8Array): { eventId: string; fact: Fact } | undefined {
  const read = callback.safeParse(parse(body));
  return read.success ? { eventId: read.data.id, fact: toFact(read.data.payment) } : undefined;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

function toFact(said: z.infer<typeof payment>): Fact {
  return {
    providerPaymentId: said.id,
    reference: said.reference,
    status: said.status,
    amountMinor: BigInt(said.amount_minor),
    currency: said.currency,
    failureCode: said.failure_code,
    failureWords: said.failure_words,
    card:
      said.card_last_4 === ''
        ? undefined
        : { type: said.card_brand, last4: said.card_last_4, expiration: said.card_expiration },
  };
}
