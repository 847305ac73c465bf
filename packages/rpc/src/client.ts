/** Clients the same way everywhere: a deadline always; over gRPC trace context out and refusals in. */
import {
  Client as GrpcClient,
  connectivityState,
  credentials,
  Metadata,
  status,
  type ChannelCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { currentTraceparent, inSpan } from '@tillstream/telemetry/trace';
import {
  keepalive,
  refusalKey,
  traceKey,
  type Method,
  type RequestOf,
  type ResponseOf,
  type RpcTls,
} from './contract.ts';
import { isRefusalCode, Refused, type FieldRefusal } from './refusals.ts';

export type Client<S> = {
  readonly [K in keyof S]: (request: RequestOf<S[K]>, options?: { deadlineMs?: number }) => Promise<ResponseOf<S[K]>>;
};

/** The way to one target service, shared by its clients: a connection (below), or none at all (in-process.ts). */
export interface RpcChannel {
  /** Throws Refused and nothing else. */
  call(method: Method, request: never, deadlineMs: number): Promise<unknown>;
  /** Throws when the service cannot be reached within the time. */
  ready(withinMs: number): Promise<void>;
  close(): void;
}

export interface GrpcChannel extends RpcChannel {
  /** The present connection; ask again for each call, for a stuck one is replaced. */
  readonly grpc: GrpcClient;
}

// A call that takes longer than this is waited for by a person who has gone.
const defaultDeadlineMs = 5_000;
// A service that is started again is there within seconds: a call that was not sent yet waits so long for it, half of its own
// time at most, before its caller is turned away. What was sent is never sent again.
const restartMs = 2_500;
// grpc-js may stay in CONNECTING for ever (its issue 2785). A connection that has not been ready for this long while
// calls were made is thrown away; a server that is merely away loses nothing by it.
const defaultRebuildAfterMs = 15_000;

export function openChannel(options: { address: string; tls?: RpcTls; rebuildAfterMs?: number }): GrpcChannel {
  const { address, tls } = options;
  const rebuildAfterMs = options.rebuildAfterMs ?? defaultRebuildAfterMs;
  let grpc = connect(address, tls);
  let notReadySince: number | undefined;
  let isClosed = false;
  return {
    call(method, request, deadlineMs) {
      return isClosed ? Promise.reject(new Refused('unavailable')) : ask(this.grpc, method, request, deadlineMs);
    },
    get grpc() {
      const now = performance.now();
      const state = grpc.getChannel().getConnectivityState(true);
      // An idle connection is one that nobody needed.
      if (state === connectivityState.READY || state === connectivityState.IDLE) notReadySince = undefined;
      else notReadySince ??= now;
      if (notReadySince !== undefined && now - notReadySince > rebuildAfterMs) {
        grpc.close();
        grpc = connect(address, tls);
        notReadySince = undefined;
      }
      return grpc;
    },
    ready: (withinMs) =>
      new Promise((resolve, reject) => {
        grpc.waitForReady(Date.now() + withinMs, (error) =>
          error === undefined || error === null ? resolve() : reject(error),
        );
      }),
    close: () => {
      isClosed = true;
      grpc.close();
    },
  };
}

function connect(address: string, tls: RpcTls | undefined): GrpcClient {
  const how: ChannelCredentials =
    tls === undefined ? credentials.createInsecure() : credentials.createSsl(tls.ca, tls.key, tls.cert);
  return new GrpcClient(address, how, {
    ...keepalive,
    // Behind a headless service every replica gets its share.
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    'grpc.initial_reconnect_backoff_ms': 200,
    // A second after it listens again a service is found at the latest.
    'grpc.max_reconnect_backoff_ms': 1_000,
    // Channels with equal options share connections otherwise, and a new one would inherit the stuck one.
    'grpc.use_local_subchannel_pool': 1,
  });
}

export function makeClient<S extends object>(
  definition: S,
  channel: RpcChannel,
  options: { deadlineMs?: number } = {},
): Client<S> {
  const methods = (Object.entries(definition) as [string, Method][]).map(([name, method]) => [
    name,
    (request: never, call: { deadlineMs?: number } = {}) =>
      channel.call(method, request, call.deadlineMs ?? options.deadlineMs ?? defaultDeadlineMs),
  ]);
  return Object.fromEntries(methods) as Client<S>;
}

function ask(grpc: GrpcClient, method: Method, request: never, deadlineMs: number): Promise<unknown> {
  const path = method.path.slice(1);
  const deadline = Date.now() + deadlineMs;
  return inSpan(path, { kind: 'client', attributes: { 'rpc.system.name': 'grpc', 'rpc.method': path } }, async () => {
    if (stateOf(grpc) !== connectivityState.READY)
      await mayConnect(grpc, Date.now() + Math.min(restartMs, deadlineMs / 2));
    const metadata = new Metadata();
    const traceparent = currentTraceparent();
    if (traceparent !== '') metadata.set(traceKey, traceparent);
    return new Promise((resolve, reject) => {
      try {
        grpc.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          metadata,
          { deadline },
          (error, response) => (error === null ? resolve(response) : reject(refusedBy(error))),
        );
      } catch (error) {
        // Closed while it was waited for.
        reject(because('unavailable', error));
      }
    });
  });
}

/** A channel that was closed says so by throwing. */
function stateOf(grpc: GrpcClient): connectivityState {
  try {
    return grpc.getChannel().getConnectivityState(false);
  } catch {
    return connectivityState.SHUTDOWN;
  }
}

/** Whether it did is seen by the call. */
function mayConnect(grpc: GrpcClient, until: number): Promise<void> {
  return new Promise((resolve) => grpc.waitForReady(until, () => resolve()));
}

function refusedBy(error: ServiceError): Error {
  const [sealed] = error.metadata.get(refusalKey);
  if (sealed !== undefined) {
    const content: { code: string; param?: string; detail: string; fields: readonly FieldRefusal[] } = JSON.parse(
      sealed.toString(),
    );
    // A newer server may refuse with a code that is not known here yet.
    const code = isRefusalCode(content.code) ? content.code : 'internal';
    return new Refused(code, {
      ...(content.param === undefined ? {} : { param: content.param }),
      detail: content.detail,
      fields: content.fields,
    });
  }
  const isGone =
    error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED || error.code === status.CANCELLED;
  return because(isGone ? 'unavailable' : 'internal', error);
}

function because(code: 'unavailable' | 'internal', cause: unknown): Refused {
  const refused = new Refused(code);
  refused.cause = cause;
  return refused;
}
