/**
 * A payment provider to develop against, behind a real HTTP boundary: an API with idempotency keys, its own card page,
 * signed callbacks, a status query and books of its own. Never part of production.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import formbody from '@fastify/formbody';
import type { ServiceApp } from '@tillstream/service/app';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { z } from 'zod';
import { Books, type SandboxPayment } from './books.ts';
import { Callbacks, calm, publicPayment } from './callbacks.ts';
import { readCard } from './cards.ts';
import type { Config } from './config.ts';
import { cardPage, gonePage, strongPage, style } from './pages.ts';
import { Provider } from './provider.ts';

const newPayment = z.strictObject({
  reference: z.string().min(1).max(100),
  amount_minor: z.string().regex(/^[1-9][0-9]{0,14}$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
  return_url: z.url().max(500),
  callback_url: z.url().max(500).optional(),
  description: z.string().max(200).default(''),
  locale: z.string().max(35).default('en'),
});

const behaviour = z.strictObject({
  delay_ms: z.number().int().min(0).max(60_000).default(0),
  double: z.boolean().default(false),
  out_of_order: z.boolean().default(false),
  drop: z.boolean().default(false),
  amount_off_by: z.number().int().default(0),
});

const nextAnswer = z.strictObject({
  behaviour: z.enum(['error_500', 'error_500_after_create', 'no_answer_after_create', 'refuse']),
  times: z.number().int().min(1).max(100).default(1),
});

export function sandboxApp(parts: { config: Config }): ServiceApp {
  const { config } = parts;
  const books = new Books(config.SANDBOX_FILE);
  const callbacks = new Callbacks(config.SANDBOX_CALLBACK_SECRET);
  const provider = new Provider(books, callbacks, config.SANDBOX_SILENCE_MS);
  const http = Fastify({ logger: false, bodyLimit: 64 * 1024 });
  http.register(formbody);
  http.register(async (api) => addApi(api, { books, callbacks, provider, config }), { prefix: '/v1' });
  addPages(http, provider);
  http.get('/livez', async () => 'ok');
  http.addHook('onClose', async () => {
    callbacks.stop();
    provider.stop();
    books.close();
  });
  return { name: 'sandbox', rpc: [], topics: [], subscriptions: [], timers: [], workers: [], http };
}

interface Parts {
  readonly books: Books;
  readonly callbacks: Callbacks;
  readonly provider: Provider;
  readonly config: Config;
}

function addApi(api: FastifyInstance, { books, callbacks, provider, config }: Parts): void {
  const upcoming: string[] = [];
  const show = (payment: SandboxPayment) => ({
    ...publicPayment(payment),
    page_url: `${config.SANDBOX_PUBLIC_URL}/pay/${payment.id}`,
  });

  api.addHook('onRequest', async (request, reply) => {
    if (!isSame(request.headers.authorization ?? '', `Bearer ${config.SANDBOX_SECRET}`))
      return reply.code(401).send({ error: 'unauthorized' });
    return undefined;
  });
  api.post('/payments', async (request, reply) => {
    const planned = upcoming.shift();
    if (planned === 'error_500') return reply.code(500).send({ error: 'internal' });
    if (planned === 'refuse')
      return reply.code(422).send({ error: 'refused', message: 'The payment is not accepted.' });
    const key = request.headers['idempotency-key'];
    const read = newPayment.safeParse(request.body);
    if (typeof key !== 'string' || key === '' || !read.success)
      return reply.code(400).send({ error: 'invalid_request' });
    const fingerprint = createHash('sha256').update(JSON.stringify(read.data)).digest('hex');
    const before = books.byKey(key);
    if (before !== undefined && before.fingerprint !== fingerprint)
      return reply.code(409).send({ error: 'idempotency_key_reused' });
    const payment =
      before ??
      books.open({
        ...read.data,
        callback_url: read.data.callback_url ?? config.SANDBOX_CALLBACK_URL,
        key,
        fingerprint,
      });
    if (planned === 'error_500_after_create') return reply.code(500).send({ error: 'internal' });
    if (planned === 'no_answer_after_create') {
      reply.hijack();
      reply.raw.destroy();
      return reply;
    }
    return reply.code(before === undefined ? 201 : 200).send(show(provider.look(payment.id) ?? payment));
  });
  api.get<{ Params: { id: string } }>('/payments/:id', async (request, reply) => {
    const payment = provider.look(request.params.id);
    return payment === undefined ? reply.code(404).send({ error: 'not_found' }) : show(payment);
  });
  api.get<{ Querystring: { reference?: string } }>('/payments', async (request) => ({
    data: books.byReference(request.query.reference ?? '').map((payment) => show(provider.look(payment.id) ?? payment)),
  }));
  api.post<{ Params: { id: string } }>('/payments/:id/withdraw', async (request, reply) => {
    const payment = provider.look(request.params.id);
    if (payment === undefined) return reply.code(404).send({ error: 'not_found' });
    const isWithdrawn = provider.withdrawn(payment);
    return reply.code(isWithdrawn ? 200 : 409).send(show(provider.look(payment.id) ?? payment));
  });
  api.get('/journal', async () => ({ data: books.journal() }));

  // For tests: what goes wrong next.
  api.post('/test/callbacks', async (request) => {
    callbacks.behaviour = { ...calm, ...behaviour.parse(request.body ?? {}) };
    return callbacks.behaviour;
  });
  api.post('/test/next', async (request) => {
    const { behaviour: what, times } = nextAnswer.parse(request.body);
    for (let at = 0; at < times; at += 1) upcoming.push(what);
    return { upcoming };
  });
  api.get('/test/sent', async () => ({ data: callbacks.sent }));
}

function addPages(http: FastifyInstance, provider: Provider): void {
  const send = async (reply: FastifyReply, status: number, content: ReturnType<typeof gonePage>) =>
    reply
      .code(status)
      .headers({
        // Back to the shop is a redirect after a form's POST, which form-action also governs; the shop may be anywhere.
        'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      .type('text/html')
      .send(String(await content));
  const onwards = (reply: FastifyReply, payment: SandboxPayment) =>
    reply.code(303).header('location', payment.return_url).header('cache-control', 'no-store').send();
  const isSettled = (payment: SandboxPayment) =>
    ['succeeded', 'failed', 'withdrawn'].includes(payment.status) || payment.hidden_status !== '';

  http.get('/sandbox.css', async (_request, reply) =>
    reply.type('text/css').header('cache-control', 'max-age=3600').send(style),
  );
  http.get<{ Params: { id: string } }>('/pay/:id', async (request, reply) => {
    const found = provider.look(request.params.id);
    if (found === undefined) return send(reply, 404, gonePage());
    const payment = provider.opened(found);
    if (isSettled(payment)) return onwards(reply, payment);
    return send(reply, 200, payment.status === 'submitted' ? strongPage(payment) : cardPage(payment, {}));
  });
  http.post<{ Params: { id: string }; Body: Record<string, string> | undefined }>(
    '/pay/:id',
    async (request, reply) => {
      const payment = provider.look(request.params.id);
      if (payment === undefined) return send(reply, 404, gonePage());
      if (isSettled(payment)) return onwards(reply, payment);
      if (payment.status === 'submitted') return send(reply, 200, strongPage(payment));
      const { number = '', expiry = '', cvc = '' } = request.body ?? {};
      const card = readCard({ number, expiry, cvc }, new Date());
      if (!('rule' in card)) return send(reply, 422, cardPage(payment, card));
      const after = provider.submitted(payment, card);
      return isSettled(after) ? onwards(reply, after) : reply.code(303).header('location', `/pay/${after.id}`).send();
    },
  );
  http.post<{ Params: { id: string }; Body: Record<string, string> | undefined }>(
    '/pay/:id/confirmation',
    async (request, reply) => {
      const payment = provider.look(request.params.id);
      if (payment === undefined) return send(reply, 404, gonePage());
      if (isSettled(payment) || payment.status !== 'submitted') return onwards(reply, payment);
      return onwards(reply, provider.confirmed(payment, request.body?.['action'] === 'confirm'));
    },
  );
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

export { settings } from './config.ts';
