/** A head in the schedule's words. */
import type { EndpointJob } from '../domain/scheduler/scheduler.ts';
import type { Head } from '../outbound/rows/heads.ts';
import type { Result } from '../outbound/rows/results.ts';

export interface Job extends EndpointJob {
  readonly deliveryId: string;
  readonly orderId: bigint;
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
    chain: String(head.orderId),
    orderId: head.orderId,
    shard: head.shard,
    epoch,
    dueAtMs: nowMs + head.dueInMs,
    triedAtMs: head.triedMsAgo === undefined ? -Infinity : nowMs - head.triedMsAgo,
  };
}
