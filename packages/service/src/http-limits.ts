/**
 * How much of an HTTP server one client may take: time for its headers and for the whole of a request, connections, and
 * requests on one of them. Whoever drips, says nothing or comes a thousand times over is let go; the others are served.
 */
import { z } from 'zod';

const within = (ms: number, what: string) => z.coerce.number().int().min(100).max(600_000).default(ms).describe(what);

/** For the settings of every program that listens for HTTP from outside. */
export const httpLimitSettings = z.object({
  // A browser sends its headers in one piece; ten seconds are for a telephone in a tunnel.
  HTTP_HEADERS_MS: within(10_000, 'Within how many milliseconds the headers of a request must have come.'),
  // The largest body is 256 kB: some 9 kB a second.
  HTTP_REQUEST_MS: within(30_000, 'Within how many milliseconds the whole of a request must have come.'),
  // Longer than the minute after which load balancers forget a connection, so that it is never us who close it under a request.
  HTTP_IDLE_MS: within(65_000, 'How many milliseconds a connection is kept between two requests.'),
  // Some 20 kB each while they are idle: 100 MB.
  HTTP_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(5_000)
    .describe('How many connections there may be at once; one more is closed without an answer.'),
  HTTP_REQUESTS_PER_CONNECTION: z.coerce
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('How many requests one connection may bring; then it is closed after an answer.'),
});

export type HttpLimits = z.infer<typeof httpLimitSettings>;

// Beyond it is no honest header; Node's own default, said here because an upgrade must not change it.
const maxHeaderSize = 16 * 1024;

/** As Fastify takes them. */
export function serverOptions(limits: HttpLimits): {
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly maxRequestsPerSocket: number;
  readonly http: {
    readonly headersTimeout: number;
    readonly requestTimeout: number;
    readonly connectionsCheckingInterval: number;
    readonly maxHeaderSize: number;
  };
} {
  // Headers are part of the request.
  const headersTimeout = Math.min(limits.HTTP_HEADERS_MS, limits.HTTP_REQUEST_MS);
  return {
    requestTimeout: limits.HTTP_REQUEST_MS,
    keepAliveTimeout: limits.HTTP_IDLE_MS,
    maxRequestsPerSocket: limits.HTTP_REQUESTS_PER_CONNECTION,
    http: {
      headersTimeout,
      requestTimeout: limits.HTTP_REQUEST_MS,
      // Who is late is found at most a quarter later than the limit says.
      connectionsCheckingInterval: Math.ceil(headersTimeout / 4),
      maxHeaderSize,
    },
  };
}

/** Also the one limit that is no option but a property of the server. */
export function limitConnections(server: { maxConnections: number }, limits: HttpLimits): void {
  server.maxConnections = limits.HTTP_CONNECTIONS;
}
