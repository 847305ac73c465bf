/** One span, one figure and one line per request. */
import { context, type Context } from '@opentelemetry/api';
import type { Log } from '@tillstream/rpc/contract';
import { durations } from '@tillstream/telemetry/metrics';
import { inSpan } from '@tillstream/telemetry/trace';
import type { FastifyInstance } from 'fastify';

const requestDuration = durations('http.server.request.duration', 'How long requests took');

export function observe(server: FastifyInstance, log: Log): void {
  const contexts = new WeakMap<object, Context>();

  server.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { traceparent } = request.headers;
    reply.header('request-id', request.id);
    // A stranger's trace is linked, not continued: it must not decide what ours look like.
    const links = typeof traceparent === 'string' ? [traceparent] : [];
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    void inSpan(`${request.method} ${route}`, { kind: 'server', links, attributes }, async (span) => {
      contexts.set(request, context.active());
      const ended = new Promise<void>((resolve) => reply.raw.once('close', resolve));
      done();
      await ended;
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (reply.refusal !== null) span.setAttribute('error.type', reply.refusal);
      requestDuration.record(reply.elapsedTime / 1_000, {
        ...attributes,
        'http.response.status_code': reply.statusCode,
      });
    });
  });
  // A body arrives in the context of its socket; from here on it is the request's again.
  server.addHook('preValidation', (request, _reply, done) =>
    context.with(contexts.get(request) ?? context.active(), done),
  );

  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    if (route === '/livez' || route === '/readyz') return;
    const line = {
      request_id: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      refusal: reply.refusal ?? undefined,
      merchant_id: request.tenant?.merchantId,
      api_key_id: request.tenant?.apiKeyId,
      ms: Math.round(reply.elapsedTime),
    };
    log.info(line, 'request');
  });
}
