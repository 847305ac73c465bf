/** Payments of orders. */
import { paymentShape, showPayment } from '@tillstream/public-api/payment';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import { found } from '../found.ts';
import type { Api } from '../http/api.ts';
import { tenantOf } from '../http/tenant.ts';
import { list, listOf, pageOf, pageQuery, problems, says } from '../shapes.ts';
import { orderIdOf } from './orders.ts';

const params = z.object({ id: z.string() });

const filters = pageQuery({
  order: z.string().max(20).optional().describe('The number or the name of an order.'),
  status: z
    .enum([
      'created',
      'seen',
      'processing',
      'confirmed',
      'booked',
      'failed',
      'expired',
      'withdrawn',
      'processing_expired',
    ])
    .optional(),
});

export function addPayments(api: Api, { payment }: Pick<Clients, 'payment'>): void {
  api.get(
    '/payments',
    {
      schema: {
        ...says('Payments', 'listPayments', 'List payments'),
        querystring: filters,
        response: { 200: listOf(paymentShape), ...problems },
      },
    },
    async (request) => {
      const { query } = request;
      const answer = await payment.listPayments({
        merchantId: tenantOf(request).merchantId,
        orderId: query.order === undefined ? 0n : orderIdOf(query.order),
        status: query.status ?? '',
        ...pageOf(query),
      });
      return list(answer.payments.map(showPayment), answer.hasMore);
    },
  );

  api.get(
    '/payments/:id',
    {
      schema: {
        ...says('Payments', 'getPayment', 'Look at a payment'),
        params,
        response: { 200: paymentShape, ...problems },
      },
    },
    async (request) => {
      const { payments } = await payment.getPayments({
        keys: [{ merchantId: tenantOf(request).merchantId, paymentId: request.params.id }],
      });
      return showPayment(found(payments[0], 'payment_not_found'));
    },
  );

  api.post(
    '/payments/:id/withdraw',
    {
      schema: {
        ...says(
          'Payments',
          'withdrawPayment',
          'Withdraw a payment',
          'Only as long as the customer has not begun to pay.',
        ),
        params,
        response: { 200: paymentShape, ...problems },
      },
    },
    async (request) => {
      const answer = await payment.withdrawPayment({
        merchantId: tenantOf(request).merchantId,
        paymentId: request.params.id,
      });
      return showPayment(found(answer.payment, 'payment_not_found'));
    },
  );
}
