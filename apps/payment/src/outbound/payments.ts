/** Reads of payments, as the wire says them. */
import type { Database } from '@tillstream/database/database';
import { beyond } from '@tillstream/database/page';
import { publicId, readPublicId } from '@tillstream/database/public-id';
import { readInstrument } from '@tillstream/instrument/instrument';
import { instrumentFields } from '@tillstream/instrument/wire';
import { gatherEach } from '@tillstream/messaging/gather';
import type { Payment as WirePayment } from '@tillstream/proto/payment/v1/payment_api';
import { sql, type Selectable } from 'kysely';
import { methodOf } from '../domain/methods.ts';
import type { PaymentIntent } from '../domain/payment-intent.ts';
import { askEveryMs } from '../domain/policies.ts';
import { intentColumns, toIntent } from './intent-keeper.ts';
import type { IntentColumns, PaymentRow, PaymentTables } from './tables.ts';

export interface PaymentFilter {
  readonly orderId: bigint;
  readonly status: string;
  readonly limit: number;
  readonly startingAfter: string;
  readonly endingBefore: string;
}

type Tried = Selectable<PaymentTables['attempt']>;
type TriedRow = PaymentRow & { readonly tried: readonly TriedStep[] | null };

/** An attempt, as JSON has it. */
interface TriedStep extends Pick<Tried, 'attempt_id' | 'kind' | 'state' | 'tries'> {
  readonly created_at: string;
  readonly settled_at: string | null;
}

// With the payment in one round trip, and of the same moment.
const tried = sql<readonly TriedStep[] | null>`(
  select json_agg(json_build_object(
      'attempt_id', a.attempt_id, 'kind', a.kind, 'state', a.state, 'tries', a.tries, 'created_at', a.created_at, 'settled_at', a.settled_at
    ) order by a.attempt_id)
  from attempt a where a.payment_id = payment.payment_id)`.as('tried');

const nobody = '00000000-0000-0000-0000-000000000000';

export interface OrderPayments {
  readonly intent: PaymentIntent | undefined;
  readonly payments: readonly PaymentRow[];
}

export class Payments {
  readonly #database: Database<PaymentTables>;

  // What pages ask for one by one is asked for together.
  readonly #ofOrder: (merchantId: string, orderId: bigint) => Promise<readonly (PaymentRow & IntentColumns)[]>;
  readonly #newestShown: (lane: string, orderId: bigint) => Promise<readonly TriedRow[]>;
  readonly #shown: (merchantId: string, id: string) => Promise<WirePayment | undefined>;
  readonly #asking: (merchantId: string, paymentId: string) => Promise<boolean>;

  constructor(database: Database<PaymentTables>) {
    this.#database = database;
    this.#ofOrder = gatherEach((ids, merchantId) => this.#readOfOrders(merchantId, ids));
    this.#newestShown = gatherEach((ids, lane) => this.#readNewestShown(lane, ids));
    this.#shown = gatherEach((ids, merchantId) => this.#readShown(merchantId, ids));
    this.#asking = gatherEach((ids, merchantId) => this.#noteAsking(merchantId, ids));
  }

  /** The payments of this order, newest first, and the intent that they are to pay. */
  async ofOrder(merchantId: string, orderId: bigint): Promise<OrderPayments> {
    const rows = await this.#ofOrder(merchantId, orderId);
    return { intent: rows[0] === undefined ? undefined : toIntent(rows[0]), payments: rows };
  }

