/** I16: when nothing is left to be done by us. What waits for the customer, the provider or the merchant is at rest. */
import type { World } from '../world.ts';

const senders = ['order', 'payment', 'fulfillment', 'subscription'] as const;

export interface Unrest {
  /** What is to be done now, in words; '' = nothing. */
  readonly busy: string;
  /** When the next retry is due; undefined = none is planned. */
  readonly nextMs: number | undefined;
  /** How far the test clocks have come that are being led on; undefined = none is. */
  readonly clocks?: string;
}

const busy = (what: string, clocks?: string): Unrest => ({
  busy: what,
  nextMs: undefined,
  ...(clocks === undefined ? {} : { clocks }),
});

interface Left {
  readonly what: string;
  readonly many: string;
  readonly next_at: Date | null;
}

interface Retry extends Left {
  readonly merchant_id: string | null;
}

interface TestClock {
  readonly merchant_id: string;
  readonly status: string;
  readonly sequence: string | bigint;
  readonly ahead: string | bigint;
  readonly by_ms: string | number | null;
}

const unsent = senders
  .map(
    (schema) => `
    select '${schema}: messages to send' as what, count(*) as many, null::timestamptz as next_at
    from "${schema}".outbox where sent_at is null
    union all select '${schema}: timers that are due', count(*), null::timestamptz from "${schema}".timer where due_at <= $1::timestamptz`,
  )
  .join(' union all ');

// The merchant's own retries: in a test clock's time, which is ahead of the wall's. What a provider sent is nobody's yet.
const retries = `
  select 'mails' as what, merchant_id, count(*) as many, min(due_at) as next_at from notification.job
    where due_at is not null group by merchant_id
  union all select 'webhooks', merchant_id, count(*), min(due_at) from webhook.delivery where status = 'waiting' group by merchant_id
  union all select 'callbacks to apply', null::uuid, count(*), min(due_at) from payment.callback where applied_at is null
  union all select 'calls to the provider', merchant_id, count(*), min(due_at) from payment.attempt
    where due_at is not null group by merchant_id`;

const parked = senders
  .map(
    (schema) =>
      `select '${schema}: parked' as what, count(*) as many, null::timestamptz as next_at from "${schema}".parked_message`,
  )
  .join(' union all ');

const leftToDo = `${unsent} union all ${parked}`;

export async function unrest(world: World): Promise<Unrest> {
  if (!world.isServing()) return busy('a service is not up');
  if (world.provider.pending > 0) return busy(`${world.provider.pending} callbacks are under way`);
  const behind = world.broker.behind();
  if (behind !== '') return busy(behind);
  const now = new Date(Date.now());
  const clocks = await world.storage.look<TestClock>(
    `select merchant_id, status, sequence, sequence - pushed_sequence as ahead, extract(epoch from at - set_at) * 1000 as by_ms
     from merchant.test_clock`,
  );
  if (clocks.some(({ status, ahead }) => status === 'advancing' || BigInt(ahead) > 0n)) {
    const [advance] = await world.storage.look<{ waiting_for: unknown }>(
      `select waiting_for from merchant.clock_advance where status in ('running', 'waiting')`,
    );
    const reached = clocks.map(({ merchant_id: merchant, sequence }) => `${merchant} ${sequence}`).toSorted();
    return busy(`a test clock is being led on, waiting for ${JSON.stringify(advance?.waiting_for)}`, reached.join());
  }
  for (const left of await world.storage.look<Left>(leftToDo, [now]))
    if (Number(left.many) > 0) return busy(`${left.many} ${left.what}`);
  const aheadMs = new Map(clocks.map((clock) => [clock.merchant_id, Number(clock.by_ms ?? 0)]));
  let nextMs: number | undefined;
  for (const { what, merchant_id: merchant, many, next_at: nextAt } of await world.storage.look<Retry>(retries)) {
    if (Number(many) === 0) continue;
    const dueMs = (nextAt?.getTime() ?? 0) - (aheadMs.get(merchant ?? '') ?? 0);
    if (dueMs <= now.getTime()) return busy(`${many} ${what}`);
    nextMs = Math.min(nextMs ?? dueMs, dueMs);
  }
  return { busy: '', nextMs };
}
