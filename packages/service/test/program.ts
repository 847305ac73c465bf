// A program made of the package, for the tests of processes: an edge that answers, and a worker.
import { createServer } from 'node:http';
import process from 'node:process';
import { z } from 'zod';
import { runProcess } from '../src/process.ts';

const settings = z.object({
  GREETING: z.string().describe('What is said.'),
  API_SECRET: z.string().min(3).describe('Nobody’s business.'),
  FAILS: z.stringbool().default(false).describe('Whether somebody throws where nobody catches.'),
});

await runProcess({
  process,
  name: 'program',
  settings,
  app: ({ config, log }) => {
    const server = createServer((_request, response) => response.end(config.GREETING));
    if (config.FAILS) setTimeout(() => void Promise.reject(new Error('nobody expected this')), 50);
    return {
      name: 'program',
      rpc: [],
      topics: [],
      subscriptions: [],
      timers: [],
      workers: [
        {
          name: 'waiting',
          run: (signal) =>
            new Promise((resolve) =>
              signal.addEventListener('abort', () => {
                log.info({ API_SECRET: 'x', secret: config.API_SECRET }, 'the worker has ended');
                resolve();
              }),
            ),
        },
      ],
      http: {
        listen: ({ port, host }) => new Promise<void>((resolve) => server.listen(port, host, () => resolve())),
        close: () =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      },
    };
  },
});
