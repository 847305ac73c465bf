/** What was sold. */
import { orderInList, showOrder, showWholeOrder, wholeOrder } from '@tillstream/public-api/order';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import { readOrderId } from '../../domain/order-id.ts';
import type { Clients } from '../clients.ts';
import { found } from '../found.ts';
import type { Api } from '../http/api.ts';
import { requestIdOf } from '../http/idempotency.ts';
import { tenantOf } from '../http/tenant.ts';
import { list, listOf, pageQuery, problems, says } from '../shapes.ts';

export const orderParams = z.object({ id: z.string().describe('The number or the name (A0001000001).') });

const filters = pageQuery({
  status: z.enum(['not paid', 'paid', 'deleted']).optional(),
  fulfilment_status: z.enum(['not delivered', 'delivered']).optional(),
  customer_email: z.string().max(254).optional(),
  external_id: z.string().max(255).optional(),
});

// An order has at most fifty attempts; more payments than a page holds do not come about.
const mostPayments = 100;

export function orderIdOf(text: string): bigint {
  const id = readOrderId(text);
  if (id === undefined) throw new Refused('order_not_found');
  return id;
}

export function addOrders(
  api: Api,
  { order, payment, fulfillment }: Pick<Clients, 'order' | 'payment' | 'fulfillment'>,
): void {
  const wholeOf = async (merchantId: string, orderId: bigint) => {
    // The order first: the others answer for orders that they have heard of, and cannot say whose a number is.
    const answer = await order.getOrder({ merchantId, orderId });
    const known = found(answer.order, 'order_not_found');
    const [{ payments }, { licences }] = await Promise.all([
      payment.listPayments({
        merchantId,
        orderId,
        status: '',
        limit: mostPayments,
        startingAfter: '',
        endingBefore: '',
      }),
      fulfillment.getLicences({ orders: [{ merchantId, orderId }] }),
    ]);
    return showWholeOrder(known, licences, payments);
  };

  api.get(
    '/orders',
    {
      schema: {
        ...says(
          'Orders',
          'listOrders',
          'List orders',
          'Without licence codes and payments; look at one order for these.',
        ),
        querystring: filters,
        response: { 200: listOf(orderInList), ...problems },
      },
    },
    async (request) => {
      const { query } = request;
      const answer = await order.listOrders({
        merchantId: tenantOf(request).merchantId,
        limit: query.limit,
        startingAfter: query.starting_after === undefined ? 0n : orderIdOf(query.starting_after),
        endingBefore: query.ending_before === undefined ? 0n : orderIdOf(query.ending_before),
        status: query.status ?? '',
        fulfilmentStatus: query.fulfilment_status ?? '',
        customerEmail: query.customer_email ?? '',
        externalId: query.external_id ?? '',
      });
      return list(answer.orders.map(showOrder), answer.hasMore);
    },
  );

  api.get(
    '/orders/:id',
    {
      schema: {
        ...says('Orders', 'getOrder', 'Look at an order'),
        params: orderParams,
        response: { 200: wholeOrder, ...problems },
      },
    },
    async (request) => wholeOf(tenantOf(request).merchantId, orderIdOf(request.params.id)),
  );

  api.post(
    '/orders/:id/delete',
    {
      schema: {
        ...says('Orders', 'deleteOrder', 'Delete an unpaid order'),
        params: orderParams,
        response: { 200: wholeOrder, ...problems },
      },
    },
    async (request) => {
      const { merchantId } = tenantOf(request);
      const orderId = orderIdOf(request.params.id);
      await order.deleteOrder({ merchantId, orderId });
      return wholeOf(merchantId, orderId);
    },
  );

  api.post(
    '/orders/:id/resend_licences',
    {
      schema: {
        ...says('Orders', 'resendLicences', 'Send the licence mails once more'),
        description:
          'For every item that is delivered, while the order is paid; at most 20 times. Items that are not delivered yet are sent by themselves.',
        params: orderParams,
        response: { 200: wholeOrder, ...problems },
      },
    },
    async (request) => {
      const { merchantId } = tenantOf(request);
      const orderId = orderIdOf(request.params.id);
      await order.resendLicences({ merchantId, orderId, requestId: requestIdOf(request) });
      return wholeOf(merchantId, orderId);
    },
  );
}
