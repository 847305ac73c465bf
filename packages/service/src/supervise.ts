/**
 * Gives a service its sockets and takes them away in order: first what brings work in, then what works, last what sends
 * the rest out. The whole stop is bounded to fifteen seconds, besides the time for balancers to notice.
 */
import type { Clock } from '@tillstream/messaging/clock';
import { MerchantClocks } from '@tillstream/messaging/merchant-clocks';
import type { Carrier } from '@tillstream/messaging/message';
import { startMessaging, type RunningMessaging } from '@tillstream/messaging/running';
import type { RpcTls } from '@tillstream/rpc/contract';
import type { RpcExchange } from '@tillstream/rpc/in-process';
import { startRpcServer, type RpcBinding } from '@tillstream/rpc/server';
import type { Log } from '@tillstream/messaging/log';
import { probe } from '@tillstream/telemetry/probe';
import type { ServiceApp } from './app.ts';
import { answerClockApi } from './clock-api.ts';
import { observeFigures } from './figures.ts';
import { startHealth } from './health.ts';
import { refusingOutages } from './outages.ts';
import { startWorkers } from './workers.ts';

export interface Surroundings {
  /** Needed by an app that hears, says or sets timers. */
  readonly carrier?: Carrier;
  readonly clock: Clock;
  readonly log: Log;
  /** gRPC. Absent = on any free port of loopback, or not at all where there is an exchange. */
  readonly rpc?: { readonly port: number; readonly host?: string; readonly tls?: RpcTls; readonly insecure?: boolean };
  /** Services of the same process call each other through it. */
  readonly exchange?: RpcExchange;
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

// Less than the 20 s that the containers give before they kill.
const stopWithinMs = 15_000;

/** Throws, with nothing left open, when a part cannot be started. */
export async function superviseApp(app: ServiceApp, around: Surroundings): Promise<RunningApp> {
  const { log } = around;
  const check = async () => {
    // Not the carrier: while it is away orders are taken and their news wait in the outbox. That it is away is seen in
    // tillstream.outbox.oldest; a balancer that turned customers away for it would only lose sales.
    await app.database?.check();
  };
  let isReady = false;
  let rpcPort: number | undefined;
  // In the order of opening; closed the other way round: HTTP, gRPC, workers, messaging with what the outbox still has.
  const open: { readonly what: string; readonly close: () => Promise<unknown> }[] = [];
  const closeAll = async () => {
    for (const { what, close } of open.splice(0).toReversed()) {
      await close().catch((error: unknown) => log.warn({ err: error, app: app.name, part: what }, 'did not stop well'));
      probe('stopping');
    }
  };
  try {
    if (around.health !== undefined) {
      const health = await startHealth(around.health, () =>
        isReady ? check() : Promise.reject(new Error('not ready')),
      );
      open.push({ what: 'health', close: () => health.stop() });
    }
    const clockApi = await keepClocks(app, around, open);
    const messaging = await startMessagingOf(app, around);
    if (messaging !== undefined) open.push({ what: 'messaging', close: () => messaging.stop() });
    const forget = observeFigures(app, messaging, around.carrier);
    open.push({ what: 'figures', close: async () => forget() });
    const workers = startWorkers(app.workers, log);
    open.push({ what: 'workers', close: () => workers.stop() });
    if (app.rpc.length > 0) {
      const bindings = [...app.rpc, ...clockApi].map((binding) => refusingOutages(binding, log));
      const { exchange } = around;
      if (exchange !== undefined) {
        const served = exchange.serve(app.name, bindings, log);
        open.push({ what: 'calls within the process', close: () => served.stop() });
      }
      if (around.rpc !== undefined || exchange === undefined) {
        const rpc = await startRpcServer({ ...around.rpc, port: around.rpc?.port ?? 0, bindings, log });
        rpcPort = rpc.port;
        open.push({ what: 'rpc', close: () => rpc.stop() });
      }
    }
    const { http } = app;
    if (http !== undefined && around.http !== undefined) {
      // Also when listening fails, what the edge has opened for itself is closed.
      open.push({ what: 'http', close: async () => http.close() });
      await http.listen(around.http);
    }
  } catch (error) {
    await closeAll();
    throw error;
  }
  isReady = true;
  return {
    name: app.name,
    rpcPort,
    check,
    stop: async () => {
      isReady = false;
      if (around.drainMs !== undefined && around.drainMs > 0)
        await new Promise((resolve) => setTimeout(resolve, around.drainMs));
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          log.warn(
            { app: app.name, parts: open.map((each) => each.what) },
            'did not stop in time; what was running is found by the next start',
          );
          resolve();
        }, stopWithinMs);
      });
      await Promise.race([closeAll(), tooLong]).finally(() => clearTimeout(timer));
    },
  };
}

/** A service that lives by the clocks of its merchants answers how they are set. */
async function keepClocks(
  app: ServiceApp,
  around: Surroundings,
  open: { readonly what: string; readonly close: () => Promise<unknown> }[],
): Promise<readonly RpcBinding[]> {
  const { clock, log } = around;
  const { database } = app;
  if (database === undefined || !(clock instanceof MerchantClocks) || app.rpc.length === 0) return [];
  await clock.refresh();
  const loop = clock.keepUp(log);
  open.push({ what: 'clocks', close: () => loop.stop() });
  const { name, subscriptions, work = [] } = app;
  return [answerClockApi({ name, database, clocks: clock, subscriptions, work, carrier: around.carrier, log })];
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
