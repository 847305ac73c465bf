/** What a ts-proto service definition says about its methods, as types. */
export interface Method {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

export type RequestOf<M> = M extends { readonly requestDeserialize: (bytes: Buffer) => infer Request }
  ? Request
  : never;
export type ResponseOf<M> = M extends { readonly responseDeserialize: (bytes: Buffer) => infer Response }
  ? Response
  : never;

export interface CallContext {
  readonly traceparent: string;
  readonly deadline: Date;
}

/** A service and what answers it. */
export interface RpcBinding {
  readonly name: string;
  readonly methods: readonly {
    readonly name: string;
    readonly method: Method;
    readonly answer: (request: never, call: CallContext) => Promise<unknown>;
  }[];
}

/** Certificates for mTLS, PEM. Both sides present one and check the other's against `ca`. */
export interface RpcTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

// Ten thousand licence codes of 500 characters are 5 MB; anything larger is a mistake.
export const maxMessageBytes = 8 * 1024 * 1024;

// A connection that went silent is found after 15 seconds instead of minutes.
export const keepalive = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
};

/** Metadata keys of ours. */
export const refusalKey = 'tillstream-refusal-bin';
export const traceKey = 'traceparent';

/** What a log must offer; pino does. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}
