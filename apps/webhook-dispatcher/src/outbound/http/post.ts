/**
 * One POST to a stranger. Everything is bounded: the time over all of it including the body (a drip would pass any idle
 * limit), the header bytes, the body bytes that are read. Redirects are not followed, bodies are not decoded, no proxy
 * of the environment is used, and the connection goes to an address that was vetted for it, under the name's own SNI.
 */
import type { Socket } from 'node:net';
import { buildConnector, Pool, type Dispatcher } from 'undici';
import { probe } from '@tillstream/telemetry/probe';
import type { AttemptError } from '../../domain/retry.ts';
import { BlockedAddress, mayReach, refuseUrl, vetHost, type Reach, type Resolve } from './address-guard.ts';

export interface PostRequest {
  readonly url: string;
  readonly livemode: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface PostAnswer {
  /** 0 when none came. */
  readonly httpStatus: number;
  /** Empty when an answer came that can be judged by its status. */
  readonly error: AttemptError;
  readonly tookMs: number;
  readonly retryAfter: string | undefined;
  /** At most 1024 bytes, as text. */
  readonly responseStart: string;
}

/** One request and the start of its answer. Throws as undici does. */
export type Exchange = (
  url: URL,
  request: { readonly headers: Record<string, string>; readonly body: Buffer; readonly signal: AbortSignal },
) => Promise<{
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly responseStart: string;
}>;

export interface Poster {
  post(request: PostRequest): Promise<PostAnswer>;
  close(): Promise<void>;
}

const [readBytes, keptBytes] = [16 * 1024, 1024];
const connectWithinMs = 5_000;
// More origins than this are not kept connected; the one used longest ago is closed.
const mostPools = 500;
// As many as an endpoint's largest limit.
const connectionsPerOrigin = 64;

export function makePoster(options: {
  readonly totalMs: number;
  readonly isLoopbackAllowed: boolean;
  readonly resolve: Resolve;
  /** For tests: an authority besides the system's. */
  readonly ca?: string;
  /** How a request reaches its receiver; absent = over HTTP. */
  readonly exchange?: Exchange;
}): Poster {
  const pools = new Map<string, { pool: Pool; usedAt: number }>();
  const reachOf = (livemode: boolean): Reach => ({ livemode, isLoopbackAllowed: options.isLoopbackAllowed });

  const poolOf = (url: URL, livemode: boolean): { pool: Pool; isFresh: boolean } => {
    const key = `${livemode} ${url.origin}`;
    const known = pools.get(key);
    if (known !== undefined) {
      // A Map remembers the order of insertion: used last stands last.
      pools.delete(key);
      pools.set(key, { pool: known.pool, usedAt: performance.now() });
      return { pool: known.pool, isFresh: performance.now() - known.usedAt > 10_000 };
    }
    const [oldest] = pools;
    if (pools.size >= mostPools && oldest !== undefined) {
      pools.delete(oldest[0]);
      oldest[1].pool.close().catch(() => undefined);
    }
    const pool = new Pool(url.origin, {
      connect: vettedConnector(reachOf(livemode), options.resolve, options.ca),
      connections: connectionsPerOrigin,
      pipelining: 1,
      keepAliveTimeout: 10_000,
      maxHeaderSize: 16 * 1024,
      headersTimeout: options.totalMs,
      bodyTimeout: options.totalMs,
    });
    pools.set(key, { pool, usedAt: performance.now() });
    return { pool, isFresh: true };
  };

  const connectionTo = (url: URL, livemode: boolean): { exchange: Exchange; isFresh: boolean } => {
    const { pool, isFresh } = poolOf(url, livemode);
    const exchange: Exchange = async (_, request) => {
      const answer = await pool.request({ method: 'POST', path: `${url.pathname}${url.search}`, ...request });
      const responseStart = await readStart(answer.body);
      return { status: answer.statusCode, retryAfter: textOf(answer.headers['retry-after']), responseStart };
    };
    return { exchange, isFresh };
  };

  const send = async (request: PostRequest): Promise<PostAnswer> => {
    const startedAt = performance.now();
    const failed = (error: AttemptError): PostAnswer => ({
      httpStatus: 0,
      error,
      tookMs: performance.now() - startedAt,
      retryAfter: undefined,
      responseStart: '',
    });
    if (refuseUrl(request.url, reachOf(request.livemode)) !== undefined) return failed('blocked_address');
    const url = new URL(request.url);
    const { exchange, isFresh } =
      options.exchange === undefined
        ? connectionTo(url, request.livemode)
        : { exchange: options.exchange, isFresh: true };
    const deadline = AbortSignal.timeout(options.totalMs);
    for (let isRepeated = isFresh; ; isRepeated = true) {
      try {
        const asked = exchange(url, {
          headers: { 'accept-encoding': 'identity', ...request.headers },
          body: request.body,
          signal: deadline,
        });
        probe('call sent');
        const { status, retryAfter, responseStart } = await asked;
        probe('call answered');
        const error = status >= 300 && status < 400 ? 'redirect' : '';
        return { httpStatus: status, error, tookMs: performance.now() - startedAt, retryAfter, responseStart };
      } catch (error) {
        const kind = kindOf(error);
        // A kept connection may have been closed by the other side at this very moment: once more, on a new one.
        if (kind === 'connection_reset' && !isRepeated) continue;
        return failed(kind);
      }
    }
  };

  return {
    post: send,
    close: async () => {
      await Promise.all([...pools.values()].map(({ pool }) => pool.destroy()));
      pools.clear();
    },
  };
}

/** Resolves once, vets all answers, connects to one of them, and looks again at what it is connected to. */
function vettedConnector(reach: Reach, resolve: Resolve, ca: string | undefined): buildConnector.connector {
  // `host` is what is connected to, `servername` what is asked for: the Host header comes from the pool's origin.
  const connect = buildConnector({
    timeout: connectWithinMs,
    keepAlive: true,
    allowH2: false,
    ...(ca === undefined ? {} : { ca }),
  });
  return (target, callback) => {
    vetHost(target.hostname, reach, resolve).then(
      ([address = '']) => {
        const isName = target.hostname !== address && !target.hostname.startsWith('[');
        const to = { ...target, hostname: address, ...(isName ? { servername: target.hostname } : {}) };
        connect(to, (error, socket) => {
          if (error !== null) return callback(error, null);
          if (!mayReach(remoteOf(socket), reach)) {
            socket.destroy();
            return callback(new BlockedAddress(), null);
          }
          callback(null, socket);
        });
      },
      (error: unknown) => callback(error instanceof Error ? error : new BlockedAddress(), null),
    );
  };
}

function remoteOf(socket: Socket): string {
  return socket.remoteAddress ?? '';
}

/** Reads until 16 kB or the end, keeps the first 1 kB, and hangs up on the rest. */
async function readStart(body: Dispatcher.ResponseData['body']): Promise<string> {
  // Destroying in the middle makes the stream say so once more.
  body.on('error', () => undefined);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const part: Buffer = chunk;
    if (bytes < keptBytes) chunks.push(part.subarray(0, keptBytes - bytes));
    bytes += part.length;
    if (bytes >= readBytes) break;
  }
  if (bytes >= readBytes) body.destroy();
  // Postgres keeps no zero bytes in text.
  return Buffer.concat(chunks).toString('utf8').replaceAll('\u0000', '\uFFFD');
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

const kinds: Readonly<Record<string, AttemptError>> = {
  BLOCKED_ADDRESS: 'blocked_address',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ENODATA: 'dns',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  EPROTO: 'tls',
};

function kindOf(error: unknown): AttemptError {
  if (!(error instanceof Error)) return 'bad_response';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'timeout';
  const code = 'code' in error ? String(error.code) : '';
  // Every address of a name failed: the first reason stands for all.
  if (error instanceof AggregateError && code === '') return kindOf(error.errors[0]);
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/.test(code)) return 'tls';
  // Anything else is an answer that is no HTTP.
  return kinds[code] ?? 'bad_response';
}
