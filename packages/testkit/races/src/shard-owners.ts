/** Two owners of the shards: dispatchers come and go and lose their leases while events are stored. */
import { eventually } from '@tillstream/testkit/eventually';
import { inOrder } from './endpoint-delete.ts';
import { complaints, type Race } from './race.ts';
import { alternate, type Stage } from './stage.ts';
import { openWebhooks } from './webhooks.ts';

// Short, so that a lost lease is taken over within a round; a machine that is busy must still renew it in time.
const leaseMs = 1_500;

export const twoShardOwners: Race = {
  name: 'two-shard-owners',
  holds:
    'Every event reaches the endpoint, in order per order; twice only where an owner lost its shards; and what an old owner did is written by nobody.',
  async open(contenders) {
    const webhooks = await openWebhooks(leaseMs);
    const { stage, services, received } = webhooks;
    const running = services.map((service) => begin(service));
    function begin(service: (typeof services)[number]) {
      const stopping = new AbortController();
      const ended = webhooks.dispatch(service, stopping.signal);
      return {
        async stop() {
          stopping.abort();
          await ended;
        },
      };
    }
    stage.closing(() => Promise.all(running.map((each) => each.stop())));
    await Promise.all(['/a', '/b', '/c', '/d'].map((path) => webhooks.endpoint(path)));
    return {
      async round(nth, random) {
        received.length = 0;
        const orderOf = (at: number) => BigInt(1_000_000 + nth * 1_000 + at);
        const orders = contenders - 2;
        const fate = (['calm', 'one restarts', 'leases are lost'] as const)[random.below(3)] ?? 'calm';
        const epochs = await takeOvers(stage);
        const strike = async (at: number) => {
          if (fate === 'leases are lost') {
            await stage.rows('update webhook.shard_lease set expires_at = now() where shard % 2 = $1', [at]);
          } else if (fate === 'one restarts' && at === nth % 2) {
            await running[at]?.stop();
            const service = alternate(services, at);
            running[at] = begin(service);
          }
        };
        return {
          contenders: [
            ...Array.from({ length: orders }, (_, at) => () => webhooks.tell(alternate(services, at), orderOf(at))),
            ...[0, 1].map((at) => () => strike(at)),
          ],
          async check() {
            const rows = await eventually(async () => {
              const found = await stage.rows<Row>(checkSql, [String(orderOf(0)), String(orderOf(orders))]);
              return found.length > 0 && found.every(({ status }) => status === 'delivered') ? found : undefined;
            }, 60_000);
            // A machine that is busy may lose a lease without our doing; the epochs say so.
            const isCalm = fate === 'calm' && (await takeOvers(stage)) === epochs;
            const expected = orders * 2 * 4;
            const paths = [...new Set(received.map(({ path }) => path))];
            const wrong = complaints(
              [rows.length === expected, `${rows.length} deliveries instead of ${expected}`],
              [
                paths.every((path) => inOrder(received.filter((each) => each.path === path))),
                'a payment came before its order',
              ],
              [
                new Set(received.map((each) => `${each.path} ${each.orderId} ${each.event}`)).size === expected,
                'an event did not come',
              ],
              [rows.every(({ attempts, logged }) => attempts === logged), 'attempts are counted that were not written'],
              [
                !isCalm || received.length === expected,
                `${received.length} were sent for ${expected}, and nobody lost a shard`,
              ],
              [!isCalm || rows.every(({ attempts }) => attempts === 1), 'two owners wrote the result of one delivery'],
            );
            return { ended: `${fate}${received.length > expected ? ', some sent twice' : ''}`, wrong };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

/** How often a shard has changed its owner. */
async function takeOvers(stage: Stage): Promise<string> {
  const [row] = await stage.rows<{ sum: string }>('select sum(epoch)::text as sum from webhook.shard_lease');
  return row?.sum ?? '';
}

interface Row {
  readonly status: string;
  readonly attempts: number;
  readonly logged: number;
}

const checkSql = `
  select status, attempt_count as attempts, (select count(*)::int from webhook.attempt a where a.delivery_id = d.id) as logged
  from webhook.delivery d where order_id between $1::bigint and $2::bigint`;
