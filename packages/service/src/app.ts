/** A service without its sockets: what `app.ts` returns, `supervise.ts` runs, tests talk to and standalone joins. */
import type { AnyDatabase } from '@tillstream/database/database';
import type { Subscription, TopicDeclaration } from '@tillstream/messaging/message';
import type { TimerHandler } from '@tillstream/messaging/timers';
import type { Work } from '@tillstream/messaging/work';
import type { RpcBinding } from '@tillstream/rpc/server';

/** Work that is not caused by a message: a leased worker that talks to the outside, a sweeper. */
export interface Worker {
  readonly name: string;
  /** Runs until the signal is aborted; a throw is logged and it is started again with back-off. */
  run(signal: AbortSignal): Promise<void>;
}

/** An HTTP server of an edge; a Fastify instance is one. */
export interface HttpEdge {
  listen(options: { port: number; host: string }): Promise<unknown>;
  close(): Promise<unknown> | void;
}

export interface ServiceApp {
  /** Also its consumer group: order, payment, webhook-dispatcher, … */
  readonly name: string;
  /** Undefined for an edge that keeps nothing. */
  readonly database?: AnyDatabase;
  readonly rpc: readonly RpcBinding[];
  /** The topics it publishes to. */
  readonly topics: readonly TopicDeclaration[];
  readonly subscriptions: readonly Subscription[];
  readonly timers: readonly TimerHandler[];
  readonly workers: readonly Worker[];
  /** What its workers have to do, for the time machine. */
  readonly work?: readonly Work[];
  readonly http?: HttpEdge;
}
