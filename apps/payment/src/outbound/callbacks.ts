/** Callbacks are kept as they came before anything is made of them: the provider hears 200 only after the commit. */
import type { Database } from '@tillstream/database/database';
import { alongside } from '@tillstream/messaging/perform';
import { probe } from '@tillstream/telemetry/probe';
import { sql } from 'kysely';
import { sharedAccountId } from '../domain/provider-account.ts';
import type {
  AskedCallback,
  CallbackStore,
  KnownCallback,
  NewCallback,
  PaymentOwner,
  StoredCallback,
} from '../ports.ts';
import type { PaymentTables } from './tables.ts';

interface Row {
  callback_id: string;
  provider: string;
  account_id: string;
  body: Buffer;
  traceparent: string;
  tries: number;
}

export class Callbacks implements CallbackStore {
  readonly #database: Database<PaymentTables>;

  constructor(database: Database<PaymentTables>) {
    this.#database = database;
  }

  /** What is known before they are kept, one by one. Nothing is written. */
  async lookUp(asked: readonly AskedCallback[]): Promise<readonly KnownCallback[]> {
    const { rows } = await this.#database.everyMerchantStatement('a signed callback names the payment', (one) =>
      sql<OwnerRow & { is_kept: boolean }>`
        select
          exists (select from callback where callback.account_id = t.account_id and provider_event_id = t.event_id) as is_kept,
          payment.merchant_id, payment.account_id, payment.traceparent, payment.provider_payment_id, payment.saves_instrument_id
        from unnest(
          ${asked.map(({ accountId }) => accountId)}::uuid[], ${asked.map(({ eventId }) => eventId)}::text[],
          ${asked.map(({ reference }) => reference ?? null)}::uuid[]
        ) with ordinality as t (account_id, event_id, reference, place)
        left join payment on payment.payment_id = t.reference
        order by t.place`.execute(one),
    );
    return rows.map((row) => ({ isKept: row.is_kept, owner: toOwner(row) }));
  }

  /** Kept and not applied yet: whoever has kept it applies it, and else a worker does. False when it was kept before. */
  async keep(callback: NewCallback): Promise<boolean> {
    const { numAffectedRows } = await this.#database.everyMerchantStatement(
      'a callback does not say whose it is',
      (one) =>
        sql`
        insert into callback (callback_id, provider, account_id, provider_event_id, body, traceparent, reference, due_at)
        values (${callback.callbackId}, ${callback.provider}, ${callback.accountId}, ${callback.eventId}, ${callback.body}, ${callback.traceparent}, ${callback.reference ?? null}::uuid, now() + interval '5 seconds')
        on conflict (account_id, provider_event_id) do nothing`.execute(one),
    );
    return numAffectedRows === 1n;
  }

  /** In the transaction that applies it, which fails on the key when another one has kept it meanwhile. */
  readonly keptApplied = alongside(async (tx, callbacks: readonly NewCallback[]) => {
    await sql`
      insert into callback (callback_id, provider, account_id, provider_event_id, body, traceparent, reference, applied_at)
      select *, now() from unnest(
        ${callbacks.map((each) => each.callbackId)}::uuid[], ${callbacks.map((each) => each.provider)}::text[],
        ${callbacks.map((each) => each.accountId)}::uuid[], ${callbacks.map((each) => each.eventId)}::text[], ${callbacks.map((each) => each.body)}::bytea[],
        ${callbacks.map((each) => each.traceparent)}::text[], ${callbacks.map((each) => each.reference ?? null)}::uuid[])`.execute(
      tx,
    );
    probe('callback kept');
  });

  /** Those that a crash or a payment not yet known left behind. By the wall: a provider has no other clock. */
  async due(): Promise<readonly StoredCallback[]> {
    const { rows } = await this.#database.everyMerchantStatement('callbacks of all merchants are taken up', (tx) =>
      sql<Row>`
        update callback set due_at = now() + interval '60 seconds', tries = tries + 1
        where callback_id in (select callback_id from callback where due_at <= now() order by due_at limit 50 for update skip locked)
        returning callback_id, provider, account_id, body, traceparent, tries`.execute(tx),
    );
    return rows.map((row) => ({
      callbackId: row.callback_id,
      provider: row.provider,
      accountId: row.account_id,
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
  async ownerOf(paymentId: string): Promise<PaymentOwner | undefined> {
    const row = await this.#database.everyMerchantStatement(
      'a signed callback names the payment, and the payment its merchant',
      (one) =>
        one
          .selectFrom('payment')
          .where('payment_id', '=', paymentId)
          .select(['merchant_id', 'account_id', 'traceparent', 'provider_payment_id', 'saves_instrument_id'])
          .executeTakeFirst(),
    );
    return row === undefined ? undefined : toOwner(row);
  }
}

interface OwnerRow {
  merchant_id: string | null;
  account_id: string | null;
  traceparent: string | null;
  provider_payment_id: string | null;
  saves_instrument_id: string | null;
}

function toOwner(row: OwnerRow): PaymentOwner | undefined {
  const { merchant_id: merchantId, traceparent, provider_payment_id: providerPaymentId } = row;
  if (merchantId === null || traceparent === null || providerPaymentId === null) return undefined;
  const accountId = row.account_id ?? sharedAccountId(merchantId);
  return { merchantId, accountId, traceparent, providerPaymentId, keepsInstrument: row.saves_instrument_id !== null };
}
