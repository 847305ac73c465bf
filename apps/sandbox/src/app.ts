/**
 * A payment provider to develop against, behind a real HTTP boundary: an API with idempotency keys, its own card page,
 * signed callbacks, a status query and books of its own. Never part of production.
 */
import { createHash } from 'node:crypto';
import formbody from '@fastify/formbody';
import type { ServiceApp } from '@tillstream/service/app';
import { limitConnections, serverOptions } from '@tillstream/service/http-limits';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callbackSecretOf, callerOf, maySee, type Caller } from './accounts.ts';
import { Books, type SandboxPayment } from './books.ts';
import { Callbacks, calm, publicPayment } from './callbacks.ts';
import { readCard } from './cards.ts';
import type { Config } from './config.ts';
import { cardPage, gonePage, strongPage, style, transferPage } from './pages.ts';
import { Provider, shiftOf, timeOf } from './provider.ts';

// The time as the caller lives it, where that is not the wall's (a test clock).
const asOf = z.iso.datetime().optional();

const newPayment = z
  .strictObject({
    reference: z.string().min(1).max(100),
    amount_minor: z.string().regex(/^(0|[1-9][0-9]{0,14})$/),
    currency: z.string().regex(/^[A-Z]{3}$/),
    return_url: z.url().max(500),
    callback_url: z.url().max(500).optional(),
    description: z.string().max(200).default(''),
    locale: z.string().max(35).default('en'),
    method: z.enum(['card', 'bank_transfer']).default('card'),
    save: z.boolean().default(false),
    as_of: asOf,
  })
  // Nothing is charged only to keep the card; a transfer leaves nothing to keep.
  .refine((made) => (made.save ? made.method === 'card' : made.amount_minor !== '0'));

