/** /livez says that the process turns; /readyz that it can work, and no while it starts and stops. */
import { createServer } from 'node:http';

export interface RunningHealth {
  readonly port: number;
  stop(): Promise<void>;
}

// A probe waits a second or two; an answer that is late is a no all the same.
const checkWithinMs = 2_000;

export function startHealth(
  where: { readonly port: number; readonly host: string },
  check: () => Promise<void>,
): Promise<RunningHealth> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) =>
      void response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    if (request.url === '/livez') answer(200, 'ok');
    else if (request.url === '/readyz')
      void passes(check).then((isFine) => (isFine ? answer(200, 'ok') : answer(503, 'not ready')));
    else answer(404, 'not found');
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where.port, where.host, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : where.port,
        stop: () =>
          new Promise((stopped) => {
            server.close(() => stopped());
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function passes(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), checkWithinMs);
  });
  const asked = check().then(
    () => true,
    () => false,
  );
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
