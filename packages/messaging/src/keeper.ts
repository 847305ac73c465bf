/** How a machine's rows are kept and announced: the only thing a service writes for `perform`. */
import type { Kysely } from 'kysely';
import type { OutgoingMessage } from './message.ts';

/** A command on its way to a machine. */
export interface Envelope<Command> {
  /** The aggregate's id. */
  readonly id: string;
  readonly merchantId: string;
  readonly command: Command;
  /** By the merchant's clock (clock.ts). */
  readonly now: Date;
  /** The message or timer that caused it; perform-once ignores one it has seen. Absent for rpc. */
  readonly messageId?: string;
  /** The trace context of that message or timer; absent = the active span's. */
  readonly traceparent?: string;
}

export interface Loaded<State> {
  readonly state: State;
  /** 0 = absent. Grows by one per event. */
  readonly version: number;
}

/** One aggregate's change, made by one or more commands of a batch. */
export interface Change<State, Event> {
  readonly id: string;
  readonly merchantId: string;
  readonly before: State;
  readonly after: State;
  readonly versionBefore: number;
  readonly version: number;
  readonly events: readonly VersionedEvent<Event>[];
}

export interface VersionedEvent<Event> {
  readonly event: Event;
  readonly version: number;
  /** UUID v7: the id of the announcement, if it is announced. */
  readonly eventId: string;
  readonly now: Date;
  /** W3C trace context of the command that caused it. */
  readonly traceparent: string;
}

/** A row of the timer table; unique by (machine, aggregate, kind). */
export type TimerChange =
  | { readonly type: 'set'; readonly kind: string; readonly dueAt: Date }
  | { readonly type: 'clear'; readonly kind: string };

export interface Keeper<Schema, State, Event> {
  /** The rows of these aggregates, locked, in the order of their ids. An absent aggregate is left out. */
  load(
    tx: Kysely<Schema>,
    ids: readonly string[],
    merchantOf: (id: string) => string,
  ): Promise<Map<string, Loaded<State>>>;
  /**
   * Multi-row statements. An insert of an aggregate that has come to exist meanwhile fails on its key (23505) and the
   * whole batch is tried once more; an update whose version does not match throws VersionConflict.
   */
  save(tx: Kysely<Schema>, changes: readonly Change<State, Event>[]): Promise<void>;
  /** Pure: what the change says to the world, in order. Most events say one message, some say none. */
  announce(change: Change<State, Event>): readonly OutgoingMessage[];
  /** Pure: the timers that the change sets or clears. */
  timers?(change: Change<State, Event>): readonly TimerChange[];
}

/**
 * A keeper of a machine whose decisions need rows besides the aggregate's own: codes of a pool, the last use of a
 * promotion, a balance. Callers send a `Request`; the machine decides the `Command` that is made of it here.
 *
 * Order of locks: inbox, aggregates by id, then the rows of `prepare`. It must lock them in one order of its own, and a
 * transaction that holds such a row must not lock an aggregate of this machine after it: else the two wait for each other.
 */
export interface PreparingKeeper<Schema, State, Event, Request, Command> extends Keeper<Schema, State, Event> {
  /**
   * The command of each envelope, in their order. Its statements follow those of `load` in the same round trip; one that
   * depends on the aggregates waits for `loaded` first, which is a round trip more. Messages that were seen before are
   * among the envelopes and are not decided. May run again when the transaction is tried again.
   */
  prepare(
    tx: Kysely<Schema>,
    envelopes: readonly Envelope<Request>[],
    loaded: Promise<ReadonlyMap<string, Loaded<State>>>,
  ): Promise<readonly Command[]>;
}

/** A row was changed between load and save, which its lock should have prevented: a bug or an unlocked load. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict';
}
