/** Takes every webhook at once, and remembers which there were. */
import { createServer } from 'node:http';

export interface Receiver {
  readonly url: string;
  /** Of the webhooks that have come. */
  readonly ids: ReadonlySet<string>;
  close(): void;
}

export async function openReceiver(): Promise<Receiver> {
  const ids = new Set<string>();
  const server = createServer((message, response) => {
    ids.add(String(message.headers['webhook-id']));
    message.resume();
    message.on('end', () => response.end('ok'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    ids,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
