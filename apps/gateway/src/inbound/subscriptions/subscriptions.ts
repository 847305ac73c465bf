/** What renews, and the merchant's cancel and restore. */
import { showSubscription, subscriptionShape } from '@tillstream/public-api/subscription';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import { readSubscriptionId } from '../../domain/subscription-id.ts';
import type { Clients } from '../clients.ts';
import { found } from '../found.ts';
import type { Api } from '../http/api.ts';
import { tenantOf } from '../http/tenant.ts';
import { orderIdOf } from '../orders/orders.ts';
import { list, listOf, optionalBody, pageQuery, problems, says } from '../shapes.ts';

const idWords = 'sub_5555555_456660, or as webhooks name it: 5555555_456660.';
const params = z.object({ id: z.string().describe(idWords) });

const filters = pageQuery({
  status: z.enum(['not paid', 'active', 'cancelled']).optional(),
  order: z.string().max(20).optional().describe('The number or the name of an order: the parent or any renewal.'),
});

const suppress = z.boolean().default(false).describe('True: the customer gets no mail about it.');
// Without a body the customer is told.
const change = optionalBody({ suppress_customer_notification: suppress });
const activityChange = z.strictObject({
  id: z
    .string()
    .max(100)
    .describe(idWords)
    .meta({ examples: ['5555555_456660'] }),
  activity: z.boolean().describe('false cancels, true restores.'),
  suppress_customer_notification: suppress,
});

function subscriptionIdOf(text: string): string {
  const id = readSubscriptionId(text);
  if (id === undefined) throw new Refused('subscription_not_found');
  return id;
}

export function addSubscriptions(api: Api, { subscription }: Pick<Clients, 'subscription'>): void {
  const setActivity = async (merchantId: string, id: string, isWanted: boolean, isSilent: boolean) => {
    const wish = {
      merchantId,
      subscriptionId: subscriptionIdOf(id),
      by: 'merchant',
      suppressCustomerNotification: isSilent,
    };
    const answer = await (isWanted ? subscription.restoreSubscription(wish) : subscription.cancelSubscription(wish));
    return showSubscription(found(answer.subscription, 'subscription_not_found'));
  };

  api.get(
    '/subscriptions',
    {
      schema: {
        ...says('Subscriptions', 'listSubscriptions', 'List subscriptions'),
        querystring: filters,
        response: { 200: listOf(subscriptionShape), ...problems },
      },
    },
    async (request) => {
      const { query } = request;
      const answer = await subscription.listSubscriptions({
        merchantId: tenantOf(request).merchantId,
        limit: query.limit,
        startingAfter: query.starting_after === undefined ? '' : subscriptionIdOf(query.starting_after),
        endingBefore: query.ending_before === undefined ? '' : subscriptionIdOf(query.ending_before),
        status: query.status ?? '',
        orderId: query.order === undefined ? 0n : orderIdOf(query.order),
      });
      return list(answer.subscriptions.map(showSubscription), answer.hasMore);
    },
  );

  api.get(
    '/subscriptions/:id',
    {
      schema: {
        ...says('Subscriptions', 'getSubscription', 'Look at a subscription'),
        params,
        response: { 200: subscriptionShape, ...problems },
      },
    },
    async (request) => {
      const answer = await subscription.getSubscription({
        merchantId: tenantOf(request).merchantId,
        subscriptionId: subscriptionIdOf(request.params.id),
      });
      return showSubscription(found(answer.subscription, 'subscription_not_found'));
    },
  );

  api.post(
    '/subscriptions/:id/cancel',
    {
      schema: {
        ...says(
          'Subscriptions',
          'cancelSubscription',
          'Cancel a subscription',
          'No further order and no further charge. The paid time lasts to its end. A charge that was already asked for goes on: if it succeeds, that term is paid and delivered, and the subscription stays cancelled. Cancelling a cancelled one changes nothing.',
        ),
        params,
        body: change,
        response: { 200: subscriptionShape, ...problems },
      },
    },
    async (request) =>
      setActivity(tenantOf(request).merchantId, request.params.id, false, request.body.suppress_customer_notification),
  );

  api.post(
    '/subscriptions/:id/restore',
    {
      schema: {
        ...says(
          'Subscriptions',
          'restoreSubscription',
          'Restore a cancelled subscription',
          'It becomes active, or not paid when an order for the next term is open. Where the first planned charge is past, it is charged at the next one. Restoring one that is not cancelled changes nothing. PMR is refused with restore_not_supported; one whose paid time is over and that has no order to pay, with subscription_ended.',
        ),
        params,
        body: change,
        response: { 200: subscriptionShape, ...problems },
      },
    },
    async (request) =>
      setActivity(tenantOf(request).merchantId, request.params.id, true, request.body.suppress_customer_notification),
  );

  api.post(
    '/subscriptions/modify_activity',
    {
      schema: {
        ...says(
          'Subscriptions',
          'modifySubscriptionActivity',
          'Cancel or restore, in the words of older integrations',
          'The same as cancel and restore. Repeating it changes nothing.',
        ),
        body: activityChange,
        response: { 200: subscriptionShape, ...problems },
      },
    },
    async (request) => {
      const { id, activity, suppress_customer_notification: isSilent } = request.body;
      return setActivity(tenantOf(request).merchantId, id, activity, isSilent);
    },
  );
}
