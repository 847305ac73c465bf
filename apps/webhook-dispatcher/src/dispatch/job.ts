/** A head in the schedule's words. */
import type { EndpointJob } from '../domain/scheduler/scheduler.ts';
import type { Head } from '../outbound/rows/heads.ts';
import type { Chain, Subject } from '../ports.ts';
import type { Result } from '../outbound/rows/results.ts';

export interface Job extends EndpointJob, Subject {
  readonly deliveryId: string;
  readonly shard: number;
  readonly epoch: bigint;
}

export interface Picked {
  readonly job: Job;
  readonly isExtra: boolean;
}

export interface Outcome {
  readonly job: Job;
  readonly result: Result;
  readonly recovered: boolean;
}

export function toJob(head: Head, epoch: bigint, nowMs: number): Job {
  return {
    deliveryId: head.deliveryId,
    endpoint: head.endpointId,
    tenant: head.merchantId,
    chain: `${head.subjectKind} ${head.subjectId}`,
    subjectKind: head.subjectKind,
    subjectId: head.subjectId,
    shard: head.shard,
    epoch,
    dueAtMs: nowMs + head.dueInMs,
    triedAtMs: head.triedMsAgo === undefined ? -Infinity : nowMs - head.triedMsAgo,
  };
}

export function chainOf({ endpoint, subjectKind, subjectId }: Job): Chain {
  return { endpointId: endpoint, subjectKind, subjectId };
}
