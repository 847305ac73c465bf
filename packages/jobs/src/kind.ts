/** What a kind of job is, what a run of one comes to, and what a worker is given to run. */
import type { RawBuilder } from 'kysely';

/** What a run came to. */
export type Outcome =
  | { readonly type: 'done' }
  /** There is nothing to call: what the job was written for is no longer so. */
  | { readonly type: 'not_wanted'; readonly because: string }
  /** This job, later: by the kind's schedule, or after so long. `isAway` = the destination did not answer, and a try is counted. */
  | { readonly type: 'retry'; readonly because: string; readonly afterMs?: number; readonly isAway?: boolean }
  /** The destination does not answer. It says nothing about the job: no try is counted. */
  | { readonly type: 'away'; readonly because: string }
  /** It was not begun, because this process ends: it is free again at once. */
  | { readonly type: 'put_back' }
  /** Never: it is kept for a person, who may replay it. */
  | { readonly type: 'dead'; readonly because: string }
  /** That outcome was written in the transaction of a command, by `settleBeside`. */
  | { readonly type: 'settled_beside'; readonly as: Written };

/** An outcome that is written into the job's row. */
export type Written = Exclude<Outcome, { readonly type: 'settled_beside' }>;

export const done: Written = { type: 'done' };

export interface JobKind<Payload, Details = object> {
  /** A stable snake_case word; it stands in rows, metrics and the doctor's figures. */
  readonly kind: string;
  /** The word by which the time machine waits for it (messaging/work.ts): mails, provider_calls. */
  readonly work: string;
  /** Jobs that one lease takes. */
  readonly batch: number;
  /** Calls under way to one destination, per loop. */
  readonly perDestination: number;
  /** Loops of one process, so that one calls while another commits. Default 1. */
  readonly loops?: number;
  /** By the wall. A crash delays its jobs by this much; a running batch renews it. */
  readonly leaseMs: number;
  /** Another process's job, or one that is due again, waits at most this long. Default one second. */
  readonly idleMs?: number;
  /** Pure: the wait after so many tries (from 1), by the merchant's clock; undefined = dead. `random` in [0, 1) spreads. */
  readonly schedule: (tries: number, random: number) => number | undefined;
  /** No wait of the schedule is longer. One that is was set by a test clock that has come home since. */
  readonly longestWaitMs: number;
  /** A job of this age is dead when a run does not settle it: the merchant's age for a retry, the wall's while away. Absent = never. */
  readonly giveUpMs?: number;
  /** Opens after so many runs in a row without an answer; its pauses double from the first to the longest, by the wall. */
  readonly breaker: { readonly failures: number; readonly firstMs: number; readonly longestMs: number };
  /** Due by the wall's clock whatever the merchant's shows: what is called has no other. */
  readonly isByWall?: boolean;
  /** The time machine reports dead jobs as stuck. */
  readonly isDeadStuck?: boolean;
  /** Rows that a run needs, read by the statement that leases: `columns` of what `join` joins to `taken.job_id`. */
  readonly details?: { readonly columns: RawBuilder<unknown>; readonly join: RawBuilder<unknown> };
  /** Only for the compiler. */
  readonly types?: { readonly payload: Payload; readonly details: Details };
}

export function jobKind<Payload, Details = object>(kind: JobKind<Payload, Details>): JobKind<Payload, Details> {
  return kind;
}

/** Of any payload and details: what does not run them needs to know. */
export type AnyKind = JobKind<unknown, unknown>;

export interface NewJob<Payload> {
  /** UUID v7: the idempotency key of the call for ever. */
  readonly jobId: string;
  readonly merchantId: string;
  readonly subject: string;
  readonly destination: string;
  readonly payload?: Payload;
  /** The merchant's now. */
  readonly now: Date;
  readonly traceparent: string;
  /** A second job of this kind and subject is not written. */
  readonly isOnce?: boolean;
  /** By the wall: the process that writes it runs it at once (`runNow`), and others leave it alone for so long. */
  readonly heldForMs?: number;
}

export interface LeasedJob<Payload, Details = object> {
  readonly jobId: string;
  readonly merchantId: string;
  readonly subject: string;
  readonly destination: string;
  readonly payload: Payload;
  readonly details: Details;
  readonly epoch: bigint;
  /** Tries before this one. */
  readonly tries: number;
  readonly traceparent: string;
  readonly createdAt: Date;
  /** By the merchant's clock, and by the wall's. */
  readonly ageMs: number;
  readonly wallAgeMs: number;
}
