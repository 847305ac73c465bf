/** The connector to the sandbox: real HTTP, one total deadline, answers checked before they are believed. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { card } from '@tillstream/instrument/instrument';
import { inSpan } from '@tillstream/telemetry/trace';
import { Pool } from 'undici';
import { z } from 'zod';
import { probe } from '@tillstream/telemetry/probe';
import type { Fact } from '../domain/fact.ts';
import type { ChargeAnswer, PageAnswer, Provider } from './provider.ts';

/** One request and its answer. Throws when none came before the signal, or when the connection broke. */
export type Exchange = (request: {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}) => Promise<{ readonly status: number; readonly text: string }>;

export interface SandboxAccess {
  readonly url: string;
  readonly secret: string;
  readonly callbackSecret: string;
  /** Where the sandbox sends callbacks. */
  readonly callbackUrl: string;
  /** Default 8 s: longer than a provider needs, shorter than a customer waits. */
  readonly deadlineMs?: number;
  /** How requests reach it; absent = over HTTP. */
  readonly exchange?: Exchange;
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
  // Callbacks do not carry it: what passes through other hands must be of no use to them.
  instrument: z.string().max(100).default(''),
});
const opened = z.object({ id: z.string().min(1).max(100), page_url: z.url().max(500) });
const callback = z.object({ id: z.string().min(1).max(100), type: z.string().max(100), payment });
const found = z.object({ data: z.array(payment).max(100) });

// A callback that is older was replayed or waited too long; the provider tells it again with a new time.
const callbackAgeSeconds = 300;

export function sandboxProvider(access: SandboxAccess): Provider {
  const exchange = access.exchange ?? overHttp(access.url, 16);
  // Of its own: a hundred thousand renewals that are due do not stand before a customer who waits for a page.
  const charges = access.exchange ?? overHttp(access.url, 32);
  const deadlineMs = access.deadlineMs ?? 8_000;

  const call = (
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    key?: string,
    through = exchange,
  ): Promise<{ status: number; text: string }> =>
    inSpan(
      `${method} sandbox`,
      { kind: 'client', attributes: { 'http.request.method': method, 'server.address': new URL(access.url).host } },
      async (span) => {
        const asked = through({
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
        probe('call sent');
        const answer = await asked;
        span.setAttribute('http.response.status_code', answer.status);
        probe('call answered');
        return answer;
      },
    );

  return {
    name: 'sandbox',
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
            method: request.method === 'BankTransfer' ? 'bank_transfer' : 'card',
            save: request.save,
            as_of: request.asOf.toISOString(),
          },
          request.key,
        );
        const refusal = refusalOf(answer.status);
        if (refusal !== undefined) return refusal;
        const { id, page_url } = opened.parse(JSON.parse(answer.text));
        return { outcome: 'open', providerPaymentId: id, redirectUrl: page_url };
      } catch (error) {
        // Also an answer that cannot be read: the provider may have acted on the request.
        return { outcome: 'unknown', because: error instanceof Error ? error.name : 'error' };
      }
    },
    async charge(request): Promise<ChargeAnswer> {
      try {
        const answer = await call(
          'POST',
          '/v1/charges',
          {
            reference: request.reference,
            amount_minor: String(request.amountMinor),
            currency: request.currency,
            instrument: request.token,
            callback_url: access.callbackUrl,
            as_of: request.asOf.toISOString(),
          },
          request.key,
          charges,
        );
        const refusal = refusalOf(answer.status);
        if (refusal !== undefined) return refusal;
        const fact = toFact(payment.parse(JSON.parse(answer.text)));
        const isSettled = fact.status === 'succeeded' || fact.status === 'failed';
        return isSettled ? { outcome: 'known', fact } : { outcome: 'unknown', because: fact.status };
      } catch (error) {
        return { outcome: 'unknown', because: error instanceof Error ? error.name : 'error' };
      }
    },
    async ask(reference, asOf) {
      const query = new URLSearchParams({ reference, as_of: asOf.toISOString() });
      const answer = await twice(() => call('GET', `/v1/payments?${query.toString()}`));
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

function overHttp(url: string, connections: number): Exchange {
  const pool = new Pool(url, { connections, keepAliveTimeout: 10_000, maxResponseSize: 64 * 1024 });
  return async (request) => {
    const response = await pool.request(request);
    return { status: response.statusCode, text: await response.body.text() };
  };
}

/** Undefined when the request was accepted. */
function refusalOf(status: number): Exclude<PageAnswer & ChargeAnswer, { outcome: 'open' }> | undefined {
  // 409: the key is known with another request, so an earlier try arrived.
  if (status >= 500 || [408, 409, 429].includes(status)) return { outcome: 'unknown', because: `status ${status}` };
  if (status < 400) return undefined;
  return { outcome: 'declined', code: `http_${status}`, description: 'The provider did not accept the payment.' };
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
  return read.success
    ? { eventId: read.data.id, fact: { ...toFact(read.data.payment), instrumentToken: '' } }
    : undefined;
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
    instrument: card({ brand: said.card_brand, last4: said.card_last_4, expiration: said.card_expiration }),
    instrumentToken: said.instrument,
  };
}