const newCharge = z.strictObject({
  reference: z.string().min(1).max(100),
  amount_minor: z.string().regex(/^[1-9][0-9]{0,14}$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
  instrument: z.string().min(1).max(100),
  callback_url: z.url().max(500).optional(),
  description: z.string().max(200).default(''),
  as_of: asOf,
});

const asked = z.object({ reference: z.string().max(100).default(''), as_of: asOf });

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
  const callbacks = new Callbacks((account) => callbackSecretOf(account, config.SANDBOX_CALLBACK_SECRET));
  const provider = new Provider(books, callbacks, config.SANDBOX_SILENCE_MS);
  const http = Fastify({ logger: false, bodyLimit: 64 * 1024, ...serverOptions(config) });
  limitConnections(http.server, config);
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
  const callers = new WeakMap<FastifyRequest, Caller>();
  const stranger: Caller = { account: '-' };
  const callerIn = (request: FastifyRequest) => callers.get(request) ?? stranger;
  const show = (payment: SandboxPayment) => ({
    ...publicPayment(payment),
    instrument: payment.instrument,
    ...(payment.off_session ? {} : { page_url: `${config.SANDBOX_PUBLIC_URL}/pay/${payment.id}` }),
  });
  const keyOf = (request: FastifyRequest) => String(request.headers['idempotency-key'] ?? '');
  /** The same key finds the same payment, as it is by the caller's time now; the same key with another request is refused. */
  const once = (
    request: FastifyRequest,
    reply: FastifyReply,
    planned: string | undefined,
    said: { readonly as_of?: string | undefined },
    make: (of: Pick<SandboxPayment, 'account' | 'key' | 'fingerprint' | 'shift_ms'>) => SandboxPayment,
  ) => {
    const { as_of, ...asked } = said;
    const { account } = callerIn(request);
    const key = keyOf(request);
    const fingerprint = createHash('sha256').update(JSON.stringify(asked)).digest('hex');
    const before = books.byKey(account, key);
    if (before !== undefined && before.fingerprint !== fingerprint)
      return reply.code(409).send({ error: 'idempotency_key_reused' });
    const payment = before ?? make({ account, key, fingerprint, shift_ms: shiftOf(as_of) });
    if (planned === 'error_500_after_create') return reply.code(500).send({ error: 'internal' });
    if (planned === 'no_answer_after_create') {
      reply.hijack();
      reply.raw.destroy();
      return reply;
    }
    return reply.code(before === undefined ? 201 : 200).send(show(provider.look(payment.id, as_of) ?? payment));
  };
  /** Another account's payment is none. */
  const seen = (request: FastifyRequest, payment: SandboxPayment | undefined) =>
    payment !== undefined && maySee(callerIn(request), payment) ? payment : undefined;
  const refuseAsPlanned = (reply: FastifyReply, planned: string | undefined) => {
    if (planned === 'error_500') return reply.code(500).send({ error: 'internal' });
    if (planned === 'refuse')
      return reply.code(422).send({ error: 'refused', message: 'The payment is not accepted.' });
    return undefined;
  };

  api.addHook('onRequest', async (request, reply) => {
    const caller = callerOf(request.headers.authorization ?? '', config.SANDBOX_SECRET);
    if (caller === undefined) return reply.code(401).send({ error: 'unauthorized' });
    callers.set(request, caller);
    // What goes wrong next goes wrong for all.
    if (request.routeOptions.url?.startsWith('/v1/test/') === true && caller.account !== '')
      return reply.code(403).send({ error: 'forbidden' });
    return undefined;
  });
  api.post('/payments', async (request, reply) => {
    const planned = upcoming.shift();
    const refusal = refuseAsPlanned(reply, planned);
    if (refusal !== undefined) return refusal;
    const read = newPayment.safeParse(request.body);
    if (keyOf(request) === '' || !read.success) return reply.code(400).send({ error: 'invalid_request' });
    return once(request, reply, planned, read.data, (of) => {
      const { as_of: _, callback_url = config.SANDBOX_CALLBACK_URL, ...made } = read.data;
      return books.open({ ...made, ...of, callback_url, off_session: false });
    });
  });
  api.post('/charges', async (request, reply) => {
    const planned = upcoming.shift();
    const refusal = refuseAsPlanned(reply, planned);
    if (refusal !== undefined) return refusal;
    const read = newCharge.safeParse(request.body);
    if (keyOf(request) === '' || !read.success) return reply.code(400).send({ error: 'invalid_request' });
    const instrument = books.instrument(read.data.instrument);
    if (instrument === undefined || !maySee(callerIn(request), instrument))
      return reply.code(404).send({ error: 'instrument_not_found' });
    return once(request, reply, planned, read.data, (of) => {
      const { as_of: _, instrument: __, callback_url = config.SANDBOX_CALLBACK_URL, ...made } = read.data;
      return provider.charged({ ...made, ...of, callback_url, ...withoutCustomer }, instrument);
    });
  });
  api.get<{ Params: { id: string } }>('/payments/:id', async (request, reply) => {
    const read = asked.safeParse(request.query);
    const payment = seen(request, provider.look(request.params.id, read.data?.as_of));
    return payment === undefined ? reply.code(404).send({ error: 'not_found' }) : show(payment);
  });
  api.get('/payments', async (request, reply) => {
    const read = asked.safeParse(request.query);
    if (!read.success) return reply.code(400).send({ error: 'invalid_request' });
    const { reference, as_of } = read.data;
    const found = books.byReference(reference).filter((payment) => maySee(callerIn(request), payment));
    return { data: found.map((payment) => show(provider.look(payment.id, as_of) ?? payment)) };
  });
  api.post<{ Params: { id: string } }>('/payments/:id/withdraw', async (request, reply) => {
    const payment = seen(request, provider.look(request.params.id));
    if (payment === undefined) return reply.code(404).send({ error: 'not_found' });
    const isWithdrawn = provider.withdrawn(payment);
    return reply.code(isWithdrawn ? 200 : 409).send(show(provider.look(payment.id) ?? payment));
  });
  api.get('/journal', async (request) => ({
    data: books.journal().filter(({ payment }) => seen(request, books.find(payment)) !== undefined),
  }));

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

const withoutCustomer = { return_url: '', locale: '', method: 'card', save: false, off_session: true } as const;

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
    if (found.off_session) return send(reply, 404, gonePage());
    const payment = provider.opened(found);
    if (isSettled(payment)) return onwards(reply, payment);
    if (payment.status === 'submitted') return send(reply, 200, strongPage(payment));
    return send(reply, 200, payment.method === 'bank_transfer' ? transferPage(payment) : cardPage(payment, {}));
  });
  http.post<{ Params: { id: string }; Body: Record<string, string> | undefined }>(
    '/pay/:id',
    async (request, reply) => {
      const payment = provider.look(request.params.id);
      if (payment === undefined || payment.off_session) return send(reply, 404, gonePage());
      if (isSettled(payment)) return onwards(reply, payment);
      if (payment.status === 'submitted') return send(reply, 200, strongPage(payment));
      const { number = '', expiry = '', cvc = '', action = '' } = request.body ?? {};
      if (payment.method === 'bank_transfer') {
        // Only what a button says moves money.
        if (action !== 'approve' && action !== 'refuse') return send(reply, 422, transferPage(payment));
        return onwards(reply, provider.transferred(payment, action === 'approve'));
      }
      const card = readCard({ number, expiry, cvc }, timeOf(payment));
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

export { settings } from './config.ts';
