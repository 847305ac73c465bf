/** What payments know of an order's story. */
import type { Database } from '@tillstream/database/database';
import { publicId } from '@tillstream/database/public-id';
import type { Awaited, TimelineEntry } from '@tillstream/proto/timeline/v1/timeline_api';
import { sql } from 'kysely';
import type { PaymentRow, PaymentTables } from './tables.ts';

const sentences: Record<string, string> = {
  paymentCreated: 'A payment was started.',
  pageKnown: 'The provider opened its page for it.',
  outcomeUnknown: 'The provider has not said what became of it; it is being asked.',
  paymentSeen: 'The customer opened the provider’s page.',
  paymentProcessing: 'The customer began to pay.',
  paymentConfirmed: 'The provider confirmed the payment.',
  paymentBooked: 'The money is booked.',
  paymentFailed: 'The payment failed; no money moved.',
  paymentExpired: 'The payment expired: the customer did not begin to pay in time.',
  paymentWithdrawn: 'The payment was withdrawn.',
  paymentProcessingExpired: 'The provider stopped waiting for the bank.',
  paymentHeldForReview: 'Money came that does not fit this payment: a person must look.',
};

const ofRenewals: Record<string, string> = {
  paymentCreated: 'The saved card is charged for the renewal.',
};

export async function readTimeline(
  database: Database<PaymentTables>,
  merchantId: string,
  orderId: bigint,
): Promise<{ entries: TimelineEntry[]; awaited: Awaited[] }> {
  const { history, live } = await database.transaction([merchantId], async (tx) => {
    const { rows } = await sql<{
      payment_id: string;
      type: string;
      at: Date;
      trace_id: string;
      is_off_session: boolean;
    }>`
      select h.payment_id, h.type, h.at, h.trace_id, p.is_off_session from payment_history h join payment p using (payment_id)
      where h.merchant_id = ${merchantId} and h.order_id = ${orderId} order by h.at, h.payment_id, h.version limit 200`.execute(
      tx,
    );
    const open = await sql<PaymentRow>`
      select * from payment where merchant_id = ${merchantId} and order_id = ${orderId} and status in ('created', 'seen', 'processing', 'confirmed')`.execute(
      tx,
    );
    return { history: rows, live: open.rows };
  });
  const entries = history.map((row) => ({
    at: row.at,
    source: 'payment',
    type: row.type.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    summary: (row.is_off_session ? ofRenewals[row.type] : undefined) ?? sentences[row.type] ?? row.type,
    traceId: row.trace_id,
    objectId: publicId('pay', row.payment_id),
  }));
  const awaited = live.map((row) =>
    row.status === 'created' || row.status === 'seen'
      ? {
          source: 'payment',
          type: 'customer_pays',
          summary: 'The customer to pay on the provider’s page.',
          until: row.expires_at ?? undefined,
        }
      : {
          source: 'payment',
          type: 'provider_answers',
          summary: 'The provider to say what became of the payment.',
          until: undefined,
        },
  );
  return { entries, awaited };
}
