/** The HTTP side: which path is whose, what every answer carries, and what a customer sees when something fails. */
import formbody from '@fastify/formbody';
import rateLimit from '@fastify/rate-limit';
import type { Log } from '@tillstream/rpc/contract';
import { Refused } from '@tillstream/rpc/refusals';
import { limitConnections, serverOptions } from '@tillstream/service/http-limits';
import { durations } from '@tillstream/telemetry/metrics';
import { inSpan } from '@tillstream/telemetry/trace';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { probe } from '@tillstream/telemetry/probe';
import { assets } from '../assets/assets.ts';
import { textOf } from '../pages/html.ts';
import type { Answer } from './answer.ts';
import { addToBasket } from './basket-routes.ts';
import { changeCheckout, showCheckout } from './checkout-routes.ts';
import { isSecure, type RouteParts } from './clients.ts';
import { failureAnswer, foreignFormAnswer, notFoundAnswer } from './failures.ts';
import { isForeignForm, securityHeaders } from './guard.ts';
import { beginPayment, goOn, showOrder, showPay, showThanks, tellPhase } from './order-routes.ts';
import { askToCancel, backToOrder, changeSubscription } from './subscription-routes.ts';
import { localeCookieOf, makeNonce, readVisit, type Visit } from './visit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of this answer: what has another one does not run. */
    nonce: string;
  }
}

type Handler = (visit: Visit, parts: RouteParts) => Promise<Answer>;

const routes: readonly (readonly ['GET' | 'POST', string, Handler])[] = [
  ['GET', '/basket/add/:product', addToBasket],
  ['GET', '/checkout/:cart', showCheckout],
  ['POST', '/checkout/:cart', changeCheckout],
  ['GET', '/pay/:order/:token', showPay],
  ['POST', '/pay/:order/:token', beginPayment],
  ['GET', '/pay/:order/:token/go', goOn],
  ['GET', '/thanks/:order/:token', showThanks],
  ['GET', '/thanks/:order/:token/status', tellPhase],
  ['GET', '/order/status/:order/:token', showOrder],
  ['GET', '/order/status/:order/:token/cancel/:subscription', askToCancel],
  ['GET', '/order/status/:order/:token/subscription', backToOrder],
  ['POST', '/order/status/:order/:token/subscription', changeSubscription],
];

// The largest honest form is some two kilobytes; names of 10,000 characters shall still get an answer of their own.
const bodyLimit = 64 * 1024;
const yearS = 365 * 24 * 3_600;
const requestDuration = durations('http.server.request.duration', 'How long pages took to answer');

export async function openHttp(parts: RouteParts & { readonly log: Log }): Promise<FastifyInstance> {
  const { config } = parts;
  const http = Fastify({
    logger: false,
    bodyLimit,
    ...serverOptions(config),
    trustProxy: config.TRUSTED_PROXIES.length === 0 ? false : config.TRUSTED_PROXIES,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
  });
  limitConnections(http.server, config);
  http.decorateRequest('nonce', '');
  http.addHook('onRequest', async (request, reply) => {
    request.nonce = makeNonce();
    reply.headers(
      securityHeaders({
        nonce: request.nonce,
        isSecure: isSecure(config),
        paymentPageOrigins: config.PAYMENT_PAGE_ORIGINS,
      }),
    );
  });
  // Forms are the only bodies there are.
  http.removeAllContentTypeParsers();
  await http.register(formbody, { parser: (text) => Object.fromEntries(new URLSearchParams(text)) });
  await http.register(rateLimit, { global: false });
  addFiles(http);
  addHealth(http, parts);
  for (const [method, url, handle] of routes) {
    const isCounted = config.POSTS_PER_TEN_SECONDS > 0 && (method === 'POST' || handle === addToBasket);
    const limit = isCounted ? { rateLimit: { max: config.POSTS_PER_TEN_SECONDS, timeWindow: 10_000 } } : {};
    http.route({
      method,
      url,
      config: limit,
      handler: (request, reply) => run(request, reply, { method, url, handle, parts }),
    });
  }
  addRefusedMethods(http);
  http.setNotFoundHandler((request, reply) => send(reply, notFoundAnswer(readVisit(request, request.nonce))));
  http.setErrorHandler((error, request, reply) =>
    send(reply, failureAnswer(readVisit(request, request.nonce), error, parts.log)),
  );
  return http;
}

