/** What happened to an order, from every service that knows something of it, in the order of time. */
import type { ReadTimelineResponse } from '@tillstream/proto/timeline/v1/timeline_api';
import { instant, instantOf, madeAt } from '@tillstream/public-api/values';
import type { Log } from '@tillstream/rpc/contract';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { tenantOf } from '../http/tenant.ts';
import { problems, says } from '../shapes.ts';
import { orderIdOf, orderParams } from './orders.ts';

const entry = z.object({
  at: instant,
  source: z.string().describe('The service that says it.'),
  type: z.string().describe('Stable, such as order_paid.'),
  summary: z.string(),
  object_id: z.string().nullable(),
  trace_id: z.string().nullable(),
});

const awaited = z.object({ source: z.string(), type: z.string(), summary: z.string(), until: instant.nullable() });

const timeline = z
  .object({
    object: z.literal('timeline'),
    order: z.number().meta({ type: 'integer' }),
    entries: z.array(entry).describe('Oldest first.'),
    awaited: z.array(awaited).describe('What is waited for now.'),
    silent: z.array(z.string()).describe('Services that did not answer just now: what they know is missing above.'),
  })
  .meta({ id: 'Timeline' });

type Entry = z.infer<typeof entry>;

export function addTimeline(api: Api, { order, timelines }: Pick<Clients, 'order' | 'timelines'>, log: Log): void {
  api.get(
    '/orders/:id/timeline',
    {
      schema: {
        ...says('Orders', 'getOrderTimeline', 'What happened to an order', 'Across all services, and what is awaited.'),
        params: orderParams,
        response: { 200: timeline, ...problems },
      },
    },
    async (request) => {
      const { merchantId } = tenantOf(request);
      const orderId = orderIdOf(request.params.id);
      // Whose order it is, is said by the order service alone.
      await order.getOrder({ merchantId, orderId });
      const silent: string[] = [];
      const told = await Promise.all(
        Object.entries(timelines).map(async ([source, client]): Promise<ReadTimelineResponse> => {
          try {
            return await client.readTimeline({ merchantId, orderId });
          } catch (error) {
            log.warn({ err: error, source }, 'a timeline is missing');
            silent.push(source);
            return { entries: [], awaited: [] };
          }
        }),
      );
      const entries = told.flatMap((each) =>
        each.entries.map((one): Entry => ({
          at: madeAt(one.at),
          source: one.source,
          type: one.type,
          summary: one.summary,
          object_id: one.objectId === '' ? null : one.objectId,
          trace_id: one.traceId === '' ? null : one.traceId,
        })),
      );
      return {
        object: 'timeline' as const,
        order: Number(orderId),
        // Stable: at the same instant the order's own entries come first, and each service's stay in its order.
        entries: entries.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
        awaited: told.flatMap((each) =>
          each.awaited.map((one) => ({
            source: one.source,
            type: one.type,
            summary: one.summary,
            until: instantOf(one.until),
          })),
        ),
        silent: silent.toSorted(),
      };
    },
  );
}
