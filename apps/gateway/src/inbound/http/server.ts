/** The HTTP server of the public API: who is asking, how much, what is wrong. The routes are added by their nouns. */
import { randomBytes } from 'node:crypto';
import type { Log } from '@tillstream/rpc/contract';
import { Refused } from '@tillstream/rpc/refusals';
import { limitConnections, serverOptions, type HttpLimits } from '@tillstream/service/http-limits';
import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { looksLikeCard } from '../../domain/card-number.ts';
import { canBeKept, textsIn } from '../../domain/texts.ts';
import type { Clients } from '../clients.ts';
import type { Api } from './api.ts';
import { documentRoutes, showDocumentation } from './documentation.ts';
import { rememberAnswers, type AnswerStore } from './idempotency.ts';
import { limitCallbacks, limitKeys, makeGuessCount, type Limits } from './limits.ts';
import { observe } from './observation.ts';
import { answerBrokenRequest, refusalOf, sendProblem } from './problems.ts';
import { authenticate } from './tenant.ts';

export interface ServerParts {
  readonly merchant: Clients['merchant'];
  readonly answers: AnswerStore;
  readonly log: Log;
  readonly limits: Limits;
  readonly trustedProxies: readonly string[];
  readonly http: HttpLimits;
  /** Throws when it cannot work. */
  check(): Promise<void>;
  /** The routes of merchants, under /v1. */
  addRoutes(api: Api): void;
  /** The routes of payment providers: no key, bodies as bytes. */
  addCallbacks(server: FastifyInstance): void;
}

const bodyLimitBytes = 256 * 1024;

export function makeServer(parts: ServerParts): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    ...serverOptions(parts.http),
    forceCloseConnections: 'idle',
    trustProxy: parts.trustedProxies.length === 0 ? false : [...parts.trustedProxies],
    genReqId: () => `req_${randomBytes(12).toString('hex')}`,
    routerOptions: { maxParamLength: 255 },
    // What is no request yet: an address that cannot be read, an id that is longer than any.
    frameworkErrors: (error, request, reply) => {
      const isUnreadable = error.code === 'FST_ERR_BAD_URL';
      void sendProblem(
        request,
        reply,
        isUnreadable
          ? new Refused('invalid_request', { detail: 'The address cannot be read.' })
          : new Refused('route_not_found'),
      );
    },
    clientErrorHandler: (error, socket) => answerBrokenRequest(socket, error.code),
  });
  limitConnections(server.server, parts.http);
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.decorateRequest('tenant', null);
  server.decorateRequest('claim', null);
  server.decorateReply('refusal', null);
  server.setErrorHandler((error, request, reply) => {
    const refused = refusalOf(error);
    if (refused.code === 'internal') parts.log.error({ err: error, request_id: request.id }, 'a request failed');
    return sendProblem(request, reply, refused);
  });
  server.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Refused('route_not_found')));
  observe(server, parts.log);
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });

  // A connection whose last answer is given while the server stops would be kept open by its client, and hold up the stop.
  let isClosing = false;
  server.addHook('preClose', async () => {
    isClosing = true;
  });
  server.addHook('onSend', async (_request, reply, payload) => {
    if (isClosing) reply.header('connection', 'close');
    return payload;
  });

  server.register(async (documented) => {
    await documentRoutes(documented);
    documented.register(async (api) => addApi(api.withTypeProvider<ZodTypeProvider>(), parts), { prefix: '/v1' });
    await showDocumentation(documented);
  });
  server.register(async (callbacks) => {
    await limitCallbacks(callbacks, parts.limits);
    parts.addCallbacks(callbacks);
  });
  server.get('/livez', { schema: { hide: true } }, async () => 'ok');
  server.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    try {
      await parts.check();
      return 'ok';
    } catch {
      return reply.code(503).send('not ready');
    }
  });
  return server;
}

async function addApi(api: Api, parts: ServerParts): Promise<void> {
  const countGuess = makeGuessCount(parts.limits);
  api.addHook('onRequest', async (request) => {
    try {
      request.tenant = await authenticate(request, parts.merchant);
    } catch (error) {
      if (error instanceof Refused && error.code === 'invalid_api_key') countGuess(request);
      throw error;
    }
  });
  await limitKeys(api, parts.limits);
  takeEmptyBodies(api);
  api.addHook('preValidation', async (request) => {
    const mayHoldCardNumbers = request.routeOptions.config.mayHoldCardNumbers === true;
    for (const part of [request.body, request.query]) {
      for (const { path, text } of textsIn(part)) refuseText(path, text, mayHoldCardNumbers && part === request.body);
    }
  });
  rememberAnswers(api, parts.answers, parts.log);
  parts.addRoutes(api);
}

/** Many clients name JSON as the type of a body that they do not send. */
function takeEmptyBodies(api: Api): void {
  const readJson = api.getDefaultJsonParser('error', 'error');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void readJson(request, body.toString(), done);
  });
}

function refuseText(path: string, text: string, mayHoldCardNumbers: boolean): void {
  const where = path === '' ? {} : { param: path };
  if (!canBeKept(text))
    throw new Refused('invalid_field', {
      ...where,
      detail: 'A text holds a character that cannot be kept (NUL, or half a character).',
    });
  if (!mayHoldCardNumbers && looksLikeCard(text)) throw new Refused('card_number_refused', where);
}
