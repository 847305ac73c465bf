/** What must be true of the rows when the fuzz is over: nothing was left half done. */
import { schemas, type Rows } from '../rows.ts';

interface Rule {
  readonly sentence: string;
  readonly of: readonly string[];
  /** Answers the rows that break it. */
  readonly sql: string;
}

const services = schemas.filter((schema) => schema !== 'gateway');

const rules: readonly Rule[] = [
  {
    sentence: 'every message is sent',
    of: services,
    sql: `select id, topic from outbox where sent_at is null limit 5`,
  },
  { sentence: 'no message is parked', of: services, sql: `select id, topic, error from parked_message limit 5` },
  {
    sentence: 'no transaction is open',
    of: [...schemas, 'carrier'],
    sql: `select pid, state, left(query, 100) as query from pg_stat_activity
           where usename = current_user and pid <> pg_backend_pid() and state like 'idle in transaction%'
             and state_change < now() - interval '2 seconds' limit 5`,
  },
  {
    sentence: 'every request with an idempotency key is answered or given free',
    of: ['gateway'],
    sql: `select left(idempotency_key, 40) as key from answer where status is null and locked_until > now() limit 5`,
  },
  {
    sentence: 'every order has items',
    of: ['order'],
    sql: `select order_id from purchase_order o where coalesce(jsonb_array_length(o.placed->'items'), 0) = 0 limit 5`,
  },
  {
    sentence: 'every order has its whole history',
    of: ['order'],
    sql: `select o.order_id from purchase_order o left join order_history h using (order_id)
           group by o.order_id, o.version having count(h.version) <> o.version limit 5`,
  },
  {
    sentence: 'every product has a name and a price',
    of: ['merchant'],
    sql: `select product_id from product where name = '' or jsonb_array_length(prices) = 0 limit 5`,
  },
  {
    sentence: 'nothing waits for an endpoint that is deleted',
    of: ['webhook'],
    sql: `select d.id from delivery d join endpoint e on e.id = d.endpoint_id
           where e.status = 'deleted' and d.status in ('waiting', 'held') limit 5`,
  },
];

/** The rules that are broken, in sentences. Waits a while for what is on its way. */
export async function unrest(rows: Rows, withinMs = 20_000): Promise<readonly string[]> {
  const endAt = Date.now() + withinMs;
  for (;;) {
    const broken: string[] = [];
    for (const { sentence, of, sql } of rules) {
      for (const schema of of) {
        const found = await rows.ask(schema, sql);
        if (found.length > 0)
          broken.push(
            `not so in ${schema}: ${sentence}: ${JSON.stringify(found, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))}`,
          );
      }
    }
    if (broken.length === 0 || Date.now() > endAt) return broken;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
