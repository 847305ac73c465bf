/** I16: when nothing is left to be done by us. What waits for the customer, the provider or the merchant is at rest. */
import type { Shop } from '../shop.ts';
import type { World } from '../world.ts';

const senders = ['order', 'payment', 'fulfillment', 'subscription'] as const;

export interface Unrest {
  /** What is to be done now, in words; '' = nothing. */
  readonly busy: string;
  /** When the next retry is due; undefined = none is planned. */
  readonly nextMs: number | undefined;
}

const busy = (what: string): Unrest => ({ busy: what, nextMs: undefined });

interface Left {
  readonly what: string;
  readonly many: string;
  readonly next_at: Date | null;
}

const unsent = senders
  .map(
    (schema) => `
    select '${schema}: messages to send' as what, count(*) as many, null::timestamptz as next_at
    from "${schema}".outbox where sent_at is null
    union all select '${schema}: timers that are due', count(*), null::timestamptz from "${schema}".timer where due_at <= $1::timestamptz`,
  )
  .join(' union all ');

// The merchant's own retries: in a test clock's time, which is ahead of the wall's.
const retries = `
  select 'mails' as what, count(*) as many, min(due_at) as next_at from notification.mail where status in ('pending', 'sending')
  union all select 'webhooks', count(*), min(due_at) from webhook.delivery where status = 'waiting'
  union all select 'callbacks to apply', count(*), min(due_at) from payment.callback where applied_at is null
  union all select 'calls to the provider', count(*), min(due_at) from payment.attempt where due_at is not null`;

const parked = senders
  .map(
    (schema) =>
      `select '${schema}: parked' as what, count(*) as many, null::timestamptz as next_at from "${schema}".parked_message`,
  )
  .join(' union all ');

const leftToDo = `${unsent} union all ${parked}`;

export async function unrest(world: World, shop: Shop): Promise<Unrest> {
  if (!world.isServing()) return busy('a service is not up');
  if (world.provider.pending > 0) return busy(`${world.provider.pending} callbacks are under way`);
  const behind = world.broker.behind();
  if (behind !== '') return busy(behind);
  const now = new Date(Date.now());
  const [clock] = await world.storage.look<{ status: string; ahead: string }>(
    'select status, sequence - pushed_sequence as ahead, at, set_at from merchant.test_clock where merchant_id = $1',
    [shop.merchantId],
  );
  if (clock?.status === 'advancing' || BigInt(clock?.ahead ?? 0) > 0n) {
    const [advance] = await world.storage.look<{ waiting_for: unknown }>(
      `select waiting_for from merchant.clock_advance where status in ('running', 'waiting')`,
    );
    return busy(`the test clock is being led on, waiting for ${JSON.stringify(advance?.waiting_for)}`);
  }
  for (const left of await world.storage.look<Left>(leftToDo, [now]))
    if (Number(left.many) > 0) return busy(`${left.many} ${left.what}`);
  const [ahead] = await world.storage.look<{ by_ms: string | number | null }>(
    `select extract(epoch from at - set_at) * 1000 as by_ms from merchant.test_clock where merchant_id = $1`,
    [shop.merchantId],
  );
  const aheadMs = Number(ahead?.by_ms ?? 0);
  let nextMs: number | undefined;
  for (const { what, many, next_at: nextAt } of await world.storage.look<Left>(retries)) {
    if (Number(many) === 0) continue;
    const dueMs = (nextAt?.getTime() ?? 0) - aheadMs;
    if (dueMs <= now.getTime()) return busy(`${many} ${what}`);
    nextMs = Math.min(nextMs ?? dueMs, dueMs);
  }
  return { busy: '', nextMs };
}
