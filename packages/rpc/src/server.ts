/** gRPC servers the same way everywhere: trace context in, refusals out, faults logged once. */
import { Metadata, Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { answerCall } from './answering.ts';
import {
  keepalive,
  refusalKey,
  traceKey,
  type CallContext,
  type Log,
  type Method,
  type RequestOf,
  type ResponseOf,
  type RpcBinding,
  type RpcTls,
} from './contract.ts';
import { refusals, Refused } from './refusals.ts';

export type { CallContext, RpcBinding } from './contract.ts';

export type Handlers<S> = {
  readonly [K in keyof S]: (request: RequestOf<S[K]>, call: CallContext) => Promise<ResponseOf<S[K]>>;
};

export function implement<S extends object>(definition: S, handlers: Handlers<S>): RpcBinding {
  const methods = (Object.entries(definition) as [string, Method][]).map(([name, method]) => ({
    name,
    method,
    answer: handlers[name as keyof S] as RpcBinding['methods'][number]['answer'],
  }));
  return { name: methods[0]?.method.path.split('/')[1] ?? '', methods };
}

export interface RunningRpc {
  readonly port: number;
  /** Lets running calls finish for at most five seconds. */
  stop(): Promise<void>;
}

// Our clients always say how long they wait; for others there is an end as well.
const longestDeadlineMs = 60_000;

export async function startRpcServer(options: {
  readonly host?: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly bindings: readonly RpcBinding[];
  readonly log: Log;
  readonly tls?: RpcTls;
  /** Plaintext beyond loopback, for a network that only the services share. */
  readonly insecure?: boolean;
}): Promise<RunningRpc> {
  const host = options.host ?? '127.0.0.1';
  if (options.tls === undefined && options.insecure !== true && !isLoopback(host)) {
    throw new Error(
      `rpc without TLS is for loopback only, not for ${host}. Give certificates, or say RPC_INSECURE=1 for a private network.`,
    );
  }
  const server = new Server({ ...keepalive, 'grpc.max_concurrent_streams': 1_000 });
  for (const binding of options.bindings) {
    for (const each of binding.methods) {
      const handle = (call: ServerUnaryCall<never, unknown>, done: sendUnaryData<unknown>) =>
        void answer(each, call, done, options.log);
      const serialize = (value: unknown) => each.method.responseSerialize(value as never);
      server.register(
        each.method.path,
        handle,
        serialize,
        (bytes: Buffer) => each.method.requestDeserialize(bytes) as never,
        'unary',
      );
    }
  }
  const health = new HealthImplementation({
    '': 'SERVING',
    ...Object.fromEntries(options.bindings.map((binding) => [binding.name, 'SERVING' as const])),
  });
  health.addToServer(server);
  const port = await bind(server, `${host}:${options.port}`, options.tls);
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        for (const name of ['', ...options.bindings.map((binding) => binding.name)])
          health.setStatus(name, 'NOT_SERVING');
        const force = setTimeout(() => server.forceShutdown(), 5_000);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}

async function answer(
  each: RpcBinding['methods'][number],
  call: ServerUnaryCall<never, unknown>,
  done: sendUnaryData<unknown>,
  log: Log,
): Promise<void> {
  const parent = String(call.metadata.get(traceKey)[0] ?? '');
  const deadline = call.getDeadline();
  const longest = Date.now() + longestDeadlineMs;
  const at = new Date(Math.min(deadline instanceof Date ? deadline.getTime() : deadline, longest));
  try {
    done(null, await answerCall(each, { request: call.request, parent, deadline: at }, log));
  } catch (error) {
    const refused = error instanceof Refused ? error : new Refused('internal');
    done({ code: refusals[refused.code].grpc, details: refused.code, metadata: refusalMetadata(refused) });
  }
}

function refusalMetadata(refused: Refused): Metadata {
  const metadata = new Metadata();
  const content = { code: refused.code, param: refused.param, detail: refused.message, fields: refused.fields };
  metadata.set(refusalKey, Buffer.from(JSON.stringify(content)));
  return metadata;
}

function bind(server: Server, address: string, tls: RpcTls | undefined): Promise<number> {
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(tls.ca, [{ cert_chain: tls.cert, private_key: tls.key }], true);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
