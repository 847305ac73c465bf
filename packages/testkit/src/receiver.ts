/** A receiver of webhooks as the world has them: a real HTTP server that keeps what it got and answers as badly as told. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { eventually } from './eventually.ts';

export type Behaviour =
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Takes the request and says nothing, for ever. */
  | { readonly type: 'never' }
  /** Headers at once, then a byte of body now and then, for ever. */
  | { readonly type: 'drip'; readonly everyMs: number }
  | { readonly type: 'redirect'; readonly to: string }
  /** A body of so many bytes, as fast as they are taken. */
  | { readonly type: 'huge'; readonly bytes: number }
  /** Closes the connection instead of answering. */
  | { readonly type: 'reset' };

export interface ReceivedRequest {
  readonly at: Date;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HostileReceiver {
  /** http://127.0.0.1:{port} */
  readonly url: string;
  readonly port: number;
  /** Oldest first, whatever was answered. */
  readonly requests: readonly ReceivedRequest[];
  /** What it does from now on; a function decides for each request, the n-th one counted from 1. */
  behave(next: Behaviour | ((request: ReceivedRequest, n: number) => Behaviour)): void;
  /** Bytes of the huge body that the other side took before it hung up, over all requests. */
  sentBytes(): number;
  /** Nobody listens any more; open connections are cut. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
  waitFor(count: number, withinMs?: number): Promise<readonly ReceivedRequest[]>;
  stop(): Promise<void>;
}

type Decision = (request: ReceivedRequest, n: number) => Behaviour;

export const ok: Behaviour = { type: 'answer', status: 200, body: 'ok' };

const always =
  (behaviour: Behaviour): Decision =>
  () =>
    behaviour;

export async function hostileReceiver(): Promise<HostileReceiver> {
  const requests: ReceivedRequest[] = [];
  let decide = always(ok);
  let sent = 0;

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = message;
    const request: ReceivedRequest = { at: new Date(), method, path: url, headers, body: Buffer.concat(chunks) };
    requests.push(request);
    await behaveBadly(decide(request, requests.length), response, (bytes) => (sent += bytes));
  };
  const listen = (at: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer((message, response) => {
        // The other side hung up in the middle: part of the game.
        handle(message, response).catch(() => response.destroy());
      });
      server.once('error', reject);
      server.listen(at, '127.0.0.1', () => resolve(server));
    });

  let server: Server | undefined = await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const down = async () => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    closing.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    behave: (next) => (decide = typeof next === 'function' ? next : always(next)),
    sentBytes: () => sent,
    down,
    up: async () => {
      server ??= await listen(port);
    },
    waitFor: (count, withinMs) => eventually(() => (requests.length >= count ? requests : undefined), withinMs),
    stop: down,
  };
}

async function behaveBadly(
  behaviour: Behaviour,
  response: ServerResponse,
  count: (bytes: number) => void,
): Promise<void> {
  switch (behaviour.type) {
    case 'answer':
      response.writeHead(behaviour.status, behaviour.headers ?? {}).end(behaviour.body ?? '');
      return;
    case 'redirect':
      response.writeHead(302, { location: behaviour.to }).end();
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'never':
      return;
    case 'drip': {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), behaviour.everyMs);
      response.once('close', () => clearInterval(timer));
      return;
    }
    case 'huge': {
      response.writeHead(200, { 'content-length': String(behaviour.bytes) });
      const gone = once(response, 'close');
      const block = Buffer.alloc(64 * 1024, 'x');
      for (let left = behaviour.bytes; left > 0 && !response.destroyed; left -= block.length) {
        const part = block.subarray(0, Math.min(left, block.length));
        count(part.length);
        if (!response.write(part)) await Promise.race([once(response, 'drain'), gone]);
      }
      response.end();
    }
  }
}
