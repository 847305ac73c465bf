/** Where traces go while tracing is weighed: they are taken and dropped, for a collector's own work is not the product's. */
import { createServer } from 'node:http';

export interface Collector {
  readonly url: string;
  /** So that a figure without a trace is not taken for one with tracing. */
  received(): number;
  close(): void;
}

export async function openCollector(): Promise<Collector> {
  let bytes = 0;
  const server = createServer((message, response) => {
    message.on('data', (chunk: Buffer) => (bytes += chunk.length));
    message.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    received: () => bytes,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
