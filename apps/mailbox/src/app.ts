/** A mail server to develop against: it takes everything, sends nothing on, and shows it. Never part of production. */
import Fastify from 'fastify';
import type { ServiceApp } from '@tillstream/service/app';
import { SMTPServer } from 'smtp-server';
import type { Config } from './config.ts';
import { Letters } from './letters.ts';
import { frameOf, letterPage, listPage, styleSource } from './pages.ts';

export function mailboxApp(parts: { config: Config }): ServiceApp {
  const letters = new Letters(parts.config.MAILBOX_FILE);
  const http = Fastify({ logger: false });

  http.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'content-security-policy':
        "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });
  http.get('/mailbox.css', async (_request, reply) => reply.type('text/css').send(styleSource));
  http.get('/api/messages', async () => letters.newestFirst());
  http.get('/livez', async () => 'ok');
  http.get('/', async (_request, reply) => reply.type('text/html').send(String(await listPage(letters.newestFirst()))));
  http.get<{ Params: { id: string } }>('/letters/:id', async (request, reply) => {
    const letter = letters.find(Number(request.params.id));
    if (letter === undefined) return reply.code(404).type('text/plain').send('No such message.');
    return reply.type('text/html').send(String(await letterPage(letter)));
  });
  http.get<{ Params: { id: string } }>('/letters/:id/html', async (request, reply) => {
    const letter = letters.find(Number(request.params.id));
    if (letter === undefined) return reply.code(404).type('text/plain').send('No such message.');
    // A mail's HTML is foreign: inline styles are what mail needs, and nothing else is allowed.
    reply.header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'",
    );
    return reply.type('text/html').send(String(await frameOf(letter)));
  });

  return {
    name: 'mailbox',
    rpc: [],
    topics: [],
    subscriptions: [],
    timers: [],
    workers: [{ name: 'smtp', run: (signal) => receiveMail(letters, parts.config, signal) }],
    http,
  };
}

function receiveMail(letters: Letters, config: Config, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = new SMTPServer({
      authOptional: true,
      // Senders keep their connections open; nobody waits half a minute for that.
      closeTimeout: 500,
      disabledCommands: ['STARTTLS', 'AUTH'],
      // A message of the product is some 30 kB.
      size: 10 * 1024 * 1024,
      onData(stream, session, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
          const to = session.envelope.rcptTo.map((recipient) => recipient.address);
          letters.receive(Buffer.concat(chunks), from, to).then(
            () => done(),
            (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
          );
        });
      },
    });
    // A sender that breaks off is told here as well, and is no reason to stop: the next start would find its own port taken.
    let isListening = false;
    server.on('error', (error) => {
      if (!isListening) reject(error);
    });
    server.listen(config.SMTP_PORT, config.SMTP_HOST, () => (isListening = true));
    signal.addEventListener('abort', () => server.close(() => resolve()), { once: true });
  });
}

export { settings } from './config.ts';