interface Route {
  readonly method: string;
  readonly url: string;
  readonly handle: Handler;
  readonly parts: RouteParts & { readonly log: Log };
}

/** The trace of a purchase begins here, with the customer's click. */
async function run(
  request: FastifyRequest,
  reply: FastifyReply,
  { method, url, handle, parts }: Route,
): Promise<FastifyReply> {
  const startedAt = performance.now();
  const attributes = { 'http.request.method': method, 'http.route': url };
  return inSpan(`${method} ${url}`, { kind: 'server', attributes }, async (span) => {
    const visit = readVisit(request, request.nonce);
    const answer = await answerTo(request, visit, handle, parts);
    const asked = visit.query['locale'] === undefined ? undefined : visit.askedLocale;
    const cookies = asked === undefined ? [] : [localeCookieOf(asked, isSecure(parts.config))];
    const sent = send(reply, { ...answer, cookies: [...cookies, ...(answer.cookies ?? [])] });
    span.setAttribute('http.response.status_code', reply.statusCode);
    requestDuration.record((performance.now() - startedAt) / 1_000, {
      ...attributes,
      'http.response.status_code': reply.statusCode,
    });
    return sent;
  });
}

async function answerTo(
  request: FastifyRequest,
  visit: Visit,
  handle: Handler,
  parts: Route['parts'],
): Promise<Answer> {
  if (request.method === 'POST' && isForeignForm(request.headers, parts.config.CHECKOUT_URL))
    return foreignFormAnswer(visit);
  try {
    probe('request parsed');
    const answer = await handle(visit, parts);
    probe('request done');
    return answer;
  } catch (error) {
    return failureAnswer(visit, error, parts.log);
  }
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  for (const cookie of answer.cookies ?? []) reply.header('set-cookie', cookie);
  switch (answer.type) {
    case 'redirect':
      return reply.redirect(answer.to, 303);
    case 'json':
      return reply.send(answer.body);
    case 'text':
      return reply.code(answer.status).type('text/plain; charset=utf-8').send(answer.body);
    case 'page':
      return reply.code(answer.status).type('text/html; charset=utf-8').send(textOf(answer.content));
  }
}

/** A path that exists answers the wrong method with the right ones. */
function addRefusedMethods(http: FastifyInstance): void {
  for (const [url, methods] of Map.groupBy(routes, ([, path]) => path)) {
    const allowed = methods.map(([method]) => method);
    const refused = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
      (method) => !allowed.some((each) => each === method),
    );
    const refuse = (request: FastifyRequest, reply: FastifyReply) =>
      send(reply.header('allow', allowed.join(', ')), notFoundAnswer(readVisit(request, request.nonce), 405));
    // Before a body is read: it is nothing to anybody.
    http.route({ method: refused, url, onRequest: async (request, reply) => refuse(request, reply), handler: refuse });
  }
}

function addFiles(http: FastifyInstance): void {
  for (const asset of assets) {
    http.get(asset.path, async (request, reply) => {
      const takesBrotli = /\bbr\b/.test(request.headers['accept-encoding'] ?? '');
      if (takesBrotli) reply.header('content-encoding', 'br');
      reply.headers({ 'cache-control': `public, max-age=${yearS}, immutable`, vary: 'accept-encoding' });
      return reply.type(asset.type).send(takesBrotli ? asset.brotli : asset.plain);
    });
  }
  http.get('/robots.txt', async (_request, reply) => reply.type('text/plain').send('User-agent: *\nDisallow: /\n'));
}

function addHealth(http: FastifyInstance, { order }: RouteParts): void {
  http.get('/livez', async () => ({ status: 'ok' }));
  http.get('/readyz', async (_request, reply) => {
    try {
      await order.getCart({ cartId: '0'.repeat(32) }, { deadlineMs: 2_000 });
    } catch (error) {
      // That there is no such cart is an answer all the same.
      if (!(error instanceof Refused) || error.code === 'unavailable')
        return reply.code(503).send({ status: 'not ready', failing: ['order'] });
    }
    return { status: 'ok' };
  });
}
