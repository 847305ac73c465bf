/** Receivers of webhooks, as merchants run them: one that is well, one that fails now and then. Both keep a journal. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

export interface Received {
  readonly at: number;
  readonly webhookId: string;
  readonly orderId: number;
  readonly event: string;
  readonly codes: readonly string[];
  readonly isSigned: boolean;
  /** What it was answered with; 0 = the connection was cut. */
  readonly answered: number;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Standard Webhooks, whsec_… */
  secret: string;
  /** Of so many requests (0 to 1) one is answered with a 500 or not at all. */
  failing: number;
  stop(): Promise<void>;
}

interface Body {
  readonly event: string;
  readonly order_id: number;
  readonly product: { readonly activation_codes?: readonly string[] };
}

export async function startReceiver(random: () => number): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('error', () => undefined);
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const raw = Buffer.concat(chunks);
      const header = (name: string) => String(message.headers[name] ?? '');
      const body: Body = JSON.parse(raw.toString('utf8'));
      const chance = random();
      const answered = chance >= receiver.failing ? 200 : chance < receiver.failing / 3 ? 0 : 500;
      received.push({
        at: Date.now(),
        webhookId: header('webhook-id'),
        orderId: body.order_id,
        event: body.event,
        codes: body.product.activation_codes ?? [],
        isSigned:
          header('webhook-signature') === sign(receiver.secret, header('webhook-id'), header('webhook-timestamp'), raw),
        answered,
      });
      if (answered === 0) response.socket?.resetAndDestroy();
      else response.writeHead(answered).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    secret: '',
    failing: 0,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

function sign(secret: string, id: string, timestamp: string, raw: Buffer): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(raw).digest('base64')}`;
}
