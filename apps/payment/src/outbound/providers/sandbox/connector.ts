/** The connector to the sandbox: real HTTP, one total deadline, answers checked before they are believed. */
import { inSpan } from '@tillstream/telemetry/trace';
import { z } from 'zod';
import { probe } from '@tillstream/telemetry/probe';
import type { ChargeAnswer, Declined, HttpTransport, PageAnswer, Provider, Unknown } from '../../../ports.ts';
import { payment, readSigned, toReport } from './callbacks.ts';

export interface SandboxAccess {
  readonly url: string;
  readonly apiKey: string;
  readonly callbackSecret: string;
  /** Where the sandbox sends callbacks. */
  readonly callbackUrl: string;
  readonly pages: HttpTransport;
  readonly charges: HttpTransport;
}

const opened = z.object({ id: z.string().min(1).max(100), page_url: z.url().max(500) });
const found = z.object({ data: z.array(payment).max(100) });

// Longer than a provider needs, shorter than a customer waits.
const deadlineMs = 8_000;

export function connector(access: SandboxAccess) {
  const call = (
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    key?: string,
    through = access.pages,
  ): Promise<{ status: number; text: string }> =>
    inSpan(
      `${method} sandbox`,
      { kind: 'client', attributes: { 'http.request.method': method, 'server.address': new URL(access.url).host } },
      async (span) => {
        const asked = through({
          method,
          path,
          headers: {
            authorization: `Bearer ${access.apiKey}`,
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
          access.charges,
        );
        const refusal = refusalOf(answer.status);
        if (refusal !== undefined) return refusal;
        const report = toReport(payment.parse(JSON.parse(answer.text)));
        // Another payment's outcome is no answer to this.
        if (report.reference !== request.reference) return { outcome: 'unknown', because: 'another reference' };
        const isSettled = report.status === 'succeeded' || report.status === 'failed';
        return isSettled ? { outcome: 'known', report } : { outcome: 'unknown', because: report.status };
      } catch (error) {
        return { outcome: 'unknown', because: error instanceof Error ? error.name : 'error' };
      }
    },
    async ask(reference, asOf) {
      const query = new URLSearchParams({ reference, as_of: asOf.toISOString() });
      const answer = await twice(() => call('GET', `/v1/payments?${query.toString()}`));
      if (answer.status !== 200) throw new Error(`the provider answered ${answer.status}`);
      const said = found.parse(JSON.parse(answer.text)).data.find((each) => each.reference === reference);
      return said === undefined ? undefined : toReport(said);
    },
    async withdraw(providerPaymentId) {
      const answer = await twice(() =>
        call('POST', `/v1/payments/${encodeURIComponent(providerPaymentId)}/withdraw`, {}),
      );
      if (answer.status === 200) return true;
      if (answer.status === 409) return false;
      throw new Error(`the provider answered ${answer.status}`);
    },
    readCallback: (headers, body, now) => readSigned(access.callbackSecret, headers, body, now),
  } satisfies Provider;
}

/** Undefined when the request was accepted. */
function refusalOf(status: number): Declined | Unknown | undefined {
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