  /** Newest first. */
  async #readOfOrders(
    merchantId: string,
    orderIds: readonly bigint[],
  ): Promise<readonly (readonly (PaymentRow & IntentColumns)[])[]> {
    const { rows } = await this.#database.statement([merchantId], (one) =>
      sql<PaymentRow & IntentColumns>`
        select payment.*, ${intentColumns} from payment join payment_intent i on i.merchant_id = payment.merchant_id and i.order_id = payment.order_id
        where payment.merchant_id = ${merchantId}::uuid and payment.order_id = any (${orderIds}::bigint[])
        order by payment.payment_id desc`.execute(one),
    );
    const byOrder = Map.groupBy(rows, (row) => row.order_id);
    return orderIds.map((id) => byOrder.get(id) ?? []);
  }

  /** Whether the provider may be asked now; notes that it is. In wall time: it spares the provider. */
  mayAsk(merchantId: string, paymentId: string): Promise<boolean> {
    return this.#asking(merchantId, paymentId);
  }

  async #noteAsking(merchantId: string, ids: readonly string[]): Promise<readonly boolean[]> {
    const { rows } = await this.#database.statement([merchantId], (one) =>
      sql<{ payment_id: string }>`
        insert into payment_asked (payment_id, merchant_id, asked_at)
        select distinct payment_id, ${merchantId}::uuid, now() from unnest(${ids}::uuid[]) as t (payment_id) order by payment_id
        on conflict (payment_id) do update set asked_at = now()
        where payment_asked.asked_at < now() - make_interval(secs => ${askEveryMs / 1_000})
        returning payment_id`.execute(one),
    );
    const noted = new Set(rows.map((row) => row.payment_id));
    // Of several who ask for one payment at the same moment one is enough.
    return ids.map((id) => noted.delete(id));
  }

  /** By ids of rows, over merchants: for timers, which carry the merchant with them. */
  async rows(merchants: readonly string[], ids: readonly string[]): Promise<readonly PaymentRow[]> {
    const { rows } = await this.#database.statement(merchants, (tx) =>
      sql<PaymentRow>`select * from payment where payment_id = any (${ids}::uuid[])`.execute(tx),
    );
    return rows;
  }

  async get(keys: readonly { merchantId: string; paymentId: string }[]): Promise<readonly WirePayment[]> {
    const found = await Promise.all(
      keys.map(async ({ merchantId, paymentId }) => {
        const id = readPublicId('pay', paymentId) ?? (/^[0-9a-f-]{36}$/.test(paymentId) ? paymentId : undefined);
        return id === undefined ? undefined : await this.#shown(merchantId, id);
      }),
    );
    return found.filter((each) => each !== undefined);
  }

  async #readShown(merchantId: string, ids: readonly string[]): Promise<readonly (WirePayment | undefined)[]> {
    const { rows } = await this.#database.statement([merchantId], (one) =>
      sql<TriedRow>`
        select payment.*, ${tried} from payment
        where merchant_id = ${merchantId}::uuid and payment_id = any (${ids}::uuid[])`.execute(one),
    );
    const byId = new Map(rows.map((row) => [row.payment_id, toWire(row)]));
    return ids.map((id) => byId.get(id));
  }

  async list(
    merchantId: string,
    filter: PaymentFilter,
  ): Promise<{ payments: readonly WirePayment[]; hasMore: boolean }> {
    const limit = Math.min(Math.max(filter.limit, 1), 100);
    const isBackward = filter.endingBefore !== '' && filter.startingAfter === '';
    const rows = await this.#read(merchantId, filter, limit + 1, isBackward);
    const shown = rows.slice(0, limit);
    if (isBackward) shown.reverse();
    return { payments: shown.map(toWire), hasMore: rows.length > limit };
  }

  async #read(
    merchantId: string,
    filter: PaymentFilter,
    limit: number,
    isBackward: boolean,
  ): Promise<readonly TriedRow[]> {
    const { orderId, status, startingAfter, endingBefore } = filter;
    // What pages ask for.
    if (orderId !== 0n && status === '' && startingAfter === '' && endingBefore === '')
      return this.#newestShown(`${merchantId} ${limit}`, orderId);
    return this.#database.statement([merchantId], (one) => {
      let query = one
        .selectFrom('payment')
        .where('merchant_id', '=', merchantId)
        .selectAll()
        .select(tried)
        .limit(limit);
      if (orderId !== 0n) query = query.where('order_id', '=', orderId);
      if (status !== '') query = query.where(sql<boolean>`status = ${status}`);
      if (startingAfter !== '')
        query = query.where(
          beyond('payment_id', '<', { merchantId, id: readPublicId('pay', startingAfter) ?? nobody }),
        );
      if (isBackward)
        query = query.where(beyond('payment_id', '>', { merchantId, id: readPublicId('pay', endingBefore) ?? nobody }));
      return query.orderBy('payment_id', isBackward ? 'asc' : 'desc').execute();
    });
  }

  /** `lane` says whose, and how many of each order at most. */
  async #readNewestShown(lane: string, orderIds: readonly bigint[]): Promise<readonly (readonly TriedRow[])[]> {
    const [merchantId = '', limit = ''] = lane.split(' ');
    const { rows } = await this.#database.statement([merchantId], (one) =>
      sql<TriedRow>`
        select payment.*, ${tried} from unnest(${[...new Set(orderIds)]}::bigint[]) as wanted (order_id) cross join lateral (
          select * from payment where merchant_id = ${merchantId}::uuid and payment.order_id = wanted.order_id
          order by payment_id desc limit ${Number(limit)}) as payment
        order by payment_id desc`.execute(one),
    );
    const byOrder = Map.groupBy(rows, (row) => row.order_id);
    return orderIds.map((id) => byOrder.get(id) ?? []);
  }
}

function toWire(row: TriedRow): WirePayment {
  return {
    id: publicId('pay', row.payment_id),
    merchantId: row.merchant_id,
    orderId: row.order_id,
    status: row.status,
    outcomeUnknown: row.is_outcome_unknown,
    reviewReason: row.review_reason,
    amountMinor: row.amount_minor,
    currency: row.currency,
    method: row.method,
    systemName: methodOf(row.method)?.systemName ?? '',
    provider: row.provider,
    providerPaymentId: row.provider_payment_id,
    redirectUrl: row.redirect_url,
    reason: row.reason,
    providerErrorCode: row.provider_error_code,
    providerErrorDescription: row.provider_error_description,
    moneyMoved: moneyMoved(row),
    ...instrumentFields(readInstrument(row.instrument)),
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    finalisedAt: row.finalised_at ?? undefined,
    attempts: (row.tried ?? []).map((attempt) => ({
      id: attempt.attempt_id,
      kind: attempt.kind,
      state: attempt.state,
      createdAt: new Date(attempt.created_at),
      settledAt: attempt.settled_at === null ? undefined : new Date(attempt.settled_at),
      tries: attempt.tries,
    })),
    livemode: row.livemode,
    version: row.version,
    instrumentId: row.instrument_id ?? '',
    isOffSession: row.is_off_session,
  };
}

/** What a customer wants to know first. */
function moneyMoved(row: PaymentRow): 'no' | 'yes' | 'unknown' {
  // A booking of nothing has only kept an instrument.
  if (row.status === 'booked' || row.status === 'confirmed') return row.amount_minor === 0n ? 'no' : 'yes';
  if (
    row.review_reason !== '' ||
    row.status === 'processing' ||
    row.status === 'processing_expired' ||
    row.is_outcome_unknown
  )
    return 'unknown';
  return 'no';
}
