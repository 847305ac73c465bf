/** A service as its own process would run it, on loopback, for tests. */
import type { Clock } from '@tillstream/messaging/clock';
import type { Log } from '@tillstream/messaging/log';
import type { Carrier } from '@tillstream/messaging/message';
import { makeClient, openChannel, type Client, type RpcChannel } from '@tillstream/rpc/client';
import { startRpcServer, type RpcBinding } from '@tillstream/rpc/server';
import type { ServiceApp } from '@tillstream/service/app';
import { superviseApp } from '@tillstream/service/supervise';
import { turnableClock } from './clock.ts';
import { quietLog } from './log.ts';

export interface StartedApp {
  readonly channel: RpcChannel;
  client<S extends object>(definition: S): Client<S>;
  stop(): Promise<void>;
}

/** Runs rpc on a free port, messaging and workers; an http edge on a free port when `http` says so. */
export async function startApp(
  app: ServiceApp,
  around: { carrier?: Carrier; clock?: Clock; log?: Log; httpPort?: number } = {},
): Promise<StartedApp> {
  const running = await superviseApp(app, {
    clock: around.clock ?? turnableClock(),
    log: around.log ?? quietLog(),
    ...(around.carrier === undefined ? {} : { carrier: around.carrier }),
    ...(around.httpPort === undefined ? {} : { http: { host: '127.0.0.1', port: around.httpPort } }),
  });
  const channel = openChannel({ address: `127.0.0.1:${running.rpcPort ?? 0}` });
  return {
    channel,
    client: (definition) => makeClient(definition, channel),
    stop: async () => {
      channel.close();
      await running.stop();
    },
  };
}

/** Somebody else's service, played by a fixture: its real protocol on a real port. */
export async function standIn(...bindings: RpcBinding[]): Promise<StartedApp> {
  const server = await startRpcServer({ port: 0, bindings, log: quietLog() });
  const channel = openChannel({ address: `127.0.0.1:${server.port}` });
  return {
    channel,
    client: (definition) => makeClient(definition, channel),
    stop: async () => {
      channel.close();
      await server.stop();
    },
  };
}
