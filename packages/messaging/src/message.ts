/** What travels, and what a carrier must do. Both carriers pass one contract suite (test/carrier-contract.ts). */

/** Headers are CloudEvents 1.0 in binary mode plus W3C trace context plus the tenant. */
export interface MessageHeaders {
  /** Unique for ever; the inbox deduplicates on it. UUID v7. */
  readonly ce_id: string;
  /** Fully qualified proto message name, e.g. tillstream.order.v1.OrderEvent. */
  readonly ce_type: string;
  /** The service that says it. */
  readonly ce_source: string;
  /** RFC 3339. */
  readonly ce_time: string;
  readonly traceparent: string;
  readonly merchant_id: string;
}

export interface OutgoingMessage {
  readonly topic: string;
  /** Messages of one key stay in order. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: MessageHeaders;
}

export interface IncomingMessage extends OutgoingMessage {
  readonly partition: number;
  readonly offset: bigint;
}

export interface Subscription {
  /** The service's name. */
  readonly group: string;
  readonly topics: readonly string[];
  /** At most this many messages at once. Default 200. */
  readonly batchSize?: number;
  /**
   * Called with messages of any number of keys, in order per key. Resolves = done with all. Throws = none is done: the
   * carrier gives them again.
   */
  readonly handle: (batch: readonly IncomingMessage[]) => Promise<void>;
  /** Called before messages are given of partitions that another member had until now. */
  readonly onGained?: () => void;
}

export interface RunningSubscription {
  /** Stops taking, finishes what it has, commits. */
  stop(): Promise<void>;
}

export interface TopicDeclaration {
  readonly name: string;
  readonly partitions: number;
}

/** How far topics go at a moment: the next offset of each partition. */
export type Heads = readonly { readonly topic: string; readonly partition: number; readonly next: bigint }[];

export interface Carrier {
  declare(topics: readonly TopicDeclaration[]): Promise<void>;
  /** Resolves when all are durable. On a throw some may have been published: publish again (consumers deduplicate). */
  publish(batch: readonly OutgoingMessage[]): Promise<void>;
  subscribe(subscription: Subscription): Promise<RunningSubscription>;
  /** Messages not yet handled by the group, over its topics. */
  lag(group: string, topics: readonly string[]): Promise<bigint>;
  heads(topics: readonly string[]): Promise<Heads>;
  /** Whether the group has handled everything before those heads. */
  hasHeard(group: string, heads: Heads): Promise<boolean>;
  /** Throws when the carrier cannot be reached. */
  check(): Promise<void>;
  close(): Promise<void>;
}
