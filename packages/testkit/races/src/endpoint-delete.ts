/** An endpoint is deleted while events are stored for it and sent to it. */
import { WebhookApiService } from '@tillstream/proto/webhook/v1/webhook_api';
import { eventually } from '@tillstream/testkit/eventually';
import { complaints, type Race } from './race.ts';
import { alternate, merchantId } from './stage.ts';
import { openWebhooks } from './webhooks.ts';

export const endpointDelete: Race = {
  name: 'endpoint-delete',
  holds:
    'After a deletion nothing waits for the endpoint and nothing new is made for it; its neighbour hears everything, in order.',
  async open(contenders) {
    const webhooks = await openWebhooks(9_000);
    const { stage, services, received } = webhooks;
    const stopping = new AbortController();
    const dispatching = services.map((service) => webhooks.dispatch(service, stopping.signal));
    stage.closing(async () => {
      stopping.abort();
      await Promise.all(dispatching);
    });
    const remove = (service: number, endpointId: string) =>
      alternate(services, service).client(WebhookApiService).deleteEndpoint({ merchantId, endpointId });
    const stays = await webhooks.endpoint('/stays');
    return {
      async round(nth) {
        received.length = 0;
        const goes = await webhooks.endpoint('/goes');
        const [deleters, orders] = [3, contenders - 3];
        const orderOf = (at: number) => BigInt(1_000_000 + nth * 1_000 + at);
        return {
          contenders: [
            ...Array.from({ length: deleters }, (_, at) => () => remove(at, goes)),
            ...Array.from({ length: orders }, (_, at) => () => webhooks.tell(alternate(services, at), orderOf(at))),
          ],
          mayHear: ['endpoint_not_found'],
          async check(outcomes) {
            // One more, certainly after the deletion.
            await webhooks.tell(services[0], orderOf(orders));
            const rows = await eventually(async () => {
              const found = await stage.rows<Row>(checkSql, [String(orderOf(0)), String(orderOf(orders))]);
              return found.every(({ isStaying, status }) => !isStaying || status !== 'waiting') ? found : undefined;
            });
            const kept = rows.filter(({ isStaying }) => isStaying);
            const gone = rows.filter(({ isStaying }) => !isStaying);
            const late = gone.filter(({ orderId }) => BigInt(orderId) === orderOf(orders)).length;
            const waiting = gone.filter(({ status }) => status === 'waiting').length;
            const here = received.filter(({ path }) => path === '/stays');
            const wrong = complaints(
              [waiting === 0, `${waiting} deliveries wait for an endpoint that is deleted, for ever`],
              [late === 0, 'an event after the deletion made a delivery'],
              [
                kept.length === 2 * (orders + 1),
                `${kept.length} deliveries for the neighbour instead of ${2 * (orders + 1)}`,
              ],
              [kept.every(({ status }) => status === 'delivered'), 'the neighbour did not get everything'],
              [inOrder(here), 'the neighbour got a payment before its order'],
              [here.length === kept.length, `the neighbour was sent ${here.length} for ${kept.length}`],
              [outcomes.slice(0, deleters).some(({ status }) => status === 'fulfilled'), 'nobody could delete it'],
            );
            const cancelled = gone.filter(({ status }) => status === 'cancelled').length;
            return {
              ended: gone.length === 0 ? 'before all events' : cancelled > 0 ? 'some cancelled' : 'all were sent',
              wrong,
            };
          },
        };
      },
      close: async () => {
        await remove(0, stays);
        await stage.close();
      },
    };
  },
};

/** Of each order what happened first came first. */
export function inOrder(received: readonly { readonly orderId: number; readonly event: string }[]): boolean {
  const begun = new Set<number>();
  return received.every(({ orderId, event }) => {
    if (event === 'order.created') begun.add(orderId);
    return begun.has(orderId);
  });
}

interface Row {
  readonly orderId: string;
  readonly status: string;
  readonly isStaying: boolean;
}

const checkSql = `
  select d.order_id::text as "orderId", d.status, e.url like '%/stays' as "isStaying"
  from webhook.delivery d join webhook.endpoint e on e.id = d.endpoint_id
  where d.order_id between $1::bigint and $2::bigint`;
