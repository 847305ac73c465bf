/**
 * Gives a service its sockets and takes them away in order: first what brings work in, then what works, last what sends
 * the rest out. The whole stop is bounded to fifteen seconds.
 */
import { createServer, type Server } from 'node:http';
import type { Clock } from '@tillstream/messaging/clock';
import type { Carrier } from '@tillstream/messaging/message';
import { startMessaging, type RunningMessaging } from '@tillstream/messaging/running';
import { startRpcServer } from '@tillstream/rpc/server';
import type { RpcTls } from '@tillstream/rpc/contract';
import { gauge } from '@tillstream/telemetry/metrics';
import type { Log } from '@tillstream/messaging/log';
import type { ServiceApp, Worker } from './app.ts';

export interface Surroundings {
  /** Needed by an app that hears, says or sets timers. */
  readonly carrier?: Carrier;
  readonly clock: Clock;
  readonly log: Log;
  readonly rpc?: { readonly port: number; readonly host?: string; readonly tls?: RpcTls; readonly insecure?: boolean };
  readonly http?: { readonly port: number; readonly host: string };
  readonly health?: { readonly port: number; readonly host: string };
  /** How long traffic goes on after readiness is withdrawn, so that balancers notice. Default 0. */
  readonly drainMs?: number;
}

export interface RunningApp {
  readonly name: string;
  readonly rpcPort: number | undefined;
  /** Throws when the service cannot work. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

const stopWithinMs = 15_000;
const workerBackoffMs = [200, 1_000, 5_000];

export async function superviseApp(app: ServiceApp, around: Surroundings): Promise<RunningApp> {
  const { log } = around;
  const check = async () => {
    await app.database?.check();
    await around.carrier?.check();
  };
  let isStopping = false;
  const messaging = await startMessagingOf(app, around);
  const rpc = app.rpc.length === 0 ? undefined : await startRpcServer({ ...around.rpc, port: around.rpc?.port ?? 0, bindings: app.rpc, log });
  const aborting = new AbortController();
  const working = app.workers.map((worker) => keepRunning(worker, aborting.signal, log));
  if (app.http !== undefined && around.http !== undefined) await app.http.listen(around.http);
  const health = around.health === undefined ? undefined : await startHealth(around.health, async () => (isStopping ? Promise.reject(new Error('stopping')) : check()));
  const forgetFigures = messaging === undefined ? [] : watch(app.name, messaging);

  const stopAll = async () => {
    isStopping = true;
    if (around.drainMs !== undefined) await new Promise((resolve) => setTimeout(resolve, around.drainMs));
    await app.http?.close();
    await rpc?.stop();
    aborting.abort();
    await Promise.all(working);
    await messaging?.stop();
    for (const forget of forgetFigures) forget();
    health?.close();
  };
  return {
    name: app.name,
    rpcPort: rpc?.port,
    check,
    stop: () => {
      const tooLong = new Promise<void>((resolve) => {
        setTimeout(() => {
          log.warn({ app: app.name }, 'did not stop in time; what was running is found by the next start');
          resolve();
        }, stopWithinMs).unref();
      });
      return Promise.race([stopAll(), tooLong]);
    },
  };
}

async function startMessagingOf(app: ServiceApp, around: Surroundings): Promise<RunningMessaging | undefined> {
  if (app.database === undefined) return undefined;
  if (app.topics.length + app.subscriptions.length + app.timers.length === 0) return undefined;
  if (around.carrier === undefined) throw new Error(`${app.name} needs a carrier`);
  return startMessaging({
    name: app.name,
    database: app.database,
    carrier: around.carrier,
    topics: app.topics,
    subscriptions: app.subscriptions,
    timers: app.timers,
    clock: around.clock,
    log: around.log,
  });
}

async function keepRunning(worker: Worker, signal: AbortSignal, log: Log): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      await worker.run(signal);
      if (!signal.aborted) throw new Error('the worker ended by itself');
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, worker: worker.name }, 'a worker failed and is started again');
      const pauseMs = workerBackoffMs[Math.min(failures, workerBackoffMs.length - 1)];
      failures += 1;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

function watch(service: string, messaging: RunningMessaging): (() => void)[] {
  const attributes = { 'tillstream.service': service };
  return [
    gauge('tillstream.outbox.unsent', 'Messages in the outbox that are not sent', async () => (await messaging.figures()).outboxUnsent, attributes),
    gauge('tillstream.outbox.oldest', 'Age of the oldest unsent message in seconds', async () => (await messaging.figures()).outboxOldestMs / 1_000, attributes),
    gauge('tillstream.parked', 'Messages that wait for a person', async () => (await messaging.figures()).parked, attributes),
  ];
}

/** /livez says that the process turns; /readyz that it can work. */
function startHealth(where: { port: number; host: string }, check: () => Promise<void>): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) => response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    if (request.url === '/livez') {
      answer(200, 'ok');
    } else if (request.url === '/readyz') {
      check().then(
        () => answer(200, 'ok'),
        () => answer(503, 'not ready'),
      );
    } else {
      answer(404, 'not found');
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where.port, where.host, () => resolve(server));
  });
}
