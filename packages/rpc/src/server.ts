/** gRPC servers the same way everywhere: trace context in, refusals out, faults logged once. */
import { Metadata, Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { durations } from '@tillstream/telemetry/metrics';
import { currentTraceparent, inSpan, traceIdOf } from '@tillstream/telemetry/trace';
import { HealthImplementation } from 'grpc-health-check';
import { probe } from '@tillstream/telemetry/probe';
import {
  keepalive,
  refusalKey,
  traceKey,
  type Log,
  type Method,
  type RequestOf,
  type ResponseOf,
  type RpcTls,
} from './contract.ts';
import { refusals, Refused } from './refusals.ts';

export interface CallContext {
  readonly traceparent: string;
  readonly deadline: Date;
}

export type Handlers<S> = {
  readonly [K in keyof S]: (request: RequestOf<S[K]>, call: CallContext) => Promise<ResponseOf<S[K]>>;
};

/** A service and what answers it. */
export interface RpcBinding {
  readonly name: string;
  readonly methods: readonly {
    readonly name: string;
    readonly method: Method;
    readonly answer: (request: never, call: CallContext) => Promise<unknown>;
  }[];
}

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

const callDuration = durations('rpc.server.call.duration', 'How long calls took on the server');

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
  const path = each.method.path.slice(1);
  const startedAt = performance.now();
  let outcome = 'OK';
  const parent = String(call.metadata.get(traceKey)[0] ?? '');
  const deadline = call.getDeadline();
  await inSpan(
    path,
    { kind: 'server', parent, attributes: { 'rpc.system.name': 'grpc', 'rpc.method': path } },
    async (span) => {
      try {
        const longest = Date.now() + longestDeadlineMs;
        const at = new Date(Math.min(deadline instanceof Date ? deadline.getTime() : deadline, longest));
        probe('request parsed');
        const response = await each.answer(call.request, { traceparent: currentTraceparent(), deadline: at });
        probe('request done');
        done(null, response);
      } catch (error) {
        const refused = error instanceof Refused ? error : new Refused('internal');
        if (!(error instanceof Refused))
          log.error({ err: error, rpc: path, trace_id: traceIdOf(currentTraceparent()) }, 'rpc failed');
        outcome = refused.code;
        span.setAttribute('rpc.status_code', refused.code);
        done({ code: refusals[refused.code].grpc, details: refused.code, metadata: refusalMetadata(refused) });
      }
    },
  );
  callDuration.record((performance.now() - startedAt) / 1_000, { 'rpc.method': path, 'rpc.status_code': outcome });
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
