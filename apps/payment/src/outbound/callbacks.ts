/** Callbacks are kept as they came before anything is made of them: the provider hears 200 only after the commit. */
import type { Database } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { PaymentTables } from './tables.ts';

export interface StoredCallback {
  readonly callbackId: string;
  readonly provider: string;
  readonly body: Buffer;
  readonly traceparent: string;
  readonly tries: number;
}

interface Row {
  callback_id: string;
  provider: string;
  body: Buffer;
  traceparent: string;
  tries: number;
}

export class Callbacks {
  readonly #database: Database<PaymentTables>;

  constructor(database: Database<PaymentTables>) {
    this.#database = database;
  }

  /** False when this event of the provider was received before. */
  async keep(
    callback: Omit<StoredCallback, 'tries'>,
    said: { readonly eventId: string; readonly reference: string | undefined },
  ): Promise<boolean> {
    const { numAffectedRows } = await this.#database.everyMerchantStatement(
      'a callback does not say whose it is',
      (tx) =>
        sql`
        insert into callback (callback_id, provider, provider_event_id, body, traceparent, reference, due_at)
        values (${callback.callbackId}, ${callback.provider}, ${said.eventId}, ${callback.body}, ${callback.traceparent}, ${said.reference ?? null}::uuid, now() + interval '5 seconds')
        on conflict (provider, provider_event_id) do nothing`.execute(tx),
    );
    return numAffectedRows === 1n;
  }

  /** Those that a crash or a payment not yet known left behind. By the wall: a provider has no other clock. */
  async due(): Promise<readonly StoredCallback[]> {
    const { rows } = await this.#database.everyMerchantStatement('callbacks of all merchants are taken up', (tx) =>
      sql<Row>`
        update callback set due_at = now() + interval '60 seconds', tries = tries + 1
        where callback_id in (select callback_id from callback where due_at <= now() order by due_at limit 50 for update skip locked)
        returning callback_id, provider, body, traceparent, tries`.execute(tx),
    );
    return rows.map((row) => ({
      callbackId: row.callback_id,
      provider: row.provider,
      body: row.body,
      traceparent: row.traceparent,
      tries: row.tries,
    }));
  }

  async applied(callbackIds: readonly string[]): Promise<void> {
    await this.#database.everyMerchantStatement('a callback does not say whose it is', (tx) =>
      sql`update callback set applied_at = now(), due_at = null where callback_id = any (${callbackIds}::uuid[])`.execute(
        tx,
      ),
    );
  }

  /** Null = it is kept and no longer tried. */
  async postpone(callbackId: string, dueAt: Date | null): Promise<void> {
    await this.#database.everyMerchantStatement('a callback does not say whose it is', (tx) =>
      sql`update callback set due_at = ${dueAt} where callback_id = ${callbackId}`.execute(tx),
    );
  }

  /** Whose payment is this? The reference is our id, which the signed callback says back. */
  async ownerOf(paymentId: string): Promise<Owner | undefined> {
    const row = await this.#database.everyMerchantStatement(
      'a signed callback names the payment, and the payment its merchant',
      (tx) =>
        tx
          .selectFrom('payment')
          .where('payment_id', '=', paymentId)
          .select(['merchant_id', 'traceparent', 'provider', 'provider_payment_id', 'saves_instrument_id'])
          .executeTakeFirst(),
    );
    if (row === undefined) return undefined;
    return {
      merchantId: row.merchant_id,
      traceparent: row.traceparent,
      provider: row.provider,
      providerPaymentId: row.provider_payment_id,
      keepsInstrument: row.saves_instrument_id !== null,
    };
  }
}

export interface Owner {
  readonly merchantId: string;
  readonly traceparent: string;
  readonly provider: string;
  /** '' while the provider's answer to our call has not been recorded. */
  readonly providerPaymentId: string;
  readonly keepsInstrument: boolean;
}
