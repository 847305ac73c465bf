/** Payments of before intents: the migration gives each order its intent, and what was booked its receipt. */
import { migrate } from '@tillstream/database/migrate';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { home } from '../src/app.ts';

const old = ['0001_payment.sql', '0002_renewals.sql', '0003_paid_once.sql'];
let folder: string;
let store: TestDatabase;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'old-payments-'));
  const migrations = join(folder, 'payment', 'migrations');
  await mkdir(migrations, { recursive: true });
  for (const file of old) await copyFile(new URL(file, home.migrations), join(migrations, file));
  store = await testDatabase({ ...home, migrations: pathToFileURL(`${migrations}/`) });
});
afterAll(async () => {
  await store.drop();
  await rm(folder, { recursive: true });
});

const idOf = (order: number, place: number) => `00000000-0000-7000-8000-0000000${order}00${place}`;
const insert = (order: number, place: number, status: string, more = '', reason = '') => `
  insert into payment.payment (payment_id, merchant_id, order_id, livemode, status, version, amount_minor, currency, method, provider, provider_payment_id, redirect_url, return_url, locale,
    description, is_outcome_unknown, review_reason, reason, provider_error_code, provider_error_description, card_type, card_last_4, card_expiration, created_at, expires_at, finalised_at, traceparent, saves_instrument_id)
  values ('${idOf(order, place)}', '00000000-0000-7000-8000-000000000001', ${order}, false, '${status}', 1, ${order === 14 ? 0 : 500}, 'EUR', '${place === 2 ? 'BankTransfer' : 'CreditCard'}', 'sandbox', '', '', '', 'en',
    '', false, '${more}', '${reason}', '', '', '', '', '', now(), now() + interval '30 minutes', now(), '', ${order === 14 ? 'gen_random_uuid()' : 'null'})`;

test('orders that were open, paid, paid twice, held and verified', async () => {
  for (const row of [
    insert(11, 1, 'failed', '', 'card_declined'),
    insert(11, 2, 'created'),
    insert(12, 1, 'booked'),
    insert(13, 1, 'booked'),
    insert(13, 2, 'booked', 'paid_after_final'),
    insert(14, 1, 'booked'),
    insert(15, 1, 'withdrawn', 'paid_after_final'),
  ])
    await store.admin.query(row);
  const applied = await migrate({ adminUrl: store.adminUrl, home, password: 'only-for-tests' });
  expect(applied).toContain('payment/0004_payment_intents.sql');

  const { rows } = await store.admin.query(`
    select i.order_id::int as id, i.amount_minor::int as amount, i.received_minor::int as received, i.status, i.attempts,
      coalesce((select string_agg(r.taken_for || ' ' || r.amount_minor, ', ' order by r.payment_id) from payment.receipt r where r.intent_id = i.intent_id), '') as receipts
    from payment.payment_intent i order by i.order_id`);
  expect(rows).toEqual([
    { id: 11, amount: 500, received: 0, status: 'unpaid', attempts: 2, receipts: '' },
    { id: 12, amount: 500, received: 500, status: 'paid', attempts: 1, receipts: 'counted 500' },
    { id: 13, amount: 500, received: 1_000, status: 'overpaid', attempts: 2, receipts: 'counted 500, surplus 500' },
    { id: 14, amount: 0, received: 0, status: 'paid', attempts: 1, receipts: '' },
    // The sum that was reported was not kept.
    { id: 15, amount: 500, received: 0, status: 'unpaid', attempts: 1, receipts: '' },
  ]);
  const offline = await store.admin.query('select distinct method from payment.payment where is_offline');
  expect(offline.rows).toEqual([{ method: 'BankTransfer' }]);
});

test('what an intent says is checked by the database', async () => {
  const change = (set: string, where: string) =>
    store.admin.query(`update payment.payment_intent set ${set} where ${where}`);
  await expect(change('received_minor = 1', 'order_id = 12')).rejects.toThrow('payment_intent_status');
  await expect(change("status = 'paid'", 'order_id = 11')).rejects.toThrow('payment_intent_status');
  const receive = (amount: number, payment: string) =>
    store.admin.query(`
      insert into payment.receipt (receipt_id, intent_id, payment_id, merchant_id, amount_minor, currency, taken_for, received_at)
      select gen_random_uuid(), intent_id, '${payment}', merchant_id, ${amount}, 'EUR', 'counted', now() from payment.payment_intent where order_id = 12`);
  await expect(receive(0, idOf(11, 1))).rejects.toThrow('receipt_amount_minor_check');
  await expect(receive(500, idOf(12, 1))).rejects.toThrow('receipt_payment_id_key');
});
