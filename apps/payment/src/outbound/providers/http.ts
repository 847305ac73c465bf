/** HTTP to providers: connections are kept and shared by all accounts. */
import { Pool } from 'undici';
import type { HttpTransport } from '../../ports.ts';

// Charges have connections of their own: a hundred thousand renewals that are due do not stand before a customer who waits for a
// page. As many as are called at once: by two workers 16 each, and by pages as many as the provider's deadline makes bearable.
const connections = { pages: 16, charges: 32 } as const;

/** One transport for an address and a purpose, made when it is first asked for. */
export function sharedTransports(): (url: string, purpose: 'pages' | 'charges') => HttpTransport {
  const made = new Map<string, HttpTransport>();
  return (url, purpose) => {
    const name = `${purpose} ${url}`;
    const transport = made.get(name) ?? overHttp(url, connections[purpose]);
    made.set(name, transport);
    return transport;
  };
}

function overHttp(url: string, most: number): HttpTransport {
  const pool = new Pool(url, { connections: most, keepAliveTimeout: 10_000, maxResponseSize: 64 * 1024 });
  return async (request) => {
    const response = await pool.request(request);
    return { status: response.statusCode, text: await response.body.text() };
  };
}
