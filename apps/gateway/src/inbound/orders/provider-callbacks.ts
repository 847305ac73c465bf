/** Callbacks of payment providers: passed on byte for byte, and acknowledged only when they are stored. */
import { Refused } from '@tillstream/rpc/refusals';
import type { FastifyInstance } from 'fastify';
import type { Clients } from '../clients.ts';

// Never a provider's business, and not to be stored.
const keptBack = new Set(['authorization', 'cookie', 'proxy-authorization']);
const mostHeaders = 60;

export function addProviderCallbacks(server: FastifyInstance, { payment }: Pick<Clients, 'payment'>): void {
  // A signature is over bytes; whoever parses first can only guess what they were.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  // The last part is an account's id, pa_…, or a provider's name for payments that were begun before merchants had accounts.
  server.post<{ Params: { account: string } }>(
    '/provider_callbacks/:account',
    { schema: { hide: true } },
    async (request, reply) => {
      const { account } = request.params;
      if (!/^[a-z][a-z0-9_]{0,31}$/.test(account)) throw new Refused('provider_not_found');
      const headers = Object.entries(request.headers).flatMap(([name, value]) =>
        value === undefined || keptBack.has(name) ? [] : [[name, String(value)] as const],
      );
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      await payment.receiveCallback({
        provider: account,
        headers: Object.fromEntries(headers.slice(0, mostHeaders)),
        body,
      });
      return reply.code(200).type('application/json').send('{"received":true}');
    },
  );
}
